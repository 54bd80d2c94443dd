import type { Observation } from '../../common/index.js';
import type { TaskState } from '../../messages/index.js';
import { LockstepGate, type ReadyStep } from '../kit/lockstep-gate.js';
import type { ControlLoop, LoopParts } from './control-loop.js';
import { follows } from './transition-publisher.js';

export interface LockstepOptions {
  readonly source: 'policy' | 'teleop';
  readonly teleopWaitMs: number;
  readonly synchronousSegment: number;
  readonly segmentTimeoutMs: number;
  readonly transitionLimit: number;
}

/**
 * A person's command whose stamp is further ahead of the simulation than this was stamped by another clock. It is taken
 * as an answer to the present state. In nanoseconds.
 */
const OTHER_CLOCK_NS = 10_000_000_000n;

/**
 * Lockstep with a simulator: each complete state is answered by one command with its stamp. All times given to the
 * safety filter are simulated, so that a run depends only on its seeds, however fast it goes.
 *
 * With `synchronousSegment` N the answer to the state after every N transitions waits for the policy made from all
 * but the last N. Acting and learning run at the same time, and still every run is the same bit for bit. A run that is
 * resumed executes the commands of the open episode again: the same start and the same commands bring the robot and the
 * safety filter to where they were.
 */
export class LockstepLoop implements ControlLoop {
  readonly overruns = 0;
  readonly lags = 0;
  readonly standby = '';
  readonly #parts: LoopParts;
  readonly #options: LockstepOptions;
  readonly #gate: LockstepGate;
  readonly #periodNs: bigint;
  #answering = false;
  #closed = false;
  #episode = -1;
  /** Stamp of the state that is answered. */
  #stampNs = 0n;
  /** Added to stamps for the safety filter, whose time goes on when a simulator begins anew. */
  #offsetNs = 0n;
  #task: TaskState | undefined;
  /** The state that the newest command of a person answers. */
  #teleopStampNs = -1n;
  /** A person has commanded in this episode, and the safety filter has not handed back to the policy since. */
  #personDrives = false;
  #wake: (() => void)[] = [];
  #segmentsAdopted = 0n;
  /** Version of the policy that is to drive now, with `synchronousSegment`; −1 before the first. */
  #segmentVersion: number;
  #latencyMs = 0;

  constructor(parts: LoopParts, options: LockstepOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#segmentVersion = parts.actions.version;
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
    this.#personDrives = true;
    this.#signal();
  }

  takeEstop(): void {
    this.#signal();
  }

  takePolicy(): void {
    this.#signal();
  }

  /** Nothing to do: between two states the robot stands still. */
  hold(): void {}

  close(): void {
    this.#closed = true;
    this.#signal();
  }

