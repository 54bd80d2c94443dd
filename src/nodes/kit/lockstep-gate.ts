import { nanosecondsOf, type TaskState } from '../../messages/index.js';
import type { ObservationAssembler } from '../../robot/index.js';

export interface ReadyStep {
  readonly stampNs: bigint;
  readonly task: TaskState;
  /** True where this instant was handled already: it was published again because an answer got lost. */
  readonly repeated: boolean;
}

/**
 * Lockstep with a simulator: tells when the state topics and /task_state have all spoken of one instant that is newer
 * than the last one handled. Messages may come in any order, twice, or late.
 */
export class LockstepGate {
  readonly #assembler: ObservationAssembler;
  readonly #jumpNs: bigint;
  #task: TaskState | undefined;
  #taskNs = -1n;
  #handledNs = -1n;
  #again = false;

  /** Stamps that go back by more than `jumpMs` are a simulator that began anew, not a late message. */
  constructor(assembler: ObservationAssembler, jumpMs = 1000) {
    this.#assembler = assembler;
    this.#jumpNs = BigInt(jumpMs) * 1_000_000n;
  }

  takeTask(task: TaskState): void {
    const stampNs = nanosecondsOf(task.header.stamp);
    if (stampNs < this.#taskNs) {
      if (this.#taskNs - stampNs <= this.#jumpNs) return;
      this.#handledNs = -1n;
    }
    this.#again = stampNs === this.#handledNs;
    this.#task = task;
    this.#taskNs = stampNs;
  }

  /** All topics have spoken of the task's instant, and none of a later one: then this instant's state is gone. */
  #isComplete(): boolean {
    if (!this.#assembler.completeAt(this.#taskNs)) return false;
    for (const stampNs of this.#assembler.stamps.values()) if (stampNs > this.#taskNs) return false;
    return true;
  }

  /** The step that is ready to be handled, once. */
  next(): ReadyStep | undefined {
    const task = this.#task;
    if (task === undefined) return undefined;
    const repeated = this.#again;
    if (!repeated && (this.#taskNs === this.#handledNs || !this.#isComplete())) return undefined;
    this.#again = false;
    this.#handledNs = this.#taskNs;
    return { stampNs: this.#taskNs, task, repeated };
  }
}
