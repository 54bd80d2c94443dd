import type { Command } from 'commander';
import { kindOfPath } from '../platform/index.js';
import { loadRobotSpec, robotNames } from '../robot/index.js';
import { expertDriver, trainingSettings } from '../sessions/index.js';
import { commandLine, type Io, longCommand, withDisplay } from './command.js';
import { Display } from './display.js';
import { integer, robot, seedOption } from './options.js';
import type { OutputOptions } from './output.js';
import { defaultName, interruptedWith, openRunFolder } from './run-folder.js';
import { demonstrate, fileLogger } from './session.js';

interface RecordOptions extends OutputOptions {
  readonly robot: string;
  readonly episodes: number;
  readonly out?: string;
  readonly expert?: string;
  readonly seed: number;
}

/** What an interrupted recording has left, and what can be done with it. */
function leftByRecord({ robot: name, episodes, out: given, expert, seed }: RecordOptions, out: string): string {
  if (kindOfPath(out) === null)
    return `nothing was kept: ${commandLine('record', { robot: name, episodes, out: given, expert, seed })}`;
  const learn = commandLine('train', { robot: name, recording: [out] });
  return `the demonstrations so far are in ${out}: ${learn}; more of them go to another folder`;
}

/** `iq-learn record`: lets an expert demonstrate over the teleoperation topic, and records it as a rosbag2 folder. */
export function recordCommand(io: Io): Command {
  return longCommand('record', 'Let an expert demonstrate over teleoperation, and record it (rosbag2, MCAP).', [
    'iq-learn record --robot rover --episodes 5 --out demonstrations/rover',
    'iq-learn record --robot hopper --episodes 1 --expert runs/hopper-expert/policy',
  ])
    .requiredOption('--robot <name>', `${robotNames().join(', ')}, or the path of a RobotSpec`, robot)
    .option('--episodes <n>', 'number of demonstrations', integer('--episodes', 1, 10_000), 5)
    .option('--out <folder>', 'a new folder for the recording (default: runs/<robot, date and seed>/recording)')
    .option(
      '--expert <folder>',
      'folder of a trained policy that demonstrates, for example one that iq-learn expert made',
    )
    .addOption(seedOption())
    .action(async (options: RecordOptions) => {
      const spec = loadRobotSpec(options.robot);
      const driver = await expertDriver(spec, options.expert);
      const out = options.out ?? `runs/${defaultName(spec.robot, options.seed)}/recording`;
      // The folder is checked before any work; the writer creates and locks it later.
      openRunFolder(out).close();
      const display = new Display(io.stderr, options);
      const session = {
        io,
        display,
        spec,
        settings: trainingSettings(spec.task),
        seed: options.seed,
        logger: fileLogger(undefined, options),
      };
      try {
        await withDisplay(display, () => demonstrate(session, driver, options.episodes, out));
        io.stdout.write(`${out}\n`);
      } catch (error) {
        throw interruptedWith(error, leftByRecord(options, out));
      } finally {
        await driver.dispose();
      }
    });
}
