import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { IqLearnError, messageOf, parseOrThrow, throwIfCancelled } from '../common/index.js';
import type { DemonstrationEpisode, ReadOptions } from '../demonstrations/index.js';
import { chooseDevice, type Device, type DeviceChoice } from '../engine/index.js';
import { type AgentName, learnerConfigSchema } from '../learning/index.js';
import { kindOfPath, loadCheckpoint, type MetricsSinkName, readJson, writeFileAtomic } from '../platform/index.js';
import { writeBundle } from '../policy/index.js';
import { renderReport } from '../report/index.js';
import { loadRobotSpec, type RobotSpec, robotNames } from '../robot/index.js';
import { runFields, trainingSettings, usableDemonstrations, withSettingsFile } from '../sessions/index.js';
import { runPlan, type StatesOnly } from '../training/index.js';
import { commandLine, type Io, longCommand, withDisplay } from './command.js';
import { refuseUnread } from './contradictions.js';
import { Display } from './display.js';
import { learn, type TrainingPlan } from './learning.js';
import {
  actionOption,
  agentOption,
  clockOption,
  deviceOption,
  integer,
  logOption,
  namespaceOption,
  type ReadingOptions,
  readingOf,
  robot,
  settingsOption,
  statesOnlyOption,
  withAgent,
  withStatesOnly,
} from './options.js';
import type { OutputOptions } from './output.js';
import { defaultName, interruptedWith, LOG, openRunFolder, type RunFolder } from './run-folder.js';
import { fileLogger, type Session } from './session.js';
import { taskOfRun } from './task-plan.js';
import { unreadByTraining } from './train-modes.js';
import { trainOffline } from './train-offline.js';
import { trainingReport } from './train-report.js';
import { trainOnTask } from './train-task.js';

interface TrainOptions extends OutputOptions, ReadingOptions {
  readonly recording?: readonly string[];
  readonly robot?: string;
  readonly task?: string;
  readonly demonstrations?: string;
  readonly out?: string;
  readonly steps?: number;
  readonly settings?: string;
  readonly seed?: number;
  readonly resume: boolean;
  readonly offline: boolean;
  /** How the actions of demonstrations are found out, where they are not to be looked at. */
  readonly statesOnly?: StatesOnly;
  /** The learning algorithm, where it is not that of the settings. */
  readonly agent?: AgentName;
  readonly device: Device;
  readonly log: readonly MetricsSinkName[];
}

const planSchema = z.strictObject({
  robot: z.string(),
  recordings: z.array(z.string()),
  /** Not in plans from before it was kept. */
  reading: z
    .strictObject({
      action: z.enum(['teleop', 'command']).optional(),
      namespace: z.string().optional(),
      clock: z.enum(['stamps', 'log']).optional(),
    })
    .default({}),
  seed: z.int().min(0),
  ...runFields,
  /** Not in plans from before there were random steps. */
  randomSteps: runFields.randomSteps.default(0),
  stopWhenConverged: runFields.stopWhenConverged.default(false),
  config: learnerConfigSchema,
});

function missing(option: string, remedy: string): IqLearnError {
  return new IqLearnError('INVALID_ARGUMENT', 'a required option is missing', {
    found: 'a command without it',
    expected: option,
    remedy,
  });
}

/** Reads the plan of a run that is resumed. Throws NOT_FOUND where there is none, CORRUPT_DATA where it is damaged. */
function earlierPlan(out: string | undefined, steps: number | undefined): TrainingPlan {
  if (out === undefined) throw missing('--out <folder>', 'give the folder of the run that is to go on');
  const file = join(out, 'training.json');
  if (!existsSync(file))
    throw new IqLearnError('NOT_FOUND', `there is no training in ${out}`, {
      found: `no ${file}`,
      expected: 'the folder of a run that iq-learn train or demo began',
      remedy: 'check the path, or start without --resume',
    });
  const plan = parseOrThrow(planSchema, readJson(file), {
    code: 'CORRUPT_DATA',
    what: (field) => `${file} is damaged${field === '' ? '' : ` at ${field}`}`,
    remedy: 'start again without --resume',
  });
  return { ...plan, reading: readingOf(plan.reading), steps: steps ?? plan.steps };
}

