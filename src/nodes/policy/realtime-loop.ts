import { nanosecondsOf, type TaskState } from '../../messages/index.js';
import type { SafetyOutput } from '../../robot/index.js';
import { LoopWatch } from '../kit/loop-watch.js';
import type { Decision } from './command-output.js';
import { ControlTimer } from './control-timer.js';
import type { ControlLoop, LoopParts } from './lockstep-loop.js';
import type { Arrival } from './transition-publisher.js';

export interface RealtimeOptions {
  readonly source: 'policy' | 'teleop';
  /** Periods an action may be executed for. */
  readonly actionPeriods: number;
  /** 0: two periods, at least {@link LEAST_LAG_BUDGET_MS}. */
  readonly loopLagBudgetMs: number;
}

/** What a garbage collection or a busy machine takes now and then is no reason to stop. */
const LEAST_LAG_BUDGET_MS = 100;

/** Steps whose length is off by more than this share of a period are no transitions. */
const JITTER = 0.5;

/**
 * Control at the robot's rate on the steady clock, at once when fresh state is there ({@link ControlTimer}): each tick takes
 * the newest state, never a queue, and sends one command. Inference that is not done by the next tick is an overrun:
 * the robot goes on with the last action until that expires, then stops. An event loop that was blocked stops it first.
 */
export class RealtimeLoop implements ControlLoop {
  readonly #parts: LoopParts;
  readonly #options: RealtimeOptions;
  readonly #periodNs: bigint;
  readonly #rhythm: ControlTimer;
  readonly #watch: LoopWatch;
  /** What was planned before the event loop was blocked is of an earlier era, and not executed. */
  #era = 0;
  /** No state was heard since the event loop was blocked. */
  #unheard = false;
  #inferring = false;
  #closed = false;
  #began = false;
  #idle = false;
  #task: TaskState | undefined;
  #episode = -1;
  #step = 0;
  #overruns = 0;
  #latencyMs = 0;
  #stampNs = 0n;
  /** What the step before led to, not told yet. */
  #arrival: Arrival | undefined;

