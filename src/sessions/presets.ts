import type { CloningOptions, CloningSettings, LearnerConfig, LearnerSettings } from '../learning/index.js';
import { runConfig } from '../training/index.js';
import type { RigOptions } from './rig.js';

/** How a robot is taught when nobody says otherwise. */
export interface TrainingSettings {
  /** Whether the robot's task knows success; where it does not, returns alone tell. */
  readonly hasSuccess: boolean;
  /** Demonstrations of the demo. */
  readonly demonstrations: number;
  /** Options of the simulated task while it is demonstrated; evaluation takes the task as it is. */
  readonly demonstrationTask?: NonNullable<RigOptions['task']>;
  /** Options of the simulated task while the policy learns in it. */
  readonly learningTask?: NonNullable<RigOptions['task']>;
  /** Own steps of the policy. */
  readonly steps: number;
  /** Own steps between two policies. */
  readonly segmentSize: number;
  readonly updatesPerTransition: number;
  readonly config: LearnerSettings;
  readonly cloning: Pick<CloningOptions, 'updates'> & Pick<CloningSettings, 'loss'>;
  /** Fresh starts of an evaluation. */
  readonly evaluationEpisodes: number;
}

/** One demonstration of a walker: docs/decisions/0011 has what each of these is worth. */
const WALKER: LearnerSettings = {
  agent: 'iq-sac',
  bufferSize: 1_000_000,
  batchSize: 128,
  actorLearningRate: 1e-4,
  actorAveraging: 1e-3,
  observationNoise: 0.05,
};

const LOCOMOTION: TrainingSettings = {
  hasSuccess: false,
  demonstrations: 1,
  steps: 60_000,
  segmentSize: 100,
  updatesPerTransition: 1,
  config: WALKER,
  cloning: { updates: 5000 },
  // A thousand steps each: more would take longer than learning.
  evaluationEpisodes: 20,
};

/**
 * For tasks of a few seconds with a goal: a horizon of two seconds, an actor that starts from cloning and is averaged,
 * learning rates that fall to nearly nothing. docs/decisions has what each of them is worth.
 */
const GOAL_TASK: LearnerSettings = {
  agent: 'iq-sac',
  hiddenSizes: [128, 128],
  batchSize: 128,
  bufferSize: 200_000,
  gamma: 0.95,
  temperature: 0.01,
  actorLearningRate: 3e-5,
  warmStartUpdates: 5000,
  actorDelay: 1000,
  actorAveraging: 5e-4,
  learningRateFloor: 0.05,
};

const SETTINGS: Readonly<Record<string, TrainingSettings>> = {
  rover: {
    hasSuccess: true,
    demonstrations: 5,
    // A demonstration of a minute shows several ways; the policy's own episodes are short, so that it starts afresh often.
    demonstrationTask: { tour: true },
    learningTask: { tour: true, maxSteps: 150 },
    steps: 20_000,
    segmentSize: 150,
    updatesPerTransition: 1,
    config: { ...GOAL_TASK, observationNoise: 0.05 },
    cloning: { updates: 5000 },
    evaluationEpisodes: 50,
  },
  arm: {
    hasSuccess: true,
    demonstrations: 5,
    demonstrationTask: { tour: true },
    learningTask: { tour: true, maxSteps: 120 },
    steps: 16_000,
    segmentSize: 120,
    updatesPerTransition: 1,
    config: GOAL_TASK,
    cloning: { updates: 5000 },
    evaluationEpisodes: 50,
  },
  hopper: {
    ...LOCOMOTION,
    demonstrations: 5,
    steps: 12_000,
    config: {
      agent: 'iq-sac',
      bufferSize: 1_000_000,
      batchSize: 128,
      // An episode that ends when the robot falls: only this estimator does not teach it to fall (algorithm notes, 1.9).
      valueTerm: 'v0',
      initialStates: 'all',
      warmStartUpdates: 10_000,
      actorDelay: 2000,
      actorLearningRate: 1e-5,
      actorAveraging: 1e-3,
      learningRateFloor: 0.05,
    },
    cloning: { updates: 10_000 },
  },
  halfcheetah: LOCOMOTION,
  walker2d: LOCOMOTION,
};

/** Of a simulated task; a task that is not known here is taught as the walkers are. */
export function trainingSettings(task: string | null): TrainingSettings {
  return (task === null ? undefined : SETTINGS[task]) ?? LOCOMOTION;
}

/** The learner's configuration for a run of so many own steps: falling learning rates reach their floor at its end. */
export function configurationFor(settings: TrainingSettings, steps: number): LearnerConfig {
  return runConfig(settings.config, { steps, updatesPerTransition: settings.updatesPerTransition });
}
