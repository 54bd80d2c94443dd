export type SafetyState = 'RUNNING' | 'HOLDING' | 'TAKEOVER' | 'ESTOP' | 'FAULT';

/** What is known in one control cycle. Times are of the steady clock; actions are in the spec's order and units. */
export interface SafetyInput {
  readonly nowNs: bigint;
  /** The policy's action, if a new one arrived since the last cycle; an earlier one stays valid until it expires. */
  readonly action: Float32Array | null;
  /** Until when the action may be executed. An action without an expiry is not executed. */
  readonly actionExpiryNs: bigint | null;
  /** Stamp of the observation that the action was computed from: an action from an older observation than the last executed one is dropped. */
  readonly actionStampNs?: bigint | null;
  /** Why the policy gives no action, for people, where there is one to blame: no policy has come. */
  readonly actionProblem?: string | undefined;
  /** Age of the robot's state in milliseconds; null while it is unknown. */
  readonly observationStampAgeMs: number | null;
  /** Why it is unknown or old, for people: topics and what is wrong with them. */
  readonly observationProblem?: string | undefined;
  /** The newest action that a person's teleoperation sent since the last cycle, or null. */
  readonly takeover: Float32Array | null;
  /** When that command expires; default: the longest timeout of a teleoperation topic from now, which is also the most. */
  readonly takeoverUntilNs?: bigint | undefined;
  readonly estop: boolean;
  /** True while the dead-man button is not held; false for a robot without one. While a person drives, letting go ends in a latched stop. */
  readonly deadmanReleased?: boolean;
  /** When the e-stop last reported that it is released; null before the first report. Only used if `heartbeatTimeoutMs` is set. */
  readonly heartbeatNs: bigint | null;
  /** Set if the event loop was blocked for this long: this cycle stops the robot and drops the policy's pending action. */
  readonly blockedMs?: number | undefined;
}

export interface SafetyOutput {
  /** What to send, and to record as executed. Always finite and within the limits. */
  readonly command: Float32Array;
  /** `hold`: stopped, and continues by itself once data are fresh. `stop`: latched, or a person's command that cannot be used. */
  readonly source: 'policy' | 'takeover' | 'hold' | 'stop';
  readonly state: SafetyState;
  /** Why the filter is in this state, for people; empty while running. */
  readonly reason: string;
  /** Whether the command was brought within the limits. */
  readonly clamped: boolean;
  /** Whether the command was slowed down to the largest rate. */
  readonly rateLimited: boolean;
  /** Seconds in which the robot may get there without exceeding a largest rate; at least a control period. */
  readonly reachSeconds: number;
}

export interface SafetyOptions {
  /** Age of the state from which the robot is stopped. Default: the longest finite timeout of the spec's state topics. */
  readonly staleMs?: number;
  /** Time without teleoperation after which the policy drives again. Default 500, as in twist_mux; never less than the teleop topic's timeout. */
  readonly quietMs?: number;
  /** An action beyond its limits by more than this share of their range is a fault; by less, it is clamped. Default 0.5. */
  readonly overshoot?: number;
  /** Longest time between two heartbeats of the e-stop; null (the default) for a robot without one. */
  readonly heartbeatTimeoutMs?: number | null;
  /**
   * What letting go of the dead-man button while driving does. `latch` (the default) stops until a reset, because
   * otherwise the policy would take over. `hold` stops until the button is held again; for setups without a policy.
   */
  readonly deadman?: 'latch' | 'hold';
  /** The command that holds at the start: the joints' positions. Required where a stop holds something, as there is nothing else to hold. */
  readonly initial?: ArrayLike<number>;
}

/** Event counts for status messages and diagnostics. */
export interface SafetyCounters {
  /** Calls of `step`. */
  readonly cycles: number;
  /** Commands that were brought within the limits. */
  readonly clamped: number;
  /** Commands that were slowed down to the largest rate. */
  readonly rateLimited: number;
  /** Times that the policy's action expired before the next one arrived. */
  readonly overruns: number;
  /** Actions that arrived expired, or without an expiry. */
  readonly expired: number;
  /** Actions from an older observation than one already executed. */
  readonly outdated: number;
  /** Cycles stopped because the state was too old or unknown. */
  readonly stale: number;
  /** Teleoperation commands that are not finite or have a wrong length. */
  readonly badTakeovers: number;
  /** Actions of the policy that latched FAULT. */
  readonly faults: number;
  /** Times that ESTOP was latched: e-stop, missing heartbeat, or dead-man button. */
  readonly estops: number;
}

/**
 * The last stage before the robot: a state machine that trusts none of its inputs. It has no timers: `step` is called
 * in every control period, and whenever a message of teleoperation or of the e-stop arrives.
 */
export interface SafetyFilter {
  step(input: SafetyInput): SafetyOutput;
  /**
   * Ends a latched stop (service ~/reset_fault) if in the last cycle the e-stop was released, its heartbeat present and
   * the state fresh; otherwise returns why not. It never moves the robot by itself: the next fresh action does.
   */
  reset(): { readonly ok: boolean; readonly reason: string };
  /** Where a stop holds something and nothing drives: takes the joints' positions as the current command. Throws INVALID_ARGUMENT. */
  seed(command: ArrayLike<number>): void;
  /** The last command: what a stop holds. */
  readonly command: Float32Array;
  readonly state: SafetyState;
  readonly counters: SafetyCounters;
}
