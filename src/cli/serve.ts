import type { Command } from 'commander';
import { chooseDevice, type Device } from '../engine/index.js';
import { LearnerHost, openLearnerLink, serveHealth } from '../hosts/plain/index.js';
import type { MetricsSinkName } from '../platform/index.js';
import { loadRobotSpec, robotNames } from '../robot/index.js';
import { trainingSettings, withSettingsFile } from '../sessions/index.js';
import { commandLine, type Io, longCommand } from './command.js';
import { Display } from './display.js';
import { deviceOption, integer, logOption, robot, settingsOption } from './options.js';
import type { OutputOptions } from './output.js';
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
    .option('--health <address>', 'where /healthz and /metrics are served, or off', '127.0.0.1:8787')
    .addOption(settingsOption())
    .option('--seed <n>', 'of networks and batches', integer('--seed', 0, 0xffffffff), 0)
    .addOption(deviceOption())
    .addOption(logOption())
    .action(async (options: ServeOptions) => {
      const spec = loadRobotSpec(options.robot);
      const link = openLearnerLink(options.link);
      const settings = withSettingsFile(trainingSettings(spec.task), options.settings);
      const run = options.run ?? `runs/${spec.robot}-link`;
      const logger = fileLogger(undefined, { logLevel: 'info', ...options });
      const host = await LearnerHost.start({
        spec,
        link,
        settings,
        recordings: options.recording,
        run,
        seed: options.seed,
        device: await chooseDevice(options.device),
        logger,
      });
      const display = new Display(io.stderr, options);
      const session = { io, display, spec, settings, seed: options.seed, logger };
      let served: ServeRun | undefined;
      let health: { readonly port: number; close(): void } | undefined;
      try {
        served = new ServeRun(session, host, run, options.log);
        if (options.health !== 'off') {
          health = await serveHealth(options.health, host);
          io.stderr.write(`health: http://${options.health.replace(/:\d+$/, '')}:${health.port}/healthz\n`);
        }
        io.stderr.write(`serving ${link.file.robots.join(', ')} over ${link.file.broker}; the run is in ${run}\n`);
        await new Promise<void>((resolve, reject) => {
          io.interrupt.signal.addEventListener('abort', () => resolve(), { once: true });
          if (io.interrupt.signal.aborted) resolve();
          host.learner.onFault(reject);
        });
      } finally {
        health?.close();
        await host.close();
        const { recording, run: out, settings: file, seed, link: end } = options;
        served?.finish(
          commandLine('serve', { robot: options.robot, recording, link: end, run: out, settings: file, seed }),
        );
      }
    });
}
