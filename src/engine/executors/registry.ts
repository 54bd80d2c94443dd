import { IqLearnError } from '../../common/index.js';
import { eager } from './eager/eager.js';
import { type Availability, type Device, devices, type Executor, type NamedDevice } from './executor.js';
import { onnxCpu } from './onnx-cpu/onnx-cpu.js';
import { onnxCuda } from './onnx-cuda/onnx-cuda.js';

/** Every executor, best first. */
export const executors: readonly Executor[] = [onnxCuda, onnxCpu, eager].toSorted((a, b) => b.priority - a.priority);

/** A device with the executor that serves it and whether it can be used here. */
export interface DeviceStatus {
  readonly device: NamedDevice;
  readonly executor: string;
  readonly availability: Availability;
}

/** A device that is available, and why it was taken: a sentence for the log. */
export interface DeviceChoice {
  readonly device: NamedDevice;
  readonly executor: string;
  readonly why: string;
}

const rows = executors.flatMap((executor) => executor.devices.map((device) => ({ device, executor })));

/** All devices in the order in which `auto` tries them. */
export function deviceStatus(): Promise<readonly DeviceStatus[]> {
  return Promise.all(
    rows.map(async ({ device, executor }) => ({
      device,
      executor: executor.name,
      availability: await executor.available(device),
    })),
  );
}

export function executorOf(device: NamedDevice): Executor {
  const row = rows.find((entry) => entry.device === device);
  if (row !== undefined) return row.executor;
  throw new IqLearnError('INVALID_ARGUMENT', 'unknown device', { found: `'${device}'`, expected: devices.join(', ') });
}

/**
 * The device to run on. `auto` tries the devices in order and says why it passed over better ones. A device asked for
 * by name is never replaced by another: UNAVAILABLE, with the reason and the remedy, where it cannot be used.
 */
export async function chooseDevice(device: Device): Promise<DeviceChoice> {
  if (device !== 'auto') {
    const executor = executorOf(device);
    const availability = await executor.available(device);
    if (!availability.available)
      throw new IqLearnError('UNAVAILABLE', `the device ${device} cannot be used`, {
        found: availability.found,
        expected: availability.expected,
        remedy: `${availability.remedy}, or choose another device ('iq-learn devices' lists them)`,
      });
    return { device, executor: executor.name, why: `device ${device}, as asked for: ${availability.detail}` };
  }
  const passed: string[] = [];
  for (const { device: name, executor } of rows) {
    const availability = await executor.available(name);
    if (availability.available) {
      const reasons = passed.length === 0 ? '' : `; not ${passed.join('; not ')}`;
      return {
        device: name,
        executor: executor.name,
        why: `device ${name}, the best available: ${availability.detail}${reasons}`,
      };
    }
    passed.push(`${name} (${availability.found})`);
  }
  throw new IqLearnError('UNAVAILABLE', 'no device can be used', {
    found: passed.join('; '),
    expected: 'one of them',
    remedy: "install again with 'npm ci'",
  });
}