  constructor(parts: LoopParts, options: RealtimeOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#periodNs = BigInt(Math.round(1e9 / parts.spec.rateHz));
    this.#rhythm = new ControlTimer({
      clock: parts.clock,
      periodNs: this.#periodNs,
      whole: () => !this.#inferring && this.#taskIsThere(),
      tick: (missed) => this.#tick(missed),
    });
    this.#watch = new LoopWatch({
      clock: parts.clock,
      budgetMs: options.loopLagBudgetMs || Math.max(2000 / parts.spec.rateHz, LEAST_LAG_BUDGET_MS),
      blocked: (ms) => this.#stopBlocked(ms),
    });
  }

  get overruns(): number {
    return this.#overruns;
  }

  get lags(): number {
    return this.#watch.count;
  }

  get latencyMs(): number {
    return this.#latencyMs;
  }

  get task(): TaskState | undefined {
    return this.#task;
  }

  get stampNs(): bigint {
    return this.#stampNs;
  }

  takeTask(task: TaskState): void {
    this.#watch.look();
    const known = this.#task;
    if (known !== undefined && nanosecondsOf(task.header.stamp) < nanosecondsOf(known.header.stamp)) {
      const backMs = Number(nanosecondsOf(known.header.stamp) - nanosecondsOf(task.header.stamp)) / 1e6;
      if (backMs < 1000) return; // late; more is a simulation that began anew
    }
    this.#task = task;
    this.#rhythm.consider();
  }

  takeState(topic: string, accepted: boolean): void {
    this.#watch.look();
    if (!accepted) return;
    this.#unheard = false;
    this.#rhythm.hear(topic);
  }

  /** Who takes over acts at once; from then on at the ticks, as the policy did. */
  takeTeleop(): void {
    if (this.#parts.helm.filter?.state !== 'TAKEOVER') this.#interrupt();
  }

  takeEstop(): void {
    this.#interrupt();
  }

  takePolicy(): void {}

  hold(): void {
    if (!this.#began || this.#closed) return;
    if (this.#parts.helm.filter?.state !== 'TAKEOVER') this.#steer(this.#parts.clock.nowNs(), null, null);
    this.#conclude();
    this.#parts.log.cut();
  }

  close(): void {
    this.#closed = true;
    this.#rhythm.close();
    this.#watch.close();
    this.#conclude();
  }

  /** The stop goes out before anything else is done. The period has two commands then, so it is no transition. */
  #stopBlocked(ms: number): void {
    if (this.#closed) return;
    this.#era++;
    this.#unheard = true;
    const nowNs = this.#parts.clock.nowNs();
    if (this.#began && !this.#idle) this.#steer(nowNs, null, null, { blockedMs: ms });
    this.#conclude();
    this.#parts.log.cut();
    this.#parts.blocked(ms);
  }

  /** Where there is a task, its reward and its end come with the state. */
  #taskIsThere(): boolean {
    if (this.#task === undefined) return true;
    const taskNs = nanosecondsOf(this.#task.header.stamp);
    for (const stampNs of this.#parts.assembler.stamps.values()) if (stampNs > taskNs) return false;
    return true;
  }

  /** Steers between ticks. The period has two commands then, so it is no transition. */
  #interrupt(): void {
    if (this.#closed) return;
    this.#watch.look();
    const { assembler, clock, helm, log } = this.#parts;
    const nowNs = clock.nowNs();
    const assembled = assembler.assemble(nowNs);
    const before = helm.output?.command;
    const output = helm.steer({
      nowNs,
      seenNs: nowNs,
      stampNs: this.#stampNs,
      action: null,
      expiryNs: nowNs,
      stateAgeMs: assembled.ok ? assembled.ageMs : null,
    });
    this.#conclude();
    if (output !== undefined && !output.command.every((value, i) => value === before?.[i])) log.cut();
  }

  #tick(missed: number): void {
    const { assembler, clock, helm, inbox, log, pilot } = this.#parts;
    this.#watch.look();
    const nowNs = clock.nowNs();
    this.#conclude();
    if (missed > 0) {
      this.#overruns += missed;
      log.cut();
    }
    const assembled = assembler.assemble(nowNs);
    if (!assembled.ok || this.#unheard) {
      log.cut();
      if (this.#began) this.#steer(nowNs, null, null);
      return;
    }
    const { observation, ageMs, stampNs } = assembled;
    this.#stampNs = stampNs;
    if (missed >= this.#options.actionPeriods) {
      // The event loop was blocked: the robot stops for this period and what was planned is forgotten.
      this.#steer(nowNs, null, null);
      return;
    }
    if (this.#inferring) {
      this.#overruns++;
      log.cut();
      this.#steer(nowNs, null, ageMs);
      return;
    }
    if (!this.#follow(observation, stampNs)) return;
    if (!this.#began) {
      this.#began = true;
      helm.begin(nowNs - this.#periodNs);
    }
    const newest = inbox.takeNewest();
    if (newest !== undefined) pilot.load(newest);
    const off = this.#options.source === 'teleop' || this.#parts.paused();
    if (off || !pilot.ready || helm.latched || helm.filter?.state === 'TAKEOVER') {
      this.#execute(nowNs, observation, stampNs, null, ageMs);
      return;
    }
    this.#inferring = true;
    const era = this.#era;
    pilot
      .act(observation)
      .then((action) => {
        this.#inferring = false;
        this.#watch.look();
        if (this.#closed || era !== this.#era) return;
        this.#execute(nowNs, observation, stampNs, this.#parts.paused() ? null : action, ageMs);
        this.#rhythm.consider(); // what was heard meanwhile
      })
      .catch((error) => {
        this.#inferring = false;
        if (!this.#closed) this.#parts.fail(error);
      });
  }

  /** Closes the step before; false where the episode is over and the robot has nothing to do. */
  #follow(observation: Float32Array, stampNs: bigint): boolean {
    const { helm, log } = this.#parts;
    const task = this.#task;
    const ended =
      task !== undefined && (task.terminated || task.truncated) && nanosecondsOf(task.header.stamp) <= stampNs;
    const { previous } = log;
    if (previous !== undefined) {
      const seconds = Number(stampNs - previous.stampNs) / 1e9;
      const period = Number(this.#periodNs) / 1e9;
      const regular = Math.abs(seconds / period - 1) <= JITTER;
      if (regular && (task === undefined || task.episode === previous.episode))
        this.#arrival = {
          stampNs,
          observation,
          reward: task?.reward ?? Number.NaN,
          terminated: ended && task.terminated,
          truncated: ended && task.truncated,
        };
      else log.cut();
    }
    if (ended) {
      if (!this.#idle) helm.stop(stampNs);
      this.#conclude();
      this.#idle = true;
      return false;
    }
    this.#idle = false;
    if (task !== undefined && task.episode !== this.#episode) {
      this.#episode = task.episode;
      this.#step = 0;
      this.#began = false;
    }
    return true;
  }

  /** Tells the outcome of the step before: the command goes first. */
  #conclude(): void {
    const arrival = this.#arrival;
    this.#arrival = undefined;
    if (arrival !== undefined) this.#parts.log.arrived(arrival);
  }

  #execute(
    tickNs: bigint,
    observation: Float32Array,
    stampNs: bigint,
    action: Float32Array | null,
    ageMs: number,
  ): void {
    const { clock, log, pilot } = this.#parts;
    const nowNs = clock.nowNs();
    this.#latencyMs = Number(nowNs - tickNs) / 1e6;
    const expiryNs = tickNs + BigInt(this.#options.actionPeriods) * this.#periodNs;
    const output = this.#steer(nowNs, action, ageMs + this.#latencyMs, { seenNs: tickNs, expiryNs });
    this.#conclude();
    if (output === undefined) return;
    log.executed({
      stampNs,
      observation,
      action: output.command,
      source: output.source,
      version: pilot.version,
      episode: Math.max(0, this.#episode),
      step: this.#step++,
    });
  }

  #steer(
    nowNs: bigint,
    action: Float32Array | null,
    stateAgeMs: number | null,
    more: Partial<Decision> = {},
  ): SafetyOutput | undefined {
    const now = { nowNs, seenNs: nowNs, expiryNs: nowNs, stampNs: this.#stampNs };
    return this.#parts.helm.steer({ ...now, action, stateAgeMs, ...more });
  }
}
