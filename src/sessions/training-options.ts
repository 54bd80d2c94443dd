import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { Device } from '../engine/index.js';
import type { LearnerConfig } from '../learning/index.js';
import type { PolicyBundle, TrainingSummary } from '../policy/index.js';
import { contractOf } from '../robot/index.js';
import type { CandidateScore, ComparedScore, LearningOptions } from '../training/index.js';
import type { Transport } from '../transport/index.js';
import type { CandidateSettings } from './candidates.js';
import type { EpisodeOutcome } from './conductor.js';
import { learningEpisode } from './learning-episode.js';
import type { RigOptions } from './rig.js';

/** The options of a training session. */
export interface TrainingOptions extends RigOptions {
  /** The demonstrations. Where a checkpoint is resumed they are needed for comparing `candidates` alone. */
  readonly demonstrations: readonly DemonstrationEpisode[];
  readonly config: LearnerConfig;
  readonly seed: number;
  /** The number of steps that the policy makes in all. It is rounded up to whole segments. */
  readonly transitions: number;
  /** The number of transitions from one policy to the next. */
  readonly segmentSize: number;
  /** The number of gradient updates for each transition. It may be a fraction. */
  readonly updatesPerTransition: number;
  /** The number of first steps, which take uniformly random actions and no update. It is 0 where it is not given. */
  readonly randomSteps?: number;
  /** The device that updates run on, `cpu` where it is not given. */
  readonly device?: Device;
  readonly threads?: number;
  readonly checkpoint?: { readonly folder: string; readonly everySegments: number };
  readonly resume?: boolean;
  /** Topics of a learner elsewhere, which a link joins with the robot's; the robot's own topics if not given. */
  readonly learnerTransport?: Transport;
  readonly summary?: TrainingSummary;
  /**
   * Compares the policy of every so many segments with the demonstrations beside the training, and deploys the one that
   * is nearest to them instead of the last. See `CandidateChoice`.
   */
  readonly candidates?: CandidateSettings;
  readonly onProgress?: (point: TrainingPoint) => void;
  /** Called for every episode that the learning policy drove. Its actions were samples of the policy. */
  readonly onRollout?: (rollout: Rollout) => void;
  /** A candidate has been compared: along the run, or again (`final`) with the other best ones at its end. */
  readonly onCandidate?: (candidate: ComparedCandidate) => void;
  /** How many episodes of the comparison at the end have been driven, of how many. */
  readonly onComparing?: (done: number, total: number) => void;
}

/** A candidate with its score. */
export interface ComparedCandidate extends CandidateScore {
  /** Own steps of the policy when it was taken. */
  readonly transitions: number;
  /** Of the policies whose mean it is, where it is one. */
  readonly meanOf?: readonly number[];
  readonly final: boolean;
}

/** How far training has come after a segment. */
export interface TrainingPoint {
  /** The time since training began. */
  readonly seconds: number;
  readonly version: number;
  readonly transitions: number;
  readonly updates: number;
  /** The means of the metrics over the segment's updates. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** An episode that the learning policy drove. */
export interface Rollout extends EpisodeOutcome {
  /** The time from the beginning of training to the episode's end. */
  readonly seconds: number;
  /** The number of steps that the policy had made when the episode ended. */
  readonly transitions: number;
}

/** How training ended. */
export interface TrainingOutcome {
  readonly version: number;
  readonly transitions: number;
  readonly updates: number;
  readonly seconds: number;
  /** The policy to deploy: the one that was chosen, or the last where none was compared. */
  readonly bundle: PolicyBundle;
  /** How the chosen policy compares; absent where the last is deployed without a comparison. */
  readonly chosen?: ComparedScore;
  /** Whether the signal ended training early. */
  readonly interrupted: boolean;
  /**
   * The version at which learning converged, where that ended training. The chosen policy is one of those up to there
   * whenever the robot was told; how far the run had gone on by then is a matter of timing.
   */
  readonly converged?: number;
}

/** A training session's options as the process that learns takes them. */
export function learningOptions(
  options: TrainingOptions,
  demonstrations: readonly DemonstrationEpisode[],
): LearningOptions {
  const { spec, config, seed, updatesPerTransition, randomSteps = 0 } = options;
  const { checkpoint, candidates, resume, device, threads, summary } = options;
  return {
    config,
    contract: contractOf(spec),
    seed,
    demonstrations: demonstrations.map((episode) => learningEpisode(episode, spec)),
    updatesPerTransition,
    randomSteps,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(candidates === undefined ? {} : { candidateSegments: candidates.everySegments }),
    ...(resume === undefined ? {} : { resume }),
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
    summary: { ...summary, robot: spec.robot, demonstrations: demonstrations.length },
  };
}
