import type { Episode } from '../../learning/index.js';
import type { BacklogGate, StreamPlace } from '../../link/index.js';
import type { PolicyBundleMessage } from '../../messages/index.js';
import type { RobotView } from '../../nodes/index.js';
import type { Logger } from '../../platform/index.js';
import type { RobotSpec } from '../../robot/index.js';
import type { RolloutSettings } from '../../sessions/index.js';
import type { RecordingOutcomes } from './arrived-recordings.js';

export interface FleetParts {
  readonly spec: RobotSpec;
  readonly robots: readonly string[];
  readonly rollout: RolloutSettings;
  /** As learning takes them. */
  readonly demonstrations: readonly Episode[];
  /** Whether only states are compared, because nobody has seen the actions of the demonstrations. */
  readonly statesOnly: boolean;
  /** Folder of what has to be known again after a start. */
  readonly folder: string;
  /** Segments between two policies that one can go back to. */
  readonly spacing: number;
  readonly logger: Logger;
  readonly view: (robot: string) => RobotView;
  readonly send: (robot: string, policy: PolicyBundleMessage) => void;
  /** What became of the recordings that the robot sent. */
  readonly recordings?: (robot: string) => RecordingOutcomes;
  /** How much waits for the learner. */
  readonly gate?: Pick<BacklogGate, 'backlog' | 'most' | 'isClosed'>;
  /** Told of a transition that is left out for good. */
  readonly leaveOut: (robot: string, place: StreamPlace) => void;
}
