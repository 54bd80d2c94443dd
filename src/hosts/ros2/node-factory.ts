import { IqLearnError, messageOf } from '../../common/index.js';
import type { HostedLifecycle, Prepared } from './executable.js';

/**
 * Makes the node that is to be configured, beside the event loop: transitions are immediate in ROS 2, making a node
 * (a policy, a worker, a process, a file) is not. Holds one node, made from the newest parameters.
 */
export class NodeFactory {
  readonly #make: () => Promise<Prepared>;
  readonly #changed: (outcome: 'ready' | IqLearnError) => void;
  #prepared: Prepared | undefined;
  #problem: IqLearnError | undefined;
  #working: Promise<void> = Promise.resolve();
  #busy = false;
  /** Counts requests: what is made for an older one is thrown away. */
  #wanted = 0;
  #closed = false;

  /** `changed` hears how each making ended. */
  constructor(make: () => Promise<Prepared>, changed: (outcome: 'ready' | IqLearnError) => void) {
    this.#make = make;
    this.#changed = changed;
  }

  /** The node that stands ready, or that is in use. */
  get node(): HostedLifecycle | undefined {
    return this.#prepared?.node;
  }

  /** Why there is no node, where making it failed. */
  get problem(): IqLearnError | undefined {
    return this.#problem;
  }

  /** Makes the node anew; what was there is given back first. Resolves when it stands ready or could not be made. */
  renew(): Promise<void> {
    const wanted = ++this.#wanted;
    this.#busy = true;
    this.#problem = undefined;
    // Stopping a robot is done when this returns, whatever is being made.
    const released = this.#release();
    this.#working = Promise.all([this.#working, released]).then(async () => {
      if (wanted !== this.#wanted || this.#closed) return;
      try {
        this.#prepared = await this.#make();
      } catch (error) {
        this.#problem =
          error instanceof IqLearnError
            ? error
            : new IqLearnError('INTERNAL', 'the node cannot be made', { found: messageOf(error), cause: error });
      }
      if (wanted !== this.#wanted || this.#closed) {
        await this.#release();
        return;
      }
      this.#busy = false;
      this.#changed(this.#problem ?? 'ready');
    });
    return this.#working;
  }

  /**
   * The node that stands ready; undefined while it is being made. Throws why it could not be made, and tries again: the
   * next to ask may have it.
   */
  take(): HostedLifecycle | undefined {
    if (this.#prepared !== undefined && !this.#busy) return this.#prepared.node;
    const problem = this.#problem;
    if (problem !== undefined) {
      void this.renew();
      throw problem;
    }
    return undefined;
  }

  /** Shuts the node down (at once, what moves a robot) and gives everything back. */
  async close(): Promise<void> {
    this.#closed = true;
    const released = this.#release();
    await Promise.all([this.#working, released]);
  }

  async #release(): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared === undefined) return;
    try {
      await prepared.node.shutdown();
    } finally {
      await prepared.release?.();
    }
  }
}
