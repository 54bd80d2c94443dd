import type { BlockArray, PerBlock } from '../../common/index.js';
import { nanosecondsOf, type TaskState } from '../../messages/index.js';
import type { SafetyOutput } from '../../robot/index.js';
import type { Arrival, TransitionPublisher } from './transition-publisher.js';

/** Steps whose duration differs from the period by more than this share of it are not recorded as transitions. */
const MAX_JITTER = 0.5;

/** Where an observation lies in its episode. */
export type Phase = 'began' | 'continues' | 'ended';

/**
 * Turns the ticks of the real-time loop into transitions. The outcome of a step is known at the next tick, but it is
 * published only by {@link conclude}, after that tick's command: the robot goes first.
 */
export class RealtimeSteps {
  readonly #publisher: TransitionPublisher;
  readonly #periodNs: bigint;
  #episode = -1;
  #step = 0;
  /** Outcome of the step before, not published yet. */
  #arrival: Arrival | undefined;

  constructor(publisher: TransitionPublisher, periodNs: bigint) {
    this.#publisher = publisher;
    this.#periodNs = periodNs;
  }

  /** Whether the next observation is the first of another episode. */
  begins(task: TaskState | undefined): boolean {
    return task !== undefined && task.episode !== this.#episode;
  }

  /** Takes an observation as the outcome of the step before, and says where in the episode it lies. */
  observe(observation: PerBlock<BlockArray>, stampNs: bigint, task: TaskState | undefined): Phase {
    const ended =
      task !== undefined && (task.terminated || task.truncated) && nanosecondsOf(task.header.stamp) <= stampNs;
    const { previous } = this.#publisher;
    if (previous !== undefined) {
      const periods = Number(stampNs - previous.stampNs) / 1e9 / (Number(this.#periodNs) / 1e9);
      const isRegular = Math.abs(periods - 1) <= MAX_JITTER;
      if (isRegular && (task === undefined || task.episode === previous.episode))
        this.#arrival = {
          stampNs,
          observation,
          reward: task?.reward ?? Number.NaN,
          terminated: ended && task.terminated,
          truncated: ended && task.truncated,
        };
      else this.#publisher.cut();
    }
    if (ended) return 'ended';
    if (task === undefined || !this.begins(task)) return 'continues';
    this.#episode = task.episode;
    this.#step = 0;
    return 'began';
  }

  /** Notes what was commanded for this observation. */
  executed(observation: PerBlock<BlockArray>, stampNs: bigint, output: SafetyOutput, version: number): void {
    this.#publisher.executed({
      stampNs,
      observation,
      action: output.command,
      source: output.source,
      version,
      episode: Math.max(0, this.#episode),
      step: this.#step++,
    });
  }

  /** Publishes the outcome of the step before, if it is known. */
  conclude(): void {
    const arrival = this.#arrival;
    this.#arrival = undefined;
    if (arrival !== undefined) this.#publisher.arrived(arrival);
  }

  /** The outcome of the step under way will not be known, or it was not the work of one command. */
  cut(): void {
    this.#publisher.cut();
  }
}
