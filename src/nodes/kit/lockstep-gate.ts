import { nanosecondsOf, type TaskState } from '../../messages/index.js';
import type { ObservationAssembler } from '../../robot/index.js';

export interface ReadyStep {
  readonly stampNs: bigint;
  readonly task: TaskState;
  /** The state was handled before; the simulator published it again since the answer got lost. */
  readonly repeated: boolean;
}

/**
 * Lockstep with a simulator: finds out when all state topics and /task_state have arrived for one instant that is newer
 * than the last one handled. Messages may come in any order, twice, or late.
 */
export class LockstepGate {
  readonly #assembler: ObservationAssembler;
  readonly #jumpNs: bigint;
  #task: TaskState | undefined;
  #taskNs = -1n;
  #handledNs = -1n;
  #again = false;

  /** A stamp that goes back by more than `jumpMs` means that the simulator began anew; by less, a late message. */
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

  /** All topics have arrived for the task's instant, and none for a later one, which would have replaced its state. */
  #isComplete(): boolean {
    if (!this.#assembler.completeAt(this.#taskNs)) return false;
    for (const stampNs of this.#assembler.stamps.values()) if (stampNs > this.#taskNs) return false;
    return true;
  }

  /** The step that is ready to be handled. Each is returned once. */
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
