import { IqLearnError } from '../../common/index.js';
import type { TaskState } from '../../messages/index.js';
import { topics } from '../../nodes/index.js';
import { qos, type Transport } from '../../transport/index.js';

export interface Outcome {
  /** Sum of the task's rewards. */
  readonly return: number;
  readonly length: number;
  readonly success: boolean;
}

/** Follows the episodes of a simulated robot by /task_state: one subscription for all, as those take time to be found. */
export class TaskWatch {
  readonly #subscription: { close(): void };
  #steps = new Map<number, TaskState>();
  #episode = -1;
  #tell: (() => void) | undefined;

  constructor(transport: Transport) {
    this.#subscription = transport.subscribe(
      topics.taskState,
      'iq_learn/msg/TaskState',
      (task) => this.#take(task),
      qos.event,
    );
  }

  /** The outcome of an episode that has just been started. TIMEOUT where it makes no step for so long. */
  async outcome(episode: number, signal: AbortSignal, quietMs = 180_000): Promise<Outcome> {
    for (;;) {
      const end = this.#ending(episode);
      if (end !== undefined) {
        const states = [...this.#steps.values()];
        return { return: states.reduce((sum, { reward }) => sum + reward, 0), length: end.step, success: end.success };
      }
      await new Promise<void>((resolve, reject) => {
        const fail = (error: IqLearnError): void => {
          clearTimeout(timer);
          reject(error);
        };
        const abort = (): void => fail(new IqLearnError('CANCELLED', 'interrupted'));
        const timer = setTimeout(
          () =>
            fail(
              new IqLearnError('TIMEOUT', 'the simulated robot makes no steps', {
                found: `nothing for ${quietMs / 1000} s`,
                remedy: 'look at /diagnostics: which node has stopped?',
              }),
            ),
          quietMs,
        );
        signal.addEventListener('abort', abort, { once: true });
        this.#tell = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          resolve();
        };
        if (signal.aborted) abort();
      });
    }
  }

  close(): void {
    this.#subscription.close();
  }

  #take(task: TaskState): void {
    if (task.episode !== this.#episode) {
      this.#episode = task.episode;
      this.#steps = new Map();
    }
    // The first state has no reward, and one that is said again no new one.
    if (task.step > 0) this.#steps.set(task.step, task);
    this.#tell?.();
  }

  #ending(episode: number): TaskState | undefined {
    if (this.#episode !== episode) return undefined;
    const last = [...this.#steps.values()].at(-1);
    return last !== undefined && (last.terminated || last.truncated) ? last : undefined;
  }
}
