import type { JointState } from '../../messages/index.js';
import {
  CommandMapper,
  createDeadMan,
  createSafetyFilter,
  type DeadMan,
  type PartMessage,
  type RobotSpec,
  type SafetyCounters,
  type SafetyFilter,
  type SafetyOptions,
  type SafetyOutput,
  Takeover,
} from '../../robot/index.js';
import { ForeignCommands } from './foreign-commands.js';

/** A decision of the control loop, before the safety filter. All times are in nanoseconds. */
export interface Decision {
  /** The present time, on a clock that never goes back. */
  readonly nowNs: bigint;
  /** When the state was seen that the action answers, on the same clock. */
  readonly seenNs: bigint;
  /** The stamp of that state, for the message. */
  readonly stampNs: bigint;
  /** The policy's action, or null if it gives none. */
  readonly action: Float32Array | null;
  /** When the action expires. */
  readonly expiryNs: bigint;
  /** Age of the state; null if the state is not known. */
  readonly stateAgeMs: number | null;
  /** Why it is not known, for people. */
  readonly stateProblem?: string;
  /** Why there is no action, for people: no policy has come. */
  readonly actionProblem?: string | undefined;
  /** The event loop was blocked for this long: a reason to stop. */
  readonly blockedMs?: number;
}

export interface CommandEvents {
  /** The present time on the clock of stamps; undefined in lockstep, where a command has the stamp of the state that it answers. */
  readonly stampNow?: () => bigint;
  /** The present time on the steady clock; undefined in lockstep, where no other commands the robot. */
  readonly nowNs?: () => bigint;
  /** The safety filter has changed its state. */
  changed(): void;
  /** A command was published. */
  sent(): void;
}

/**
 * The only way to the command topics: safety filter, takeover and e-stop. Nothing is published that did not pass the
 * filter, except a stop. Of a robot with several command topics one filter decides for all of them, in the same cycle.
 */
export class CommandOutput {
  readonly #spec: RobotSpec;
  readonly #options: SafetyOptions;
  readonly #publish: (message: PartMessage) => void;
  readonly #mapper: CommandMapper;
  readonly takeover: Takeover;
  readonly foreign: ForeignCommands;
  /** Whether a stop has to know where something is, to hold it there. */
  readonly #holds: boolean;
  /** Undefined if the robot's description names no dead-man button. */
  readonly deadman: DeadMan | undefined;
  #filter: SafetyFilter | undefined;
  #joints = new Map<string, number>();
  readonly #events: CommandEvents;
  #estop = false;
  /** The e-stop was pressed since the filter ran last, however briefly. */
  #pressed = false;
  #heartbeatNs: bigint | null = null;
  #last: { readonly stampNs: bigint; readonly messages: readonly PartMessage[] } | undefined;
  #output: SafetyOutput | undefined;
  /** Cycles in which an episode began, and how many of them the filter counted as stale. */
  #beginCycles = 0;
  #beginStale = 0;