/** The plan of a run that begins, by the robot's settings, the settings file and the options. Throws INVALID_ARGUMENT. */
export function freshPlan(
  options: Pick<TrainOptions, 'recording' | 'robot' | 'settings' | 'seed' | 'steps' | 'statesOnly' | 'agent'> &
    ReadingOptions,
): TrainingPlan {
  const { recording, robot: name, seed = 0, steps } = options;
  if (recording === undefined) throw missing('--recording <path…>', 'record one: iq-learn record --robot rover');
  if (name === undefined) throw missing('--robot <name>', `one of ${robotNames().join(', ')}`);
  const own = withSettingsFile(trainingSettings(loadRobotSpec(name).task), options.settings);
  const settings = withStatesOnly(withAgent(own, options.agent), options.statesOnly);
  return {
    robot: name,
    recordings: recording,
    reading: readingOf(options),
    seed,
    segmentSize: settings.segmentSize,
    ...runPlan({ ...settings, steps: steps ?? settings.steps }),
  };
}

/**
 * The demonstrations of a run. A resumed one holds them in its checkpoint and needs the recordings only for comparing
 * its policies with them: where they cannot be read any more it goes on without.
 */
async function demonstrationsOf(
  spec: RobotSpec,
  recordings: readonly string[],
  resume: boolean,
  display: Display,
  reading: ReadOptions,
): Promise<DemonstrationEpisode[]> {
  const warn = (text: string): void => display.warn(text);
  if (!resume) return usableDemonstrations(spec, recordings, warn, { ...reading, say: (text) => display.say(text) });
  try {
    return await usableDemonstrations(spec, recordings, () => {}, reading);
  } catch (error) {
    throwIfCancelled(reading.signal);
    warn(`${messageOf(error)}; the run goes on, and its last policy is deployed without a comparison`);
    return [];
  }
}

/** Learns, and writes policy, checkpoint and curves. Resolves with true where the user interrupted it. */
async function train(
  session: Session,
  plan: TrainingPlan,
  demonstrations: readonly DemonstrationEpisode[],
  folder: RunFolder,
  { resume, log, out, device, ...options }: Omit<TrainOptions, 'device'> & { readonly device: DeviceChoice },
): Promise<boolean> {
  folder.keep('training.json', `${JSON.stringify(plan, null, 2)}\n`);
  const learning = await learn(session, plan, demonstrations, {
    run: folder,
    checkpoint: folder.file('checkpoint'),
    candidates: folder.file('candidates'),
    curves: folder.file('learning.json'),
    metrics: { folder: folder.path, sinks: log },
    resume,
    device,
  });
  try {
    writeBundle(folder.file('policy'), learning.bundle);
    const { robot: name, recording, steps, settings, seed } = options;
    const reading = readingOf(options);
    const again = resume
      ? commandLine('train', { out, steps, resume })
      : commandLine('train', {
          recording,
          robot: name,
          ...reading,
          out,
          steps,
          settings,
          seed,
          agent: options.agent,
          'states-only': options.statesOnly,
        });
    const report = trainingReport(session, plan, learning, again, new Date());
    writeFileAtomic(folder.file('learning.html'), renderReport(report));
  } finally {
    await learning.close();
  }
  return learning.interrupted;
}

