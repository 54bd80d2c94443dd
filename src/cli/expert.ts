import { join } from 'node:path';
import type { Command } from 'commander';
import { IqLearnError, mean } from '../common/index.js';
import { loadRobotSpec, robotNames } from '../robot/index.js';
import { taskNames } from '../simulation/index.js';
import { commandLine, type Io, longCommand, withDisplay } from './command.js';
import { Display } from './display.js';
import { EVALUATION_EPISODES, type ExpertOptions, type Run, train } from './expert-run.js';
import { type Figure, writeFigures } from './figures.js';
import {
  deviceOption,
  integer,
  jsonOption,
  logOption,
  nameOption,
  oneOf,
  seedOption,
  settingsOption,
} from './options.js';
import { checkTarget, defaultName, openRunFolder } from './run-folder.js';

/** Names of the robots that have a simulated task, whose rewards can be learned from. */
export function expertRobots(): string[] {
  return robotNames().filter((name) => loadRobotSpec(name).task !== null);
}

/** A robot whose task is learned, a simulated task without a robot, or `gym:<id>`. */
function learnable(text: string): string {
  if (text.startsWith('gym:')) return text;
  return oneOf('task', [...new Set([...expertRobots(), ...taskNames()]), 'gym:<id>'])(text);
}

/** Prints where the policy is and how to repeat or continue the run, and writes the figures where --json asks for them. */
function report({ plan, training, best, recorded }: Run, options: ExpertOptions, name: string, io: Io): void {
  const { task, seed, settings, record, device } = options;
  const { steps } = plan;
  const finished = training.steps >= steps;
  const again = commandLine('expert', {
    task,
    steps,
    settings,
    seed,
    record,
    ...(device === 'auto' ? {} : { device }),
    ...(finished ? {} : { name, resume: true }),
  });
  if (Number.isFinite(best)) {
    io.stdout.write(
      `best return ${best.toFixed(1)} over ${EVALUATION_EPISODES} episodes, after ${training.steps} steps in all\n`,
    );
    io.stdout.write(`policy: ${join('runs', name, 'policy')}\n`);
  }
  if (recorded.length > 0)
    io.stdout.write(
      `demonstrations: ${join('runs', name, 'demonstrations.npz')}, ${recorded.length} episodes of return ${mean(recorded).toFixed(1)}, lowest ${Math.min(...recorded).toFixed(1)}\n`,
    );
  io.stdout.write(`${finished ? 'again' : 'go on'}: ${again}\n`);
  const figures: Figure[] = [
    { name: 'best_return', value: best, unit: 'return', note: `${EVALUATION_EPISODES} episodes` },
    { name: 'steps', value: training.steps, unit: 'steps' },
    ...(recorded.length === 0
      ? []
      : [
          {
            name: 'demonstrations',
            value: mean(recorded),
            unit: 'return',
            note: `mean of ${recorded.length} episodes`,
          },
        ]),
  ];
  // Without an evaluation there is no best return: JSON has no number for it.
  const measured = figures.filter(({ value }) => Number.isFinite(value));
  if (options.json !== undefined) writeFigures(options.json, 'expert', again, measured);
}

/** `iq-learn expert`: learns a policy from the task's own rewards, which then demonstrates where no person can drive the robot. */
export function expertCommand(io: Io): Command {
  return longCommand('expert', "Learn an expert from a task's own rewards by SAC, or soft Q-learning.", [
    'iq-learn expert --task hopper --steps 200000',
    'iq-learn expert --task gym:LunarLander-v3 --steps 200000 --record 20',
    'iq-learn expert --task hopper --steps 400000 --name hopper-expert --resume',
  ])
    .requiredOption('--task <name>', 'a robot whose task is learned, a simulated task, or gym:<id>', learnable)
    .option(
      '--steps <n>',
      'steps in the simulator (default: 200,000, or what the settings file says)',
      integer('--steps', 100, 100_000_000),
    )
    .option(
      '--record <n>',
      'at the end, write so many episodes of the best policy to demonstrations.npz, for train --task',
      integer('--record', 1, 10_000),
    )
    .addOption(settingsOption())
    .addOption(seedOption())
    .addOption(nameOption())
    .option('--resume', 'continue from the checkpoint of the run --name', false)
    .addOption(jsonOption())
    .addOption(deviceOption())
    .addOption(logOption())
    .action(async (options: ExpertOptions) => {
      if (options.resume && options.name === undefined)
        throw new IqLearnError('INVALID_ARGUMENT', 'nothing to resume', {
          found: '--resume without a run',
          expected: '--name of a run that was begun',
          remedy: 'for example --name hopper-expert --resume',
        });
      if (options.json !== undefined) checkTarget(options.json);
      const name = options.name ?? defaultName(`${options.task.replace(/[^\w.-]/g, '-')}-expert`, options.seed);
      const folder = openRunFolder(join('runs', name), { reuse: options.resume });
      try {
        const display = new Display(io.stderr, options);
        const run = await withDisplay(display, () => train(options, io, folder, display));
        report(run, options, name, io);
      } finally {
        folder.close();
      }
    });
}