  constructor(spec: RobotSpec, options: SafetyOptions, publish: (message: PartMessage) => void, events: CommandEvents) {
    this.#spec = spec;
    this.#events = events;
    this.#options = options;
    this.#publish = publish;
    this.#mapper = new CommandMapper(spec, (command) => command);
    this.takeover = new Takeover(spec);
    this.foreign = new ForeignCommands(spec);
    this.#holds = spec.action.some(({ stop }) => stop === 'hold');
    if (spec.deadman !== undefined) this.deadman = createDeadMan(spec.deadman);
    if (!this.#holds) this.#filter = createSafetyFilter(spec, options);
  }

  get filter(): SafetyFilter | undefined {
    return this.#filter;
  }

  /** The last output of the filter. */
  get lastOutput(): SafetyOutput | undefined {
    return this.#output;
  }

  /** The filter's counters, without the cycles that only tell it that an episode begins. */
  get counters(): SafetyCounters | undefined {
    const counters = this.#filter?.counters;
    return (
      counters && { ...counters, cycles: counters.cycles - this.#beginCycles, stale: counters.stale - this.#beginStale }
    );
  }

  /** A stop that only a reset ends. */
  get latched(): boolean {
    return this.#filter?.state === 'ESTOP' || this.#filter?.state === 'FAULT';
  }

  get estop(): boolean {
    return this.#estop || this.#pressed;
  }

  /** Takes a message of the e-stop topic; true means pressed. A message that is false is also its heartbeat. */
  setEstop(estop: boolean, nowNs: bigint): void {
    this.#estop = estop;
    if (estop) this.#pressed = true;
    else this.#heartbeatNs = nowNs;
  }

  /** Remembers where the joints are: a robot that stops by holding is commanded to these positions. */
  updateJoints(message: JointState): void {
    for (let i = 0; i < message.name.length; i++) {
      const position = message.position[i];
      if (position !== undefined && Number.isFinite(position)) this.#joints.set(message.name[i]!, position);
    }
  }

  /**
   * Tells the filter that an episode begins with the robot at rest: the first command may differ from that by as much as
   * one period allows. Latched stops stay latched. `nowNs` is one period before the first command.
   */
  beginEpisode(nowNs: bigint): void {
    const held = this.#held();
    if (held.some(Number.isNaN)) return;
    this.#filter ??= createSafetyFilter(this.#spec, { ...this.#options, initial: held });
    const idle = { nowNs, action: null, actionExpiryNs: null, observationStampAgeMs: null, takeover: null };
    const { stale } = this.#filter.counters;
    this.#filter.step({ ...idle, estop: this.estop, heartbeatNs: this.#heartbeatNs });
    this.#beginCycles++;
    this.#beginStale += this.#filter.counters.stale - stale;
    this.#filter.seed(held);
  }

  /**
   * Puts a decision, and the commands of a person since the last one, through the filter, and publishes the result.
   * Undefined if nothing was published: the joints that the robot has to hold are not known yet.
   */
  apply({
    nowNs,
    seenNs,
    stampNs,
    action,
    expiryNs,
    stateAgeMs,
    stateProblem,
    actionProblem,
    blockedMs,
  }: Decision): SafetyOutput | undefined {
    if (this.#filter === undefined) this.beginEpisode(nowNs);
    if (this.#filter === undefined) return undefined;
    const person = this.takeover.take(nowNs, this.#filter.command);
    const output = this.#filter.step({
      nowNs,
      action,
      actionExpiryNs: action === null ? null : expiryNs,
      actionStampNs: seenNs,
      observationStampAgeMs: stateAgeMs,
      takeover: person?.action ?? null,
      takeoverUntilNs: person?.untilNs,
      estop: this.estop,
      deadmanReleased: this.deadman?.held(nowNs) === false,
      heartbeatNs: this.#heartbeatNs,
      observationProblem: stateProblem,
      actionProblem,
      blockedMs,
    });
    this.#pressed = false;
    const changed = output.state !== this.#output?.state;
    this.#output = output;
    this.#send(output.command, stampNs, output.reachSeconds);
    if (changed) this.#events.changed();
    return output;
  }

  /** Publishes the last command again, if it answered the state with this stamp. */
  repeat(stampNs: bigint): void {
    if (this.#last?.stampNs === stampNs) for (const message of this.#last.messages) this.#publish(message);
  }

  /** Publishes a stop, whatever state the filter is in. */
  stop(stampNs: bigint): void {
    const held = this.#held();
    const command = this.#spec.action.map(({ stop }, i) =>
      stop === 'zero' ? held[i]! : (this.#output?.command[i] ?? held[i]!),
    );
    this.#send(command, stampNs);
  }

  /**
   * A controller judges the age of a command by its stamp, so it is stamped when it is sent. A trajectory's stamp says
   * when the motion begins: 0 is now, whatever clock the controller has.
   */
  #send(command: ArrayLike<number>, stampNs: bigint, reachSeconds?: number): void {
    const { stampNow, nowNs } = this.#events;
    const isLive = stampNow !== undefined;
    const messages = this.#mapper.toMessages(command, isLive ? stampNow() : stampNs, reachSeconds, isLive);
    if (messages.length === 0) return;
    this.#last = { stampNs, messages };
    for (const message of messages) {
      if (nowNs !== undefined) this.foreign.sent(message, nowNs());
      this.#publish(message);
    }
    this.#events.sent();
  }

  /** Who else commands the robot, or drives it beside the person who does; empty if nobody is known to. */
  get contested(): string {
    const { nowNs } = this.#events;
    const { text, isNow } = this.takeover.contradicted;
    const isDriven = this.#output?.state === 'TAKEOVER' && isNow;
    return [nowNs === undefined ? '' : this.foreign.problem(nowNs()), isDriven ? text : '']
      .filter((each) => each !== '')
      .join('; ');
  }

  /** Why nothing was published yet; empty if something was, or could be. */
  get waitingFor(): string {
    if (this.#filter !== undefined) return '';
    const held = this.#held();
    const unknown = this.#spec.action.filter((_, i) => Number.isNaN(held[i]));
    if (unknown.length === 0) return '';
    return `the position of ${unknown.map(({ path }) => path).join(', ')} has not been heard, and a stop holds it`;
  }

  /** The joints' positions as a command, NaN where one is not known; 0 for what a stop does not hold. */
  #held(): number[] {
    return this.#spec.action.map(({ path, stop, low, high }) =>
      Math.min(Math.max(stop === 'hold' ? (this.#joints.get(path) ?? Number.NaN) : 0, low), high),
    );
  }
}
