import type { BlockArray, PerBlock } from '../../common/index.js';
import { nanosecondsOf, type TaskState } from '../../messages/index.js';
import { LoopWatch } from '../kit/loop-watch.js';
import type { Decision } from './command-output.js';
import type { ControlLoop, LoopParts } from './control-loop.js';
import { ControlTimer } from './control-timer.js';
import { RealtimeSteps } from './realtime-steps.js';
import { Supervision } from './supervision.js';

export interface RealtimeOptions {
  readonly source: 'policy' | 'teleop';
  /** The policy drives only within a supervisor's episodes. */
  readonly supervised: boolean;
  /** Number of periods for which an action may be executed. */
  readonly actionPeriods: number;
  /** 0: two periods, at least {@link MIN_LAG_BUDGET_MS}. */
  readonly loopLagBudgetMs: number;
}

/** Minimum budget: a garbage collection or a busy machine may block the event loop for this long without a stop. */
const MIN_LAG_BUDGET_MS = 100;

/** A task state whose stamp is older than the last by less than this came late; by more, the simulation began anew. */
const LATE_TASK_MS = 1000;

/** The newest state: the observation, its stamp, and its age at the tick. */
interface Sight {
  readonly observation: PerBlock<BlockArray>;
  readonly stampNs: bigint;
  readonly ageMs: number;
}

/**
 * Control at the robot's rate on the steady clock, as soon as fresh state is there ({@link ControlTimer}). Each tick
 * takes the newest state, never a queue of states, and sends one command. Inference that is not done by the next tick
 * is an overrun: the robot goes on with the last action until that expires, and then stops. When the event loop was
 * blocked, a stop goes out before anything else is done.
 */
export class RealtimeLoop implements ControlLoop {
  readonly #parts: LoopParts;
  readonly #options: RealtimeOptions;
  readonly #periodNs: bigint;
  readonly #timer: ControlTimer;
  readonly #watch: LoopWatch;
  readonly #steps: RealtimeSteps;
  /** Counts event-loop stalls; an action computed before the latest stall is dropped. */
  #stalls = 0;
  /** No state has arrived since the event loop was blocked. */
  #awaitsState = false;
  #inferring = false;
  #closed = false;
  /** The safety filter knows that the episode has begun. */
  #hasBegun = false;
  /** The episode is over and the robot was stopped for that. */
  #isIdle = false;
  #task: TaskState | undefined;
  readonly #supervision: Supervision;
  #overruns = 0;
  #latencyMs = 0;
  #stampNs = 0n;

