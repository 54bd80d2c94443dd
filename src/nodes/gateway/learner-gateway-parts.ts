import type { BacklogGate, Pace, PolicySigner, StreamPlace } from '../../link/index.js';
import type { MessageTypes, PolicyStatus, Transition, TransitionShape } from '../../messages/index.js';
import type { Transport } from '../../transport/index.js';
import type { LocalRecords } from './local-records.js';
import type { TakeSlice } from './row-intake.js';

export interface LearnerGatewayParts {
  /** The robot's identity in its fleet. */
  readonly robot: string;
  /** Topics of this robot over the link. */
  readonly link: Transport;
  readonly signer: Pick<PolicySigner, 'sign'>;
  /** Where the learner's checkpoint has the robot's stream. */
  readonly start?: StreamPlace;
  /** Whether a transition may go to the learner, asked of each in its order; one that may not is left out for good. */
  readonly admits?: (transition: Transition, place: StreamPlace) => boolean;
  /** The robot gets only the policies of {@link LearnerGateway.send}, instead of each that the learner publishes. */
  readonly sendsWhenAsked?: boolean;
  /** Takes the transitions, if the learner is in this process; else they are published on the learner's topic. */
  readonly learn?: (transition: Transition) => void;
  /**
   * Takes transitions in rows instead of `admits`, `onTransition` and `learn`, wherever a robot's transitions are one
   * vector of named numbers and come as they should; all others take those. For a learner in this process.
   */
  readonly rows?: { readonly shape: TransitionShape; readonly take: TakeSlice };
  /** Told of each transition, before the learner gets it, and its place in the stream. */
  readonly onTransition?: (transition: Transition, place: StreamPlace) => void;
  /** Shared by all gateways on the same topics, and closed by whoever made it. */
  readonly local?: LocalRecords;
  /** Shared by all gateways of a learner: says when it has too much already. */
  readonly gate?: Pick<BacklogGate, 'look' | 'isClosed' | 'isFull'>;
  /** What is asked of the robot; that of a fleet of one if not given. */
  readonly pace?: Pace;
}

/** What the learner's side knows of a robot. */
export interface RobotView {
  readonly robot: string;
  /** ONLINE, OFFLINE, CONNECTIONBROKEN; empty where it was never there. */
  readonly presence: string;
  /** Of the last message, in milliseconds of the time of day; 0 where there was none. */
  readonly seenMs: number;
  readonly gateway: MessageTypes['iq_learn_link/msg/GatewayStatus'] | undefined;
  readonly policy: PolicyStatus | undefined;
  readonly records: number;
  readonly repeated: number;
  readonly refused: number;
  /** Of the batch that is taken now or was last; undefined where the broker carries no traces. */
  readonly trace: string | undefined;
}

/** What a position asks of a robot beside saying how far its stream has come. */
export function askedFor(pace: Pace, gate: Pick<BacklogGate, 'isClosed'> | undefined, again: boolean) {
  return {
    gather_ms: pace.gatherMs,
    status_ms: pace.statusMs,
    window_bytes: pace.windowBytes,
    hold: gate?.isClosed ?? false,
    again,
  };
}
