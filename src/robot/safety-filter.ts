import { IqLearnError } from '../common/index.js';
import { CommandLimiter } from './command-limiter.js';
import { SafetyReasons } from './safety-reasons.js';
import type {
  SafetyCounters,
  SafetyFilter,
  SafetyInput,
  SafetyOptions,
  SafetyOutput,
  SafetyState,
} from './safety-types.js';
import type { RobotSpec } from './types.js';

const blocked = (forMs: number): string => `the event loop was blocked for ${forMs.toFixed(0)} ms`;
const ms = (value: number): bigint => BigInt(Math.round(value * 1e6));
const inMs = (ns: bigint): number => Number(ns) / 1e6;

/** Throws INVALID_ARGUMENT for a wrong option, or if a stop holds something and `initial` is missing. */
export function createSafetyFilter(spec: RobotSpec, options: SafetyOptions = {}): SafetyFilter {
  return new Filter(spec, options);
}

interface Accepted {
  readonly values: Float32Array;
  readonly expiryNs: bigint;
  readonly stampNs: bigint | null;
}

class Filter implements SafetyFilter {
  readonly #limiter: CommandLimiter;
  readonly #staleMs: number;
  readonly #overshoot: number;
  readonly #quietNs: bigint;
  readonly #teleopNs: bigint;
  readonly #longestNs: bigint;
  readonly #heartbeatNs: bigint | null;
  readonly #deadmanLatches: boolean;
  readonly #reasons: SafetyReasons;
  readonly #counters = {
    cycles: 0,
    clamped: 0,
    rateLimited: 0,
    overruns: 0,
    expired: 0,
    outdated: 0,
    stale: 0,
    badTakeovers: 0,
    faults: 0,
    estops: 0,
  };
  #state: SafetyState = 'HOLDING';
  #latch: { readonly state: 'ESTOP' | 'FAULT'; readonly reason: string } | null = null;
  #action: Accepted | null = null;
  #executedStampNs: bigint | null = null;
  #teleop: Float32Array | null = null;
  #teleopAtNs: bigint | null = null;
  #teleopUntilNs = 0n;
  #notReady: string | null = 'no cycle has run yet';

  constructor(spec: RobotSpec, options: SafetyOptions) {
    const finite = spec.stateTopics.map(({ timeoutMs }) => timeoutMs).filter(Number.isFinite);
    const { staleMs = Math.max(0, ...finite), quietMs = 500, overshoot = 0.5, heartbeatTimeoutMs = null } = options;
    for (const [name, value] of Object.entries({
      staleMs,
      quietMs,
      overshoot,
      heartbeatTimeoutMs: heartbeatTimeoutMs ?? 0,
    }))
      if (!(value >= 0 && Number.isFinite(value)))
        throw new IqLearnError('INVALID_ARGUMENT', 'the safety filter cannot be made', {
          found: `${name} ${value}`,
          expected: 'a number from 0',
        });
    this.#limiter = new CommandLimiter(spec, options.initial);
    this.#reasons = new SafetyReasons(spec);
    this.#staleMs = staleMs;
    this.#overshoot = overshoot;
    const teleopMs = Math.min(Math.max(...spec.commands.map(({ teleop }) => teleop.timeoutMs)), 60_000);
    this.#teleopNs = ms(teleopMs);
    this.#quietNs = ms(Math.max(quietMs, teleopMs));
    this.#longestNs = ms(Math.min(...spec.commands.map(({ timeoutMs }) => timeoutMs), 60_000));
    this.#deadmanLatches = options.deadman !== 'hold';
    this.#heartbeatNs = heartbeatTimeoutMs === null ? null : ms(heartbeatTimeoutMs);
  }

  get state(): SafetyState {
    return this.#state;
  }

  get command(): Float32Array {
    return this.#limiter.last;
  }

  get counters(): SafetyCounters {
    return { ...this.#counters };
  }

  step(input: SafetyInput): SafetyOutput {
    this.#counters.cycles += 1;
    this.#limiter.advance(input.nowNs);
    this.#watchEstop(input);
    this.#watchDeadman(input);
    this.#notReady = this.#reasonNotReady(input);
    // While latched, nothing is remembered that could move the robot after the reset.
    if (this.#latch !== null) return this.#stop(this.#latch.state, 'stop', this.#latch.reason);
    if (this.#heartbeatNs !== null && input.heartbeatNs === null)
      return this.#stop('HOLDING', 'hold', this.#reasons.noHeartbeat(inMs(this.#heartbeatNs)));
    return this.#takeover(input) ?? this.#policy(input);
  }

  reset(): { readonly ok: boolean; readonly reason: string } {
    if (this.#latch === null) return { ok: true, reason: 'nothing was latched' };
    if (this.#notReady !== null) return { ok: false, reason: `${this.#latch.state} stays: ${this.#notReady}` };
    const { state, reason } = this.#latch;
    this.#latch = null;
    this.#state = 'HOLDING';
    return { ok: true, reason: `${state} ended (${reason})` };
  }

  seed(command: ArrayLike<number>): void {
    if (this.#limiter.holds && this.#state !== 'RUNNING' && this.#state !== 'TAKEOVER') this.#limiter.seed(command);
  }

  #watchEstop({ nowNs, estop, heartbeatNs }: SafetyInput): void {
    const timeoutNs = this.#heartbeatNs;
    const silent = timeoutNs !== null && heartbeatNs !== null && nowNs - heartbeatNs > timeoutNs;
    if ((!estop && !silent) || this.#latch?.state === 'ESTOP') return;
    this.#counters.estops += 1;
    const reason =
      estop || !silent
        ? this.#reasons.estop
        : this.#reasons.heartbeatMissing(inMs(nowNs - heartbeatNs), inMs(timeoutNs));
    this.#latch = { state: 'ESTOP', reason };
  }

  /** A person who lets go of the button while driving wants a stop, not the policy. */
  #watchDeadman({ nowNs, deadmanReleased }: SafetyInput): void {
    if (deadmanReleased !== true || this.#latch !== null || this.#teleopAtNs === null) return;
    if (nowNs - this.#teleopAtNs > this.#quietNs) return; // handed back already
    this.#teleopAtNs = null;
    if (!this.#deadmanLatches) return;
    this.#counters.estops += 1;
    this.#latch = { state: 'ESTOP', reason: this.#reasons.deadman };
  }

  #reasonNotReady(input: SafetyInput): string | null {
    const { nowNs, estop, heartbeatNs } = input;
    if (estop) return 'the e-stop is pressed';
    if (this.#heartbeatNs !== null && (heartbeatNs === null || nowNs - heartbeatNs > this.#heartbeatNs))
      return 'the e-stop has no heartbeat';
    return this.#staleness(input);
  }

  #staleness(input: Pick<SafetyInput, 'observationStampAgeMs' | 'observationProblem'>): string | null {
    const { observationStampAgeMs: age, observationProblem } = input;
    if (age === null) return observationProblem ?? 'the state is not known';
    return age <= this.#staleMs ? null : `the state is ${age.toFixed(0)} ms old, at most ${this.#staleMs} ms`;
  }

  /** The output of a person's command or of the quiet time after it, which take precedence over the policy; null otherwise. */
  #takeover(input: SafetyInput): SafetyOutput | null {
    const { nowNs, takeover } = input;
    if (takeover !== null) {
      this.#teleopAtNs = nowNs;
      const latest = nowNs + this.#teleopNs;
      const { takeoverUntilNs: untilNs = latest } = input;
      this.#teleopUntilNs = untilNs < latest ? untilNs : latest;
      const usable = takeover.length === this.#limiter.length && takeover.every(Number.isFinite);
      if (!usable) this.#counters.badTakeovers += 1;
      this.#teleop = usable ? takeover.slice() : null;
    }
    if (this.#teleopAtNs === null) return null;
    const age = nowNs - this.#teleopAtNs;
    if (age > this.#quietNs) {
      this.#teleopAtNs = null;
      return null;
    }
    // What the policy computed meanwhile was meant for another situation.
    this.#action = null;
    if (input.blockedMs !== undefined) return this.#stop('TAKEOVER', 'hold', blocked(input.blockedMs));
    if (this.#teleop === null) return this.#stop('TAKEOVER', 'stop', this.#reasons.notFinite);
    if (nowNs > this.#teleopUntilNs)
      return this.#stop('TAKEOVER', 'hold', this.#reasons.teleopSilent(inMs(age), inMs(this.#teleopNs)));
    return this.#execute('TAKEOVER', 'takeover', this.#teleop, this.#reasons.takeover);
  }

  #policy(input: SafetyInput): SafetyOutput {
    const { nowNs } = input;
    if (input.blockedMs !== undefined) return this.#stop('HOLDING', 'hold', blocked(input.blockedMs));
    if (input.action !== null) {
      const fault = this.#faultOf(input.action);
      if (fault !== null) {
        this.#counters.faults += 1;
        this.#latch = { state: 'FAULT', reason: fault };
        return this.#stop('FAULT', 'stop', fault);
      }
      this.#accept(input, input.action);
    }
    const stale = this.#staleness(input);
    if (stale !== null) {
      this.#counters.stale += 1;
      return this.#stop('HOLDING', 'hold', stale);
    }
    const action = this.#action;
    if (action === null || nowNs > action.expiryNs) {
      // Only counted while driving: a policy that has not begun, or is between episodes, is not late.
      if (this.#state === 'RUNNING') this.#counters.overruns += 1;
      return this.#stop('HOLDING', 'hold', this.#reasons.noAction(input.actionProblem));
    }
    if (action.stampNs !== null) this.#executedStampNs = action.stampNs;
    return this.#execute('RUNNING', 'policy', action.values, '');
  }

  #accept({ nowNs, actionExpiryNs, actionStampNs = null }: SafetyInput, values: Float32Array): void {
    if (actionExpiryNs === null || nowNs > actionExpiryNs) {
      this.#counters.expired += 1;
      return;
    }
    if (actionStampNs !== null && this.#executedStampNs !== null && actionStampNs < this.#executedStampNs) {
      this.#counters.outdated += 1;
      return;
    }
    // No action holds longer than the robot itself would wait for a command.
    const latest = nowNs + this.#longestNs;
    const expiryNs = actionExpiryNs < latest ? actionExpiryNs : latest;
    this.#action = { values: values.slice(), expiryNs, stampNs: actionStampNs };
  }

  /** Why an action cannot come from a sound policy, or null. */
  #faultOf(action: Float32Array): string | null {
    const { length, low, high, names } = this.#limiter;
    if (action.length !== length) return `the policy's action has ${action.length} numbers, not ${length}`;
    for (let i = 0; i < length; i++) {
      const value = action[i]!;
      if (!Number.isFinite(value)) return `the policy's ${names[i]} is ${value}`;
      const margin = this.#overshoot * (high[i]! - low[i]!);
      if (value < low[i]! - margin || value > high[i]! + margin)
        return `the policy's ${names[i]} is ${value}, far beyond ${low[i]}…${high[i]}`;
    }
    return null;
  }

  #execute(
    state: 'RUNNING' | 'TAKEOVER',
    source: 'policy' | 'takeover',
    target: Float32Array,
    reason: string,
  ): SafetyOutput {
    const { command, clamped, rateLimited } = this.#limiter.move(target);
    if (clamped) this.#counters.clamped += 1;
    if (rateLimited) this.#counters.rateLimited += 1;
    this.#state = state;
    return { command, source, state, reason, clamped, rateLimited, reachSeconds: this.#limiter.reachSeconds };
  }

  #stop(state: SafetyState, source: 'hold' | 'stop', reason: string): SafetyOutput {
    this.#action = null;
    if (state !== 'TAKEOVER') this.#teleopAtNs = null;
    this.#state = state;
    const command = this.#limiter.stop();
    const { reachSeconds } = this.#limiter;
    return { command, source, state, reason, clamped: false, rateLimited: false, reachSeconds };
  }
}
