import type { Command } from 'commander';
import { chooseDevice, type DeviceStatus, deviceStatus } from '../engine/index.js';
import { command, type Io } from './command.js';
import { columns } from './table.js';

function text(statuses: readonly DeviceStatus[], auto: string): string {
  const rows = statuses.map(({ device, executor, availability }) => [
    device,
    executor,
    availability.available ? (device === auto ? 'yes, taken by auto' : 'yes') : 'no',
    availability.available ? availability.detail : `${availability.found}; to do: ${availability.remedy}`,
  ]);
  return columns([['device', 'executor', 'available', 'with, or why not'], ...rows]);
}

/** `iq-learn devices`: what learning can run on here, and why not on the others. */
export function devicesCommand(io: Io): Command {
  return command('devices', 'say what learning can run on here, and why not on what it cannot', [
    'iq-learn devices',
    'iq-learn devices --json',
  ])
    .option('--json', 'as JSON', false)
    .action(async ({ json }: { readonly json: boolean }) => {
      const [devices, auto] = [await deviceStatus(), await chooseDevice('auto')];
      io.stdout.write(
        `${json ? JSON.stringify({ auto: auto.device, devices }, null, 2) : text(devices, auto.device)}\n`,
      );
    });
}
