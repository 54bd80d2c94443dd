import { stampOf, type TaskState } from '../../messages/index.js';

/** A supervisor says at least four times a second that it is there; after so long it counts as gone, in nanoseconds. */
const SILENCE_NS = 1_500_000_000n;

/** What the policy node knows of the supervisor of a real robot. Without supervision the policy may always drive. */
export class Supervision {
  readonly #supervised: boolean;
  #task: TaskState | undefined;
  #heardNs = 0n;

  constructor(supervised: boolean) {
    this.#supervised = supervised;
  }

  /**
   * Takes the supervisor's word. An episode that a person ends has ended at once, whatever clock the robot's state has:
   * the stamp is left out.
   */
  take(task: TaskState, nowNs: bigint): TaskState {
    this.#heardNs = nowNs;
    this.#task = { ...task, header: { ...task.header, stamp: stampOf(0n) } };
    return this.#task;
  }

  /** Whether no episode of the supervisor is under way. */
  get isBetween(): boolean {
    return this.#supervised && (this.#task === undefined || this.#task.terminated || this.#task.truncated);
  }

  /** Why the policy may not drive; empty if it may. */
  standby(nowNs: bigint): string {
    if (!this.#supervised) return '';
    if (this.#task === undefined) return 'the supervisor has not been heard; a person may drive';
    const silentNs = nowNs - this.#heardNs;
    if (silentNs > SILENCE_NS)
      return `the supervisor has not been heard for ${(Number(silentNs) / 1e9).toFixed(0)} s; a person may drive`;
    return this.isBetween ? 'between episodes; a person may drive' : '';
  }
}
