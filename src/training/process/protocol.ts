import type { PackedError } from '../../common/index.js';
import type { Device } from '../../engine/index.js';
import type { Episode, LearnerConfig, LearnerRows, Metrics } from '../../learning/index.js';
import type { Checkpoint } from '../../platform/index.js';
import type { PolicyBundle, PolicyContract, TrainingSummary } from '../../policy/index.js';

/** The options that learning is started with. They are plain data, because they are sent to another process. */
export interface LearningOptions {
  readonly config: LearnerConfig;
  /** The robot's contract. It gives the blocks of an observation and the range of actions. */
  readonly contract: PolicyContract;
  /** The robots of a fleet, each of which has its own part of the replay buffer. */
  readonly robots?: readonly string[];
  /** The seed of networks, batches and cloning. */
  readonly seed: number;
  /** Episodes in the robot's units with actions in [−1, 1]. Not needed where a checkpoint is resumed. */
  readonly demonstrations: readonly Episode[];
  /** The number of gradient updates for each transition of the policy. Fractions add up. */
  readonly updatesPerTransition: number;
  /** The number of first transitions, whose actions are random, that pay for no update. It is 0 where it is not given. */
  readonly randomSteps?: number;
  /** Where checkpoints are written, and when. */
  readonly checkpoint?: CheckpointPlan;
  /** For a fleet, whose segments come faster than they can be learned from. Without it each segment pays for its updates. */
  readonly fleet?: FleetPace;
  /** The number of segments from one policy that could be deployed to the next. Without it none comes with the progress. */
  readonly candidateSegments?: number;
  /** Whether learning goes on from the newest whole generation in that folder. */
  readonly resume?: boolean;
  /** The device that updates run on, `cpu` where it is not given. */
  readonly device?: Device;
  /** The number of threads on the CPU. */
  readonly threads?: number;
  /** The niceness of the process, from 0 (the default) to 19: the higher it is, the more CPU time other processes get. */
  readonly nice?: number;
  /** Facts that every bundle's manifest holds beside the counters, such as the names of the robot and the run. */
  readonly summary?: TrainingSummary;
}

/**
 * How a fleet's segments are learned from: they are added to the buffer as they come, however many updates are owed, so
 * that a learner that is behind learns from what is new.
 */
export interface FleetPace {
  /** The number of updates after which there is a new policy; fewer where no more are owed. */
  readonly updatesPerPolicy: number;
  /** The number of updates that may be owed. What segments pay for beyond it is skipped, and counted in the metrics. */
  readonly mostOwed: number;
}

/** Where generations of checkpoints are written, and when. */
export interface CheckpointPlan {
  readonly folder: string;
  /** The number of segments from one to the next. */
  readonly everySegments: number;
  /** The least time from one to the next, in seconds; and no more than a twentieth of the time goes into writing them. */
  readonly leastSeconds?: number;
}

/** Transitions of the policy, row after row. */
export interface Segment extends LearnerRows {
  /** An element is 1 where a person had taken over, if what a person does counts as a demonstration. */
  readonly demonstrated: Uint8Array;
  /**
   * Whole demonstrations that came while learning, in the robot's units with actions in [−1, 1]. They are added as those at
   * the start are, and pay for no update.
   */
  readonly demonstrations?: readonly Episode[];
  /** The robot of a fleet that made each transition; absent where there is no fleet. */
  readonly robots?: readonly string[];
}

/** How far learning has come after a segment, or at the start. */
export interface LearningProgress {
  /** The number of segments that were learned from, which is also the version of the policy. */
  readonly version: number;
  /** The number of gradient updates so far. */
  readonly updates: number;
  /** The number of the policy's own transitions so far. */
  readonly transitions: number;
  /** The number of expert transitions in the buffer: those of demonstrations, and those of takeovers where they count. */
  readonly demonstrations: number;
  /** The means of the metrics over the segment's updates. There are none before the first segment. */
  readonly metrics: Metrics;
  /** The time that the segment's updates took, in seconds. */
  readonly seconds: number;
  /** The policy that acts while learning goes on: the actor as it is now. */
  readonly bundle: PolicyBundle;
  /** The policy to deploy at this moment, its running average where the agent has one; see `candidateSegments`. */
  readonly candidate?: PolicyBundle;
}

/** The rewards that the critic implies, one for each step, and the number of gradient updates that it had had. */
export interface RecoveredRewards {
  readonly rewards: Float32Array;
  readonly updates: number;
}

/**
 * What a session (whoever conducts a run) wants to find again when the run is resumed: for example how far the robot has
 * come in its episode. Learning does not look into it. It travels with a segment and is written into the same generation
 * as the learner that has that segment, so that both are always of one moment.
 */
export type SessionState = Checkpoint;

/**
 * Where learning begins. A run that is resumed has the policy that was published before its newest segment was added,
 * since acting is one segment ahead of learning; the newest segment's own policy is its first progress.
 */
export interface LearningStart extends LearningProgress {
  /** The number of segments that were added, the newest one included, whose updates may not all be made. */
  readonly segments: number;
  /** The session's state that came with the newest segment. */
  readonly session: SessionState | undefined;
}

/** A message to the learning process. */
export type LearnerRequest =
  | { readonly kind: 'start'; readonly options: LearningOptions }
  | { readonly kind: 'segment'; readonly segment: Segment; readonly session: SessionState | undefined }
  | { readonly kind: 'recover'; readonly id: number; readonly episode: Episode }
  | { readonly kind: 'deployed'; readonly id: number }
  | { readonly kind: 'save'; readonly id: number }
  | { readonly kind: 'pause'; readonly paused: boolean }
  | { readonly kind: 'stop'; readonly save: boolean };

/** A message of the learning process. */
export type LearnerReply =
  | { readonly kind: 'ready'; readonly start: LearningStart }
  | { readonly kind: 'progress'; readonly progress: LearningProgress }
  | { readonly kind: 'warning'; readonly message: string }
  /** A checkpoint was written that holds so many segments. */
  | { readonly kind: 'saved'; readonly segments: number }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: PackedError }
  /** Learning cannot go on. `restored` is the generation that the learner was set back to, if there was one. */
  | { readonly kind: 'failed'; readonly error: PackedError; readonly restored: number | null }
  | { readonly kind: 'stopped'; readonly generation: number | null };
