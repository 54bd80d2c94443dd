import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SteadyClock } from '../../common/index.js';
import type { TaskState } from '../../messages/index.js';
import type { ObservationAssembler, RobotSpec } from '../../robot/index.js';
import { LockstepGate, type ReadyStep } from '../kit/lockstep-gate.js';
import type { ActionSource } from './action-source.js';
import type { BundleInbox } from './bundle-inbox.js';
import type { CommandOutput } from './command-output.js';
import { follows, type TransitionPublisher } from './transition-publisher.js';

export interface LoopParts {
  readonly spec: RobotSpec;
  readonly clock: SteadyClock;
  readonly assembler: ObservationAssembler;
  readonly pilot: ActionSource;
  readonly helm: CommandOutput;
  readonly inbox: BundleInbox;
  readonly log: TransitionPublisher;
  /** Commands that the first episode begins with, before the policy is asked. */
  readonly replay: Float32Array[];
  /** Whether the policy is to stay off; a person may drive. */
  readonly paused: () => boolean;
  readonly fail: (error: unknown) => void;
  /** The event loop was blocked for so long: the robot was stopped. */
  readonly blocked: (ms: number) => void;
}

export interface LockstepOptions {
  readonly source: 'policy' | 'teleop';
  readonly teleopWaitMs: number;
  readonly synchronousSegment: number;
  readonly segmentTimeoutMs: number;
  readonly transitionLimit: number;
}

/** One of the two ways the policy node keeps time. */
export interface ControlLoop {
  takeTask(task: TaskState): void;
  /** A state message came; `accepted` is false where the assembler dropped it. */
  takeState(topic: string, accepted: boolean): void;
  /** A person's command was taken by the takeover detector; its stamp, if it has one. */
  takeTeleop(stampNs: bigint | undefined): void;
  /** The e-stop has changed. */
  takeEstop(): void;
  /** A policy has arrived, or may go on. */
  takePolicy(): void;
  /** Stops the robot now: the policy is paused. */
  hold(): void;
  /** Stamp for a command right now. */
  readonly stampNs: bigint;
  readonly task: TaskState | undefined;
  readonly overruns: number;
  /** How often the event loop was blocked for longer than its budget. */
  readonly lags: number;
  /** State arrival to command, of the last step. */
  readonly latencyMs: number;
  close(): void;
}

/** A command whose stamp is ahead of the simulation by more was stamped by another clock, and answers the present state. */
const OTHER_CLOCK_NS = 10_000_000_000n;

/**
 * Lockstep with a simulator: each complete state is answered by one command with its stamp. All times given to the
 * safety filter are simulated, so that a run depends on its seeds alone, however fast it goes.
 *
 * With `synchronousSegment` N the answer to the state after every N transitions waits for the policy made from all
 * but the last N: acting and learning run side by side, and still every run is the same bit for bit. A run that is
 * resumed replays the open episode: the same start and commands bring robot and safety filter to where they were.
 */
export class LockstepLoop implements ControlLoop {
  readonly overruns = 0;
  readonly lags = 0;
  readonly #parts: LoopParts;
  readonly #options: LockstepOptions;
  readonly #gate: LockstepGate;
  readonly #periodNs: bigint;
  #answering = false;
  #closed = false;
  #episode = -1;
  #stampNs = 0n;
  #offsetNs = 0n;
  #task: TaskState | undefined;
  #teleopStampNs = -1n;
  #teleopHeard = false;
  #wake: (() => void)[] = [];
  #segmentsAdopted = 0n;
  /** Version of the policy that is to drive now, with `synchronousSegment`; −1 before the first. */
  #segmentVersion: number;
  #latencyMs = 0;

  constructor(parts: LoopParts, options: LockstepOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#segmentVersion = parts.pilot.version;
    this.#gate = new LockstepGate(parts.assembler);
    this.#periodNs = BigInt(Math.round(1e9 / parts.spec.rateHz));
  }

  get stampNs(): bigint {
    return this.#stampNs;
  }

  get task(): TaskState | undefined {
    return this.#task;
  }

  get latencyMs(): number {
    return this.#latencyMs;
  }

  takeTask(task: TaskState): void {
    this.#gate.takeTask(task);
    this.takeState();
  }

