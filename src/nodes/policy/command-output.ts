import type { JointState, MessageTypeName, MessageTypes } from '../../messages/index.js';
import {
  type ActionMapper,
  createActionMapper,
  createDeadMan,
  createSafetyFilter,
  createTakeoverDetector,
  type DeadMan,
  type RobotSpec,
  type SafetyCounters,
  type SafetyFilter,
  type SafetyOptions,
  type SafetyOutput,
  type TakeoverDetector,
} from '../../robot/index.js';
import type { Publisher } from '../../transport/index.js';

/** A decision to be put through the safety filter. */
export interface Decision {
  /** On a clock that never goes back. */
  readonly nowNs: bigint;
  /** When the state was seen that the action answers, on the same clock. */
  readonly seenNs: bigint;
  /** For the message: the stamp of that state. */
  readonly stampNs: bigint;
  /** The policy's action, or null where it has none to give. */
  readonly action: Float32Array | null;
  readonly expiryNs: bigint;
  /** null: the state is not known. */
  readonly stateAgeMs: number | null;
  /** The event loop was blocked for so long: a stop. */
  readonly blockedMs?: number;
}

export interface HelmEvents {
  /** The safety filter is in another state. */
  changed(): void;
  /** A command went out. */
  sent(): void;
}

/**
 * The last stretch to the robot: safety filter, takeover, e-stop and the command topic. Nothing is published that did
 * not pass the filter, except the stop.
 */
export class CommandOutput {
  readonly #spec: RobotSpec;
  readonly #options: SafetyOptions;
  readonly #publisher: Publisher<MessageTypes[MessageTypeName]>;
  readonly #mapper: ActionMapper;
  readonly takeover: TakeoverDetector;
  /** Undefined where the robot's description names no such button. */
  readonly deadman: DeadMan | undefined;
  #filter: SafetyFilter | undefined;
  #joints = new Map<string, number>();
  readonly #events: HelmEvents;
  #estop = false;
  /** Pressed since the filter was last asked, however shortly. */
  #pressed = false;
  #heartbeatNs: bigint | null = null;
  #last: { readonly stampNs: bigint; readonly message: MessageTypes[MessageTypeName] } | undefined;
  #output: SafetyOutput | undefined;
  #begun = 0;
  #begunStale = 0;

  constructor(
    spec: RobotSpec,
    options: SafetyOptions,
    publisher: Publisher<MessageTypes[MessageTypeName]>,
    events: HelmEvents,
  ) {
    this.#spec = spec;
    this.#events = events;
    this.#options = options;
    this.#publisher = publisher;
    this.#mapper = createActionMapper(spec);
    this.takeover = createTakeoverDetector(spec, createActionMapper(spec, spec.teleop));
    if (spec.teleop.deadman !== undefined) this.deadman = createDeadMan(spec.teleop.deadman);
    if (spec.stopMode === 'zero') this.#filter = createSafetyFilter(spec, options);
  }

  get filter(): SafetyFilter | undefined {
    return this.#filter;
  }

  /** What the filter said last. */
  get output(): SafetyOutput | undefined {
    return this.#output;
  }

  /** What the filter counted; the cycle that begins an episode is no stop. */
  get counters(): SafetyCounters | undefined {
    const counters = this.#filter?.counters;
    return counters && { ...counters, cycles: counters.cycles - this.#begun, stale: counters.stale - this.#begunStale };
  }

  get latched(): boolean {
    return this.#filter?.state === 'ESTOP' || this.#filter?.state === 'FAULT';
  }

  get estop(): boolean {
    return this.#estop || this.#pressed;
  }

  /** Takes the e-stop topic: true is pressed. */
  press(estop: boolean, nowNs: bigint): void {
    this.#estop = estop;
    if (estop) this.#pressed = true;
    else this.#heartbeatNs = nowNs;
  }

  /** Remembers where the joints are: what a robot that holds is told to hold. */
  seeJoints(message: JointState): void {
    for (let i = 0; i < message.name.length; i++) {
      const position = message.position[i];
      if (position !== undefined && Number.isFinite(position)) this.#joints.set(message.name[i]!, position);
    }
  }

  /**
   * An episode begins with the robot at rest: the first command may move as far as one period allows from there.
   * Latched stops stay. `nowNs` is one period before the first command.
   */
  begin(nowNs: bigint): void {
    const held = this.#held();
    if (this.#spec.stopMode === 'hold' && held === undefined) return;
    this.#filter ??= createSafetyFilter(this.#spec, { ...this.#options, initial: held! });
    const idle = { nowNs, action: null, actionExpiryNs: null, observationStampAgeMs: null, takeover: null };
    const { stale } = this.#filter.counters;
    this.#filter.step({ ...idle, estop: this.estop, heartbeatNs: this.#heartbeatNs });
    this.#begun++;
    this.#begunStale += this.#filter.counters.stale - stale;
    if (this.#spec.stopMode === 'hold') this.#filter.seed(held!);
  }

  /** Puts a decision (and what a person said meanwhile) through the filter and publishes what comes out. */
  steer({ nowNs, seenNs, stampNs, action, expiryNs, stateAgeMs, blockedMs }: Decision): SafetyOutput | undefined {
    if (this.#filter === undefined) this.begin(nowNs);
    if (this.#filter === undefined) return undefined;
    const output = this.#filter.step({
      nowNs,
      action,
      actionExpiryNs: action === null ? null : expiryNs,
      actionStampNs: seenNs,
      observationStampAgeMs: stateAgeMs,
      takeover: this.takeover.take(),
      estop: this.estop,
      deadmanReleased: this.deadman?.held(nowNs) === false,
      heartbeatNs: this.#heartbeatNs,
      ...(blockedMs === undefined ? {} : { blockedMs }),
    });
    this.#pressed = false;
    const changed = output.state !== this.#output?.state;
    this.#output = output;
    this.#send(output.command, stampNs);
    if (changed) this.#events.changed();
    return output;
  }

  /** Says the last command once more, if it answered this state. */
  repeat(stampNs: bigint): void {
    if (this.#last?.stampNs === stampNs) this.#publisher.publish(this.#last.message);
  }

  /** Stops the robot, whatever state the filter is in. */
  stop(stampNs: bigint): void {
    const command =
      this.#spec.stopMode === 'zero'
        ? this.#spec.action.map(({ low, high }) => Math.min(Math.max(0, low), high))
        : (this.#output?.command ?? this.#held());
    if (command !== undefined) this.#send(command, stampNs);
  }

  #send(command: ArrayLike<number>, stampNs: bigint): void {
    const message = this.#mapper.toMessage(command, stampNs);
    this.#last = { stampNs, message };
    this.#publisher.publish(message);
    this.#events.sent();
  }

  /** The joints' positions as a command; velocities and efforts hold at 0. Undefined where a joint is not known. */
  #held(): number[] | undefined {
    const held = this.#spec.action.map(({ path, quantity, low, high }) =>
      Math.min(Math.max(quantity === 'position' ? (this.#joints.get(path) ?? Number.NaN) : 0, low), high),
    );
    return held.every(Number.isFinite) ? held : undefined;
  }
}
