import type { SteadyClock } from '../../common/index.js';
import type { TaskState } from '../../messages/index.js';
import type { ObservationAssembler, RobotSpec } from '../../robot/index.js';
import type { ActionSource } from './action-source.js';
import type { BundleInbox } from './bundle-inbox.js';
import type { CommandOutput } from './command-output.js';
import type { TransitionPublisher } from './transition-publisher.js';

/** The parts of the policy node that its control loop works with. */
export interface LoopParts {
  readonly spec: RobotSpec;
  readonly clock: SteadyClock;
  readonly assembler: ObservationAssembler;
  readonly actions: ActionSource;
  readonly commands: CommandOutput;
  readonly inbox: BundleInbox;
  readonly transitions: TransitionPublisher;
  /** Commands that the first episode begins with, before the policy is asked. */
  readonly replay: Float32Array[];
  /** Whether the policy is to give no action. A person may still drive. */
  readonly paused: () => boolean;
  readonly fail: (error: unknown) => void;
  /** Called when the event loop was blocked for this long, and the robot was stopped. */
  readonly blocked: (ms: number) => void;
}

/**
 * One of the two ways in which the policy node keeps time: in step with a simulator ({@link LockstepLoop}) or on the
 * steady clock ({@link RealtimeLoop}). The node passes on what arrives; the loop decides when the robot is commanded.
 */
export interface ControlLoop {
  takeTask(task: TaskState): void;
  /** A message of a state topic has arrived; `accepted` is false if the assembler dropped it. */
  takeState(topic: string, accepted: boolean): void;
  /** The takeover detector has accepted a person's command, with this stamp if the message has one. */
  takeTeleop(stampNs: bigint | undefined): void;
  /** The e-stop or the dead-man button has changed. */
  takeEstop(): void;
  /** A policy has arrived and passed its checks, or the policy may go on after a pause. */
  takePolicy(): void;
  /** The policy was paused: stops the robot now. */
  hold(): void;
  /** The stamp of a command that is sent now. */
  readonly stampNs: bigint;
  readonly task: TaskState | undefined;
  /** Why only a person may drive now; empty while the policy may. */
  readonly standby: string;
  /** Control periods whose deadline passed before there was an action. */
  readonly overruns: number;
  /** How often the event loop was blocked for longer than its budget. */
  readonly lags: number;
  /** Milliseconds from the state's arrival to the command, of the last step. */
  readonly latencyMs: number;
  close(): void;
}
