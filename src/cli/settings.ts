import type { CloningOptions, LearnerSettings } from '../learning/index.js';
import type { StageOptions } from '../nodes/index.js';

/** How a robot is taught when nobody says otherwise. */
export interface TeachingSettings {
  /** Whether the robot's task knows success; where it does not, returns alone tell. */
  readonly hasSuccess: boolean;
  /** Demonstrations of the demo. */
  readonly demonstrations: number;
  /** Options of the simulated task while it is demonstrated and learned; evaluation takes the task as it is. */
  readonly task?: NonNullable<StageOptions['task']>;
  /** Own steps of the policy. */
  readonly steps: number;
  /** Own steps between two policies. */
  readonly segmentSize: number;
  readonly updatesPerTransition: number;
  readonly config: LearnerSettings;
  readonly cloning: Pick<CloningOptions, 'updates' | 'loss'>;
  /** Fresh starts of an evaluation. */
  readonly evaluationEpisodes: number;
}

const LOCOMOTION: TeachingSettings = {
  hasSuccess: false,
  demonstrations: 1,
  steps: 30_000,
  segmentSize: 100,
  updatesPerTransition: 1,
  config: { bufferSize: 1_000_000 },
  cloning: { updates: 5000 },
  // A thousand steps each: more would take longer than learning.
  evaluationEpisodes: 20,
};

const SETTINGS: Readonly<Record<string, TeachingSettings>> = {
  rover: {
    hasSuccess: true,
    demonstrations: 5,
    steps: 12_000,
    segmentSize: 100,
    updatesPerTransition: 1,
    config: { hiddenSizes: [128, 128], batchSize: 128, bufferSize: 200_000 },
    cloning: { updates: 5000 },
    evaluationEpisodes: 50,
  },
  arm: {
    hasSuccess: true,
    demonstrations: 5,
    steps: 12_000,
    segmentSize: 100,
    updatesPerTransition: 1,
    config: { hiddenSizes: [128, 128], batchSize: 128, bufferSize: 200_000 },
    cloning: { updates: 5000 },
    evaluationEpisodes: 50,
  },
  hopper: LOCOMOTION,
  halfcheetah: LOCOMOTION,
  walker2d: LOCOMOTION,
};

/** Of a simulated task; a task that is not known here is taught as the walkers are. */
export function teachingSettings(task: string | null): TeachingSettings {
  return (task === null ? undefined : SETTINGS[task]) ?? LOCOMOTION;
}