  async #answer({ stampNs, task, repeated }: ReadyStep): Promise<void> {
    const { commands, transitions } = this.#parts;
    if (repeated) {
      commands.repeat(stampNs);
      return;
    }
    const startNs = this.#parts.clock.nowNs();
    this.#advanceTo(stampNs);
    const nowNs = stampNs + this.#offsetNs;
    this.#task = task;
    if (task.episode !== this.#episode) this.#parts.assembler.cut();
    const assembled = this.#assemble(stampNs);
    if (!assembled.ok) {
      transitions.cut();
      return;
    }
    const { observation, ageMs } = assembled;
    const { reward, terminated, truncated } = task;
    if (transitions.previous !== undefined && follows(transitions.previous, task))
      transitions.arrived({ stampNs, observation, reward, terminated, truncated });
    else transitions.cut();
    const limit = this.#options.transitionLimit;
    if (terminated || truncated || (limit > 0 && transitions.count >= BigInt(limit))) return;
    if (task.episode !== this.#episode) this.#beginEpisode(task, stampNs, nowNs);
    const replayed = this.#parts.replay.shift();
    // The simulator refuses a command until it has finished the step whose state it has just published.
    if (replayed !== undefined) await new Promise((resolve) => setImmediate(resolve));
    const action = replayed ?? (await this.#decide(stampNs, observation));
    if (this.#closed) return;
    const output = commands.apply({
      nowNs,
      seenNs: nowNs,
      stampNs,
      action,
      expiryNs: nowNs + this.#periodNs,
      stateAgeMs: ageMs,
    });
    this.#latencyMs = Number(this.#parts.clock.nowNs() - startNs) / 1e6;
    if (output !== undefined) this.#parts.assembler.executed(output.command);
    if (output === undefined || replayed !== undefined) return;
    if (output.state !== 'TAKEOVER') this.#personDrives = false;
    const { command, source } = output;
    const { episode, step } = task;
    const { chosenBy: version } = this.#parts.actions;
    transitions.executed({ stampNs, observation, action: command, source, version, episode, step });
  }

  /** Moves on to this stamp. A stamp that goes back is a simulation that began anew; the filter's time goes on. */
  #advanceTo(stampNs: bigint): void {
    if (stampNs < this.#stampNs) {
      this.#offsetNs += this.#stampNs - stampNs + this.#periodNs;
      this.#teleopStampNs = -1n;
      this.#parts.transitions.cut();
    }
    this.#stampNs = stampNs;
  }

  /** The observation at this stamp. After a jump of the clock the assembler has forgotten the past: it is asked again. */
  #assemble(stampNs: bigint): ReturnType<LoopParts['assembler']['assemble']> {
    const { assembler, transitions } = this.#parts;
    const assembled = assembler.assemble(stampNs);
    if (assembled.ok || assembled.reason !== 'clock_jump') return assembled;
    transitions.cut();
    return assembler.assemble(stampNs);
  }

  #beginEpisode(task: TaskState, stampNs: bigint, nowNs: bigint): void {
    const { commands } = this.#parts;
    this.#episode = task.episode;
    if (this.#teleopStampNs < stampNs) {
      // A person's last command was meant for the episode before.
      this.#personDrives = false;
      commands.takeover.reset();
    }
    commands.beginEpisode(nowNs - this.#periodNs);
  }

  /** Waits for the policy's action for this state. Null if a person's command, or a stop, is to be executed instead. */
  async #decide(stampNs: bigint, observation: Observation): Promise<Float32Array | null> {
    const { actions, commands, paused } = this.#parts;
    const { source, teleopWaitMs } = this.#options;
    while (!this.#closed) {
      if (commands.estop || commands.latched) return null;
      if (this.#teleopStampNs >= stampNs) return null;
      if (source === 'teleop' || (paused() && !this.#personDrives)) await this.#signalled();
      else if (this.#personDrives) {
        if (!(await this.#signalled(teleopWaitMs))) return null;
      } else {
        await this.#adopt();
        if (!actions.ready) await this.#signalled();
        else if (!this.#closed) {
          const action = await actions.act(observation);
          if (!this.#personDrives && !paused()) return action;
        }
      }
    }
    return null;
  }

  /** Takes a new policy where there is one (or where one is due: then it waits for it), at the step boundary. */
  async #adopt(): Promise<void> {
    const { inbox, actions, transitions } = this.#parts;
    const { synchronousSegment, segmentTimeoutMs } = this.#options;
    if (synchronousSegment === 0) {
      const newest = inbox.takeNewest();
      if (newest !== undefined) actions.load(newest);
      return;
    }
    const sent = transitions.count / BigInt(synchronousSegment);
    if (sent === this.#segmentsAdopted) return;
    // Each segment has one policy: where a person drove for more than a segment, those in between are skipped.
    this.#segmentVersion += Number(sent - this.#segmentsAdopted);
    this.#segmentsAdopted = sent;
    if (this.#segmentVersion > actions.version)
      actions.load(await inbox.takeVersion(this.#segmentVersion, segmentTimeoutMs));
  }

  #signal(): void {
    for (const resume of this.#wake.splice(0)) resume();
  }

  /** Waits for a command of a person, the e-stop or a policy. False if none came within `timeoutMs`. */
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
