import type { ChosenTopics } from './choose-topics.js';
import type { JointRange } from './joint-ranges.js';
import type { ChangeSurvey } from './survey-changes.js';
import type { FrozenStretch } from './survey-frozen.js';
import type { CommandSurvey, ImuSurvey, ScanSurvey, TwistSurvey } from './survey-messages.js';
import type { ReasonCounts, SampleReport } from './tick.js';

/** What was read from a recording, and what was left out. */
export interface RecordingReport extends SampleReport {
  readonly path: string;
  /** What could not be read, for people: damage, missing files. */
  readonly problems: readonly string[];
  readonly episodes: number;
  readonly transitions: number;
  /** Episodes that the operator discarded. */
  readonly discarded: number;
  readonly clockJumps: number;
  /** Episodes that were left out because a damaged place took away their start or end. */
  readonly uncertain?: number;
  /** Messages whose bytes do not decode as their type. */
  readonly undecodable: number;
  /** Which topics they are of, and why they do not decode. */
  readonly undecodableReasons?: ReasonCounts;
  /** What the messages said of joints, before limits, of scans, of commands beside the action; what changed in the middle, and sensors that hung. */
  readonly surveyed?: {
    readonly joints: readonly JointRange[];
    readonly scans: readonly ScanSurvey[];
    readonly imus: readonly ImuSurvey[];
    readonly twists: readonly TwistSurvey[];
    readonly commands: readonly CommandSurvey[];
    readonly changes: readonly ChangeSurvey[];
    readonly frozen: readonly FrozenStretch[];
    /** Whether it says where episodes begin and end: it cannot be cut within one. */
    readonly hasMarkers: boolean;
  };
  /** The topics that carry the actions, separated by commas. */
  readonly actionTopic: string;
  /** The other topics that could carry the actions, where it has messages. */
  readonly otherAction?: ChosenTopics['other'];
}

export interface DemonstrationReport {
  readonly recordings: readonly RecordingReport[];
  readonly episodes: number;
  readonly transitions: number;
}
