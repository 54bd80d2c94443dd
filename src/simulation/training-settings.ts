import type { CloningOptions, CloningSettings, LearnerSettings } from '../learning/index.js';

/** How a robot is trained when the user does not say otherwise; a task folder states these for its own task. */
export interface TrainingSettings {
  /** Whether an episode can succeed or fail. Where it cannot, only its return tells how well it went. */
  readonly hasSuccess: boolean;
  /** Number of episodes that the expert records in `iq-learn demo`. */
  readonly demonstrations: number;
  /**
   * Options of the simulated task while the expert demonstrates, and while policies of a run are compared with what was
   * shown. Evaluation uses the task with its own defaults, and this one beside it.
   */
  readonly demonstrationTask?: Readonly<Record<string, unknown>>;
  /** Options of the simulated task while the policy learns in it. */
  readonly learningTask?: Readonly<Record<string, unknown>>;
  /** Steps that the policy makes in the environment while it learns. */
  readonly steps: number;
  /** Steps of the policy between two published policies. */
  readonly segmentSize: number;
  /** Gradient updates for each step of the policy; may be a fraction. */
  readonly updatesPerTransition: number;
  /** First steps, which take uniformly random actions and no update; none where it is not given. */
  readonly randomSteps?: number;
  /** Whether a run ends before its last step once learning has converged; it does where it is not given. */
  readonly stopWhenConverged?: boolean;
  /** Settings of the learner that differ from the learner's own defaults. */
  readonly config: LearnerSettings;
  /** Settings of behavioural cloning, the baseline of the demo. */
  readonly cloning: Pick<CloningOptions, 'updates'> & Pick<CloningSettings, 'loss'>;
  /** Number of fresh starts in an evaluation. */
  readonly evaluationEpisodes: number;
}

/** Training from one demonstration, of a robot whose task knows no success: the locomotion tasks. */
export const oneDemonstration: TrainingSettings = {
  hasSuccess: false,
  demonstrations: 1,
  steps: 60_000,
  segmentSize: 100,
  updatesPerTransition: 1,
  // The agent's defaults are made for this.
  config: { agent: 'iq-sac' },
  cloning: { updates: 5000 },
  evaluationEpisodes: 50,
};

/**
 * Training of a robot that has no simulated task, so on the robot itself. Its first policy is cloned from the
 * demonstrations before anything is published (until then the policy node holds): a network that has learned nothing
 * never drives a robot. No action is uniformly random, and the critic has a head start, so that it does not spoil the
 * cloned actor.
 */
export const onTheRobot: TrainingSettings = {
  ...oneDemonstration,
  randomSteps: 0,
  config: { agent: 'iq-sac', warmStartUpdates: 5000, actorDelay: 1000 },
};
