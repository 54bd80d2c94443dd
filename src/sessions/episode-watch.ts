import { IqLearnError } from '../common/index.js';
import type { TaskState } from '../messages/index.js';
import { topics } from '../nodes/index.js';
import { qos, type Transport } from '../transport/index.js';

/** How an episode of a simulated robot went. */
export interface EpisodeSummary {
  /** Sum of the task's rewards. */
  readonly return: number;
  /** Steps. */
  readonly length: number;
  readonly success: boolean;
  readonly terminated: boolean;
}

/** An episode without a step for so long is given up: longer than the policy node waits for its learner. */
const STALL_MS = 180_000;

interface Waiter {
  readonly episode: number;
  readonly timer: NodeJS.Timeout;
  resolve(summary: EpisodeSummary): void;
}

/**
 * Follows the episodes of a simulated robot on the topic of its task's state. One subscription serves all episodes: over
 * ROS 2 it takes a while until a new one is found.
 */
export class EpisodeWatch {
  readonly #subscription: { close(): void };
  #episode: number | undefined;
  /** States of the newest episode by step, without the first state, which has no reward. */
  #states = new Map<number, TaskState>();
  #waiter: Waiter | undefined;

  constructor(transport: Transport) {
    this.#subscription = transport.subscribe(
      topics.taskState,
      'iq_learn/msg/TaskState',
      (task) => this.#take(task),
      qos.event,
    );
  }

  /** Resolves when the episode with this number has ended; TIMEOUT when it makes no step for 180 s. One at a time. */
  outcome(episode: number): Promise<EpisodeSummary> {
    clearTimeout(this.#waiter?.timer);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiter = undefined;
        reject(
          new IqLearnError('TIMEOUT', 'the simulated robot makes no steps', {
            found: `${this.#states.size} steps, then nothing for ${STALL_MS / 1000} s`,
            remedy: 'look at /diagnostics: which node has stopped?',
          }),
        );
      }, STALL_MS);
      this.#waiter = { episode, timer, resolve };
      this.#settle();
    });
  }

  /** Ends the subscription; an outcome that is still awaited never comes. */
  close(): void {
    clearTimeout(this.#waiter?.timer);
    this.#waiter = undefined;
    this.#subscription.close();
  }

  #take(task: TaskState): void {
    if (task.episode !== this.#episode) {
      this.#episode = task.episode;
      this.#states = new Map();
    }
    // A simulator that waits for a command publishes its state again.
    if (task.step === 0 || this.#states.has(task.step)) return;
    this.#states.set(task.step, task);
    this.#waiter?.timer.refresh();
    this.#settle();
  }

  #settle(): void {
    const waiter = this.#waiter;
    if (waiter === undefined || waiter.episode !== this.#episode) return;
    const states = [...this.#states.values()];
    const last = states.at(-1);
    if (last === undefined || !(last.terminated || last.truncated)) return;
    clearTimeout(waiter.timer);
    this.#waiter = undefined;
    const sum = states.reduce((total, { reward }) => total + reward, 0);
    waiter.resolve({ return: sum, length: last.step, success: last.success, terminated: last.terminated });
  }
}
