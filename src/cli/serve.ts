import type { Command } from 'commander';
import { chooseDevice, type Device } from '../engine/index.js';
import {
  LearnerHost,
  type ServeOptions as LearnerHostOptions,
  openLearnerLink,
  serveHealth,
} from '../hosts/plain/index.js';
import type { MetricsSinkName } from '../platform/index.js';
import { loadRobotSpec, robotNames } from '../robot/index.js';
import { trainingSettings, withSettingsFile } from '../sessions/index.js';
import { commandLine, type Io, longCommand } from './command.js';
import { Display } from './display.js';
import { deviceOption, healthAddress, integer, logOption, robot, settingsOption } from './options.js';
import type { OutputOptions } from './output.js';
import { interruptedWith } from './run-folder.js';
import { ServeRun } from './serve-run.js';
import { fileLogger } from './session.js';

interface ServeOptions extends OutputOptions {
  readonly robot: string;
  readonly link: string;
  readonly recording: readonly string[];
  readonly run?: string;
  readonly health: string;
  readonly settings?: string;
  readonly seed: number;
  readonly device: Device;
  readonly log: readonly MetricsSinkName[];
}

/** Starts the learner and its gateways. An interruption says how to begin again. */
async function startHost(
  { recording, seed, device }: ServeOptions,
  options: Pick<LearnerHostOptions, 'spec' | 'link' | 'settings' | 'run' | 'logger' | 'signal'>,
  again: string,
): Promise<LearnerHost> {
  const start = { ...options, recordings: recording, seed, device: await chooseDevice(device) };
  return await LearnerHost.start(start).catch((error: unknown) => {
    throw interruptedWith(error, `nothing new was learned: ${again}`);
  });
}

/** Serves until a signal ends it or the learner has a fault; what was learned is saved. */
async function serve(options: ServeOptions, io: Io): Promise<void> {
  const spec = loadRobotSpec(options.robot);
  const link = openLearnerLink(options.link);
  const settings = withSettingsFile(trainingSettings(spec.task), options.settings);
  const run = options.run ?? `runs/${spec.robot}-link`;
  const logger = fileLogger(undefined, { logLevel: 'info', ...options });
  const { recording, settings: file, seed, health: address } = options;
  const given = { robot: options.robot, recording, link: options.link, run: options.run, settings: file, seed };
  const again = commandLine('serve', given);
  const { signal } = io.interrupt;
  const host = await startHost(options, { spec, link, settings, run, logger, signal }, again);
  const display = new Display(io.stderr, options);
  const session = { io, display, spec, settings, seed, logger };
  let served: ServeRun | undefined;
  let health: { readonly port: number; close(): void } | undefined;
  try {
    served = new ServeRun(session, host, run, options.log);
    if (address !== 'off') {
      health = await serveHealth(address, host);
      io.stderr.write(`health: http://${address.replace(/:\d+$/, '')}:${health.port}/healthz\n`);
    }
    io.stderr.write(`serving ${link.file.robots.join(', ')} over ${link.file.broker}; the run is in ${run}\n`);
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      host.learner.onFault(reject);
    });
  } finally {
    health?.close();
    await host.close();
    served?.finish(again);
  }
  const { transitions } = host.learner.progress;
  io.stderr.write(`saved in ${run} after ${transitions} transitions; the same command goes on: ${again}\n`);
}

/** `iq-learn serve`: the learner of robots elsewhere, which a link joins. */
export function serveCommand(io: Io): Command {
  return longCommand('serve', 'Learn from robots elsewhere over a link, and send them policies, until Ctrl-C.', [
    'iq-learn serve --robot rover --recording demonstrations/rover --link link/learner.yaml',
    'curl http://127.0.0.1:8787/metrics',
  ])
    .requiredOption('--robot <name>', `${robotNames().join(', ')}, or the path of a RobotSpec`, robot)
    .requiredOption('--link <file>', "the learner's file of the link, from iq-learn link init")
    .option('--recording <path...>', 'demonstrations; not needed where the run goes on', [] as string[])
    .option(
      '--run <folder>',
      'folder of checkpoint and policy; it goes on where it is there (default: runs/<robot>-link)',
    )
    .option('--health <address>', 'where /healthz and /metrics are served, or off', healthAddress, '127.0.0.1:8787')
    .addOption(settingsOption())
    .option('--seed <n>', 'of networks and batches', integer('--seed', 0, 0xffffffff), 0)
    .addOption(deviceOption())
    .addOption(logOption())
    .action((options: ServeOptions) => serve(options, io));
}