  takeState(): void {
    if (this.#answering || this.#closed) return;
    const step = this.#gate.next();
    if (step === undefined) return;
    this.#answering = true;
    this.#answer(step)
      .catch((error) => {
        if (!this.#closed) this.#parts.fail(error);
      })
      .finally(() => {
        this.#answering = false;
        this.takeState();
      });
  }

  takeTeleop(stampNs: bigint | undefined): void {
    const isOfThisClock = stampNs !== undefined && stampNs > 0n && stampNs - this.#stampNs < OTHER_CLOCK_NS;
    this.#teleopStampNs = isOfThisClock ? stampNs : this.#stampNs;
    this.#teleopHeard = true;
    this.#signal();
  }

  takeEstop(): void {
    this.#signal();
  }

  takePolicy(): void {
    this.#signal();
  }

  /** Stands still already between the states. */
  hold(): void {}

  close(): void {
    this.#closed = true;
    this.#signal();
  }

  async #answer({ stampNs, task, repeated }: ReadyStep): Promise<void> {
    const { assembler, helm, log, pilot } = this.#parts;
    if (repeated) {
      helm.repeat(stampNs);
      return;
    }
    const startNs = this.#parts.clock.nowNs();
    if (stampNs < this.#stampNs) {
      // The simulation began anew; for the safety filter time goes on.
      this.#offsetNs += this.#stampNs - stampNs + this.#periodNs;
      this.#teleopStampNs = -1n;
      log.cut();
    }
    const nowNs = stampNs + this.#offsetNs;
    this.#stampNs = stampNs;
    this.#task = task;
    let assembled = assembler.assemble(stampNs);
    if (!assembled.ok && assembled.reason === 'clock_jump') {
      log.cut();
      assembled = assembler.assemble(stampNs);
    }
    if (!assembled.ok) {
      log.cut();
      return;
    }
    const { observation, ageMs } = assembled;
    const { reward, terminated, truncated } = task;
    if (log.previous !== undefined && follows(log.previous, task))
      log.arrived({ stampNs, observation, reward, terminated, truncated });
    else log.cut();
    const limit = this.#options.transitionLimit;
    if (terminated || truncated || (limit > 0 && log.count >= BigInt(limit))) return;
    if (task.episode !== this.#episode) {
      this.#episode = task.episode;
      if (this.#teleopStampNs < stampNs) {
        // What a person last said was meant for the episode before.
        this.#teleopHeard = false;
        helm.takeover.reset();
      }
      helm.begin(nowNs - this.#periodNs);
    }
    const replayed = this.#parts.replay.shift();
    // A simulator takes no command before it has finished the step whose state it has published.
    if (replayed !== undefined) await nextTurn();
    const action = replayed ?? (await this.#decide(stampNs, observation));
    if (this.#closed) return;
    const output = helm.steer({
      nowNs,
      seenNs: nowNs,
      stampNs,
      action,
      expiryNs: nowNs + this.#periodNs,
      stateAgeMs: ageMs,
    });
    this.#latencyMs = Number(this.#parts.clock.nowNs() - startNs) / 1e6;
    if (output === undefined || replayed !== undefined) return;
    if (output.state !== 'TAKEOVER') this.#teleopHeard = false;
    const { command, source } = output;
    log.executed({
      stampNs,
      observation,
      action: command,
      source,
      version: pilot.version,
      episode: task.episode,
      step: task.step,
    });
  }

  /** The policy's action for this state; null where a person's command is to be taken, or a stop. */
  async #decide(stampNs: bigint, observation: Float32Array): Promise<Float32Array | null> {
    const { helm, pilot } = this.#parts;
    const { source, teleopWaitMs } = this.#options;
    while (!this.#closed) {
      if (helm.estop || helm.latched) return null;
      if (this.#teleopStampNs >= stampNs) return null;
      if (source === 'teleop' || (this.#parts.paused() && !this.#teleopHeard)) await this.#signalled();
      else if (this.#teleopHeard) {
        if (!(await this.#signalled(teleopWaitMs))) return null;
      } else {
        await this.#adopt();
        if (!pilot.ready) await this.#signalled();
        else if (!this.#closed) {
          const action = await pilot.act(observation);
          if (!this.#teleopHeard && !this.#parts.paused()) return action;
        }
      }
    }
    return null;
  }

  /** Changes the policy at the step boundary. */
  async #adopt(): Promise<void> {
    const { inbox, pilot, log } = this.#parts;
    const { synchronousSegment, segmentTimeoutMs } = this.#options;
    if (synchronousSegment === 0) {
      const newest = inbox.takeNewest();
      if (newest !== undefined) pilot.load(newest);
      return;
    }
    const sent = log.count / BigInt(synchronousSegment);
    if (sent === this.#segmentsAdopted) return;
    // Each segment has one policy: where a person drove for more than a segment, those in between are skipped.
    this.#segmentVersion += Number(sent - this.#segmentsAdopted);
    this.#segmentsAdopted = sent;
    if (this.#segmentVersion > pilot.version)
      pilot.load(await inbox.takeVersion(this.#segmentVersion, segmentTimeoutMs));
  }

  #signal(): void {
    for (const resume of this.#wake.splice(0)) resume();
  }

  /** False where nothing happened for `timeoutMs`. */
  #signalled(timeoutMs?: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve(false), timeoutMs);
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
