import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceChoice } from '../../engine/index.js';
import type { Episode } from '../../learning/index.js';
import type { LearnerLinkFile } from '../../link/index.js';
import type { Logger } from '../../platform/index.js';
import { contractOf, type RobotSpec } from '../../robot/index.js';
import type { trainingSettings } from '../../sessions/index.js';
import { checkpointSegments, type LearningOptions, runPlan, TrainingProcess } from '../../training/index.js';
import type { OpenedLink } from './link-file.js';

export interface ServeOptions {
  readonly spec: RobotSpec;
  readonly settings: ReturnType<typeof trainingSettings>;
  readonly link: OpenedLink<LearnerLinkFile>;
  /** Of demonstrations; none are needed where the run has a checkpoint. */
  readonly recordings: readonly string[];
  /** Folder of the run: checkpoint/ and policy/. */
  readonly run: string;
  readonly seed: number;
  readonly device: DeviceChoice;
  readonly logger: (node: string) => Logger;
  /** Ends the start early: reading demonstrations and cloning the first policy can take minutes. */
  readonly signal?: AbortSignal;
}

/**
 * The least time between two checkpoints, in seconds: a robot keeps what it has sent on its disk until a checkpoint holds it, and what a
 * learner that is killed forgets is sent again.
 */
const CHECKPOINT_SECONDS = 5;

/** Of several robots: a policy after about a second of updates, and no more owed than some seconds or a minute of them. */
const FLEET_PACE = { updatesPerPolicy: 64, mostOwed: 1000 };

/** Goes on from the run's checkpoint, or begins with the demonstrations. */
export async function startLearning(
  options: ServeOptions,
  demonstrations: readonly Episode[],
): Promise<TrainingProcess> {
  const { spec, settings, run, seed, device, signal } = options;
  const { updatesPerTransition, randomSteps, config } = runPlan(settings);
  const { robots } = options.link.file;
  const everySegments = checkpointSegments(settings.segmentSize);
  const common: Omit<LearningOptions, 'demonstrations'> = {
    config,
    robots,
    contract: contractOf(spec),
    seed,
    updatesPerTransition,
    randomSteps,
    checkpoint: {
      folder: join(run, 'checkpoint'),
      everySegments,
      leastSeconds: CHECKPOINT_SECONDS,
    },
    ...(robots.length > 1 && { fleet: FLEET_PACE }),
    device: device.device,
    threads: 1,
    summary: { robot: spec.robot },
  };
  if (existsSync(join(run, 'checkpoint')))
    return await TrainingProcess.create({ ...common, demonstrations: [], resume: true }, signal);
  return await TrainingProcess.create({ ...common, demonstrations }, signal);
}