  constructor(parts: LoopParts, options: RealtimeOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#periodNs = BigInt(Math.round(1e9 / parts.spec.rateHz));
    this.#steps = new RealtimeSteps(parts.transitions, this.#periodNs);
    this.#supervision = new Supervision(options.supervised);
    this.#timer = new ControlTimer({
      clock: parts.clock,
      periodNs: this.#periodNs,
      canTick: () => !this.#inferring && this.#taskIsThere(),
      tick: (missed) => this.#tick(missed),
    });
    this.#watch = new LoopWatch({
      clock: parts.clock,
      budgetMs: options.loopLagBudgetMs || Math.max(2000 / parts.spec.rateHz, MIN_LAG_BUDGET_MS),
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

  get standby(): string {
    return this.#supervision.standby(this.#parts.clock.nowNs()) || this.#parts.actions.over;
  }

  takeTask(task: TaskState): void {
    this.#watch.look();
    if (this.#options.supervised) {
      this.#task = this.#supervision.take(task, this.#parts.clock.nowNs());
      return;
    }
    const known = this.#task;
    if (known !== undefined && nanosecondsOf(task.header.stamp) < nanosecondsOf(known.header.stamp)) {
      const backMs = Number(nanosecondsOf(known.header.stamp) - nanosecondsOf(task.header.stamp)) / 1e6;
      if (backMs < LATE_TASK_MS) return;
    }
    this.#task = task;
    this.#timer.tickIfDue();
  }

  takeState(topic: string, accepted: boolean): void {
    this.#watch.look();
    if (!accepted) return;
    this.#awaitsState = false;
    this.#timer.received(topic);
  }

  /** A person's first command acts at once; those that follow act at the ticks, as the policy's do. */
  takeTeleop(): void {
    if (this.#parts.commands.filter?.state !== 'TAKEOVER') this.#interrupt();
  }

  takeEstop(): void {
    this.#interrupt();
  }

  takePolicy(): void {}

  hold(): void {
    if (!this.#hasBegun || this.#closed) return;
    if (this.#parts.commands.filter?.state !== 'TAKEOVER') this.#apply(this.#parts.clock.nowNs(), null, null);
    this.#steps.conclude();
    this.#steps.cut();
  }

  close(): void {
    this.#closed = true;
    this.#timer.close();
    this.#watch.close();
    this.#steps.conclude();
  }

  /** The stop goes out before anything else is done. The period has two commands then, so it is no transition. */
  #stopBlocked(ms: number): void {
    if (this.#closed) return;
    this.#stalls++;
    this.#awaitsState = true;
    const nowNs = this.#parts.clock.nowNs();
    if (this.#hasBegun && !this.#isIdle) this.#apply(nowNs, null, null, { blockedMs: ms });
    this.#steps.conclude();
    this.#steps.cut();
    this.#parts.blocked(ms);
  }

  /** Where there is a task, its reward and its end have to be known for the newest state. */
  #taskIsThere(): boolean {
    if (this.#task === undefined || this.#options.supervised) return true;
    const taskNs = nanosecondsOf(this.#task.header.stamp);
    for (const stampNs of this.#parts.assembler.stamps.values()) if (stampNs > taskNs) return false;
    return true;
  }

  /** Commands between ticks. The period has two commands then, so it is no transition if they differ. */
  #interrupt(): void {
    if (this.#closed) return;
    this.#watch.look();
    const before = this.#parts.commands.lastOutput?.command;
    const output = this.#applyIfSeen(this.#parts.clock.nowNs(), null);
    this.#steps.conclude();
    if (output !== undefined && !output.command.every((value, i) => value === before?.[i])) this.#steps.cut();
  }

  #tick(missed: number): void {
    const { assembler, clock } = this.#parts;
    this.#watch.look();
    const nowNs = clock.nowNs();
    this.#steps.conclude();
    if (missed > 0) {
      this.#overruns += missed;
      this.#steps.cut();
    }
    if (this.#steps.begins(this.#task)) assembler.cut();
    const assembled = assembler.assemble(nowNs);
    if (!assembled.ok || this.#awaitsState) {
      this.#steps.cut();
      const stateProblem = assembled.ok ? 'no state since the event loop was blocked' : assembled.text;
      if (this.#hasBegun) this.#apply(nowNs, null, null, { stateProblem });
      return;
    }
    this.#stampNs = assembled.stampNs;
    if (missed >= this.#options.actionPeriods) {
      // The event loop was blocked: the robot stops for this period, and an action computed before is not executed.
      this.#apply(nowNs, null, null);
      return;
    }
    if (this.#inferring) {
      this.#overruns++;
      this.#steps.cut();
      this.#apply(nowNs, null, assembled.ageMs);
      return;
    }
    if (this.#enterStep(nowNs, assembled)) this.#decide(nowNs, assembled);
  }

  /** Closes the step before. Returns false if the episode is over and the robot has nothing to do. */
  #enterStep(nowNs: bigint, { observation, stampNs }: Sight): boolean {
    const { commands } = this.#parts;
    const phase = this.#steps.observe(observation, stampNs, this.#task);
    const { supervised } = this.#options;
    if (phase === 'ended' && !supervised) {
      if (!this.#isIdle) commands.stop(stampNs);
      this.#steps.conclude();
      this.#isIdle = true;
      return false;
    }
    this.#isIdle = false;
    // A person may be driving the robot to where the next episode begins: the filter goes on from there.
    if (phase === 'began' && !supervised) this.#hasBegun = false;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      commands.beginEpisode(nowNs - this.#periodNs);
    }
    return true;
  }

  /** Asks the policy for an action and executes it, or lets the safety filter decide where the policy is off. */
  #decide(nowNs: bigint, sight: Sight): void {
    const { actions, commands, inbox } = this.#parts;
    const newest = inbox.takeNewest();
    if (newest !== undefined) actions.load(newest);
    const state = commands.filter?.state;
    if (state === 'TAKEOVER') actions.interrupted('a person took over');
    else if (commands.latched) actions.interrupted(`the robot was stopped: ${state}`);
    const isOff = this.#isOff();
    if (isOff || !actions.ready || commands.latched || state === 'TAKEOVER') {
      this.#execute(nowNs, sight, null);
      return;
    }
    this.#inferring = true;
    const stalls = this.#stalls;
    actions
      .act(sight.observation)
      .then((action) => {
        this.#inferring = false;
        this.#watch.look();
        if (this.#closed || stalls !== this.#stalls) return;
        this.#execute(nowNs, sight, this.#isOff() ? null : action);
        this.#timer.tickIfDue(); // state may have arrived during inference
      })
      .catch((error) => {
        this.#inferring = false;
        if (!this.#closed) this.#parts.fail(error);
      });
  }

  /** Whether the policy is to give no action. */
  #isOff(): boolean {
    return this.#options.source === 'teleop' || this.#parts.paused() || this.standby !== '';
  }

  #execute(tickNs: bigint, { observation, stampNs, ageMs }: Sight, action: Float32Array | null): void {
    const nowNs = this.#parts.clock.nowNs();
    this.#latencyMs = Number(nowNs - tickNs) / 1e6;
    const expiryNs = tickNs + BigInt(this.#options.actionPeriods) * this.#periodNs;
    const output = this.#applyIfSeen(nowNs, action, { seenNs: tickNs, expiryNs }, ageMs + this.#latencyMs);
    this.#steps.conclude();
    // What a person does between episodes is nothing to learn from.
    if (output !== undefined && !this.#supervision.isBetween)
      this.#steps.executed(observation, stampNs, output, this.#parts.actions.chosenBy);
  }

  /** A topic may have become too old while the policy computed, or since the last tick: then it is named. */
  #applyIfSeen(nowNs: bigint, action: Float32Array | null, more: Partial<Decision> = {}, ageMs?: number) {
    const seen = this.#parts.assembler.look(nowNs);
    if (!seen.ok) return this.#apply(nowNs, action, null, { ...more, stateProblem: seen.text });
    return this.#apply(nowNs, action, ageMs ?? seen.ageMs, more);
  }

  #apply(nowNs: bigint, action: Float32Array | null, stateAgeMs: number | null, more: Partial<Decision> = {}) {
    const actionProblem = action === null ? this.#parts.actions.problem : undefined;
    const now = { nowNs, seenNs: nowNs, expiryNs: nowNs, stampNs: this.#stampNs, actionProblem };
    const output = this.#parts.commands.apply({ ...now, action, stateAgeMs, ...more });
    if (output !== undefined) this.#parts.assembler.executed(output.command);
    return output;
  }
}