/** Learns online from recordings, on the robot of the plan. */
async function trainOnRobot(options: TrainOptions, io: Io): Promise<void> {
  const { resume } = options;
  const plan = resume ? earlierPlan(options.out, options.steps) : freshPlan(options);
  const spec = loadRobotSpec(plan.robot);
  const out = options.out ?? join('runs', defaultName(spec.robot, plan.seed));
  const display = new Display(io.stderr, options);
  // Bad input is refused before the folder is created.
  const device = await chooseDevice(options.device);
  if (resume) loadCheckpoint(join(out, 'checkpoint'), ({ message }) => display.warn(message));
  const reading = { ...plan.reading, signal: io.interrupt.signal };
  const demonstrations = await demonstrationsOf(spec, plan.recordings, resume, display, reading);
  const folder = openRunFolder(out, { reuse: resume });
  const { seed } = plan;
  const logger = fileLogger(folder.file(LOG), options);
  const session: Session = { io, display, spec, settings: trainingSettings(spec.task), seed, logger };
  try {
    const interrupted = await withDisplay(display, () =>
      train(session, plan, demonstrations, folder, { ...options, device }),
    );
    io.stdout.write(`policy: ${join(out, 'policy')}\nreport: ${join(out, 'learning.html')}\n`);
    io.stdout.write(
      interrupted
        ? `go on: ${commandLine('train', { out, resume: true })}\n`
        : `evaluate: ${commandLine('evaluate', { policy: join(out, 'policy'), robot: plan.robot })}\n`,
    );
  } catch (error) {
    const isBegun = resume || kindOfPath(folder.file('checkpoint')) === 'folder';
    if (!isBegun) folder.discard();
    const onward = commandLine('train', { out, resume: true });
    throw interruptedWith(
      error,
      isBegun ? `go on: ${onward}` : 'nothing was learned yet, and nothing was kept: give the command again',
    );
  } finally {
    folder.close();
  }
}

/** `iq-learn train`: learns online from recordings or, with --task, in a task without nodes. */
export function trainCommand(io: Io): Command {
  return longCommand('train', 'Learn a policy online from recordings by IQ-Learn with SAC, or in a task (--task).', [
    'iq-learn train --recording demonstrations/rover --robot rover --out runs/rover',
    'iq-learn train --out runs/rover --steps 40000 --resume',
    'iq-learn train --offline --recording recordings/one --robot turtlebot4 --out runs/turtlebot4',
    'iq-learn train --states-only --recording demonstrations/rover --robot rover --out runs/rover-states',
    'iq-learn train --task cartpole --steps 1000 --out runs/cartpole',
    'iq-learn train --task gym:CartPole-v1 --demonstrations cartpole.npz --out runs/gym-cartpole',
  ])
    .option('--recording <path...>', 'recordings: folders of iq-learn record or ros2 bag record, or .mcap files')
    .option('--robot <name>', `${robotNames().join(', ')}, or the path of a RobotSpec`, robot)
    .option(
      '--task <name>',
      'instead of --robot: a simulated task, whose scripted expert demonstrates, or gym:<id>; without nodes and topics',
    )
    .option('--demonstrations <file>', 'with --task: an .npz file of demonstrations (required for gym:<id>)')
    .option('--out <folder>', 'folder for policy, checkpoint and curves (default: runs/<robot, date and seed>)')
    .option('--steps <n>', "own steps of the policy (default: the robot's setting)", integer('--steps', 1, 100_000_000))
    .addOption(settingsOption())
    .addOption(agentOption())
    .option('--seed <n>', 'fixes every random choice of the run (default: 0)', integer('--seed', 0, 0xffffffff))
    .option(
      '--offline',
      'learn from the recording alone, for a robot that has no simulator; --steps are updates',
      false,
    )
    .addOption(statesOnlyOption())
    .option('--resume', 'continue from the checkpoint in --out', false)
    .addOption(actionOption())
    .addOption(namespaceOption())
    .addOption(clockOption())
    .addOption(deviceOption())
    .addOption(logOption())
    .action(async (options: TrainOptions, made: Command) => {
      const task = options.task ?? (options.resume ? taskOfRun(options.out) : undefined);
      refuseUnread(made, unreadByTraining(options, task));
      if (task !== undefined) return trainOnTask({ ...options, task }, io);
      return options.offline ? trainOffline(options, io) : trainOnRobot(options, io);
    });
}
