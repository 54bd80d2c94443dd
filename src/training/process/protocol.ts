import type { BlockArray, PackedError, PerBlock } from '../../common/index.js';
import type { Device } from '../../engine/index.js';
import type { Episode, LearnerConfig, Metrics } from '../../learning/index.js';
import type { Checkpoint } from '../../platform/index.js';
import type { PolicyBundle, PolicyContract, TrainingSummary } from '../../policy/index.js';

/** What learning is started with. Plain data: it crosses a process border. */
export interface LearningOptions {
  readonly config: LearnerConfig;
  /** Of the robot; sizes and the range of actions come from it. */
  readonly contract: PolicyContract;
  readonly seed: number;
  /** Episodes in the robot's units with actions in [−1, 1]. Not needed where a checkpoint is resumed. */
  readonly demonstrations: readonly Episode[];
  /** Updates for each transition of the policy; fractions add up. */
  readonly updatesPerTransition: number;
  /** The policy's first transitions, which are random and pay for no update; 0 if not given. */
  readonly randomSteps?: number;
  /** Where generations of checkpoints go, and after how many segments each. */
  readonly checkpoint?: { readonly folder: string; readonly everySegments: number };
  /** Goes on from the newest whole generation in the checkpoint folder. */
  readonly resume?: boolean;
  /** What updates run on, `cpu` by default. */
  readonly device?: Device;
  /** Threads on the CPU. */
  readonly threads?: number;
  /** How far the process steps back behind others that want the CPU, 0 (the default) to 19; see nice(1). */
  readonly nice?: number;
  /** Told of every bundle beside the counters: names of robot, run, demonstrations. */
  readonly summary?: TrainingSummary;
}

/** n transitions of the policy: n rows of each block of the observations, n × a of actions in [−1, 1], row-major. */
export interface Segment {
  readonly length: number;
  readonly observations: PerBlock<BlockArray>;
  readonly actions: Float32Array;
  readonly nextObservations: PerBlock<BlockArray>;
  /** 1 where the next observation is a true terminal state. */
  readonly terminated: Uint8Array;
  /** 1 where a person had taken over and what they did counts as demonstration; all 0 where it does not. */
  readonly demonstrated: Uint8Array;
}

/** Where learning stands after a segment (or at the start). */
export interface LearningProgress {
  /** Segments learned from; the version of the policy. */
  readonly version: number;
  readonly updates: number;
  /** Of the policy. */
  readonly transitions: number;
  /** Expert transitions held: demonstrated, and of takeovers where they count. */
  readonly demonstrations: number;
  /** Means over the segment's updates; empty before the first. */
  readonly metrics: Metrics;
  /** Time spent on the segment's updates. */
  readonly seconds: number;
  readonly bundle: PolicyBundle;
}

/** Rewards that the critic implies, one a step, and the gradient updates it had had. */
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
  /** Segments added, with the newest one, whose updates may not all be made. */
  readonly segments: number;
  /** What came with the newest segment. */
  readonly session: SessionState | undefined;
}

export type LearnerRequest =
  | { readonly kind: 'start'; readonly options: LearningOptions }
  | { readonly kind: 'segment'; readonly segment: Segment; readonly session: SessionState | undefined }
  | { readonly kind: 'recover'; readonly id: number; readonly episode: Episode }
  | { readonly kind: 'save'; readonly id: number }
  | { readonly kind: 'pause'; readonly paused: boolean }
  | { readonly kind: 'stop'; readonly save: boolean };

export type LearnerReply =
  | { readonly kind: 'ready'; readonly start: LearningStart }
  | { readonly kind: 'progress'; readonly progress: LearningProgress }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: PackedError }
  /** Learning cannot go on; `restored` is the generation the learner was set back to. */
  | { readonly kind: 'failed'; readonly error: PackedError; readonly restored: number | null }
  | { readonly kind: 'stopped'; readonly generation: number | null };
