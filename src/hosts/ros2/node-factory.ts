import { IqLearnError, messageOf } from '../../common/index.js';
import type { HostedLifecycle, Prepared } from './executable.js';

/**
 * Prepares the node that is to be configured. A transition of ROS 2 is synchronous, but preparing a node is not: it may
 * load a policy, start a worker or a process, or open a file. There is one node, made from the newest parameters.
 */
export class NodeFactory {
  readonly #make: () => Promise<Prepared>;
  readonly #changed: (outcome: 'ready' | IqLearnError) => void;
  #prepared: Prepared | undefined;
  #problem: IqLearnError | undefined;
  #working: Promise<void> = Promise.resolve();
  #busy = false;
  /** Counts requests: a node that was made for an older one is shut down. */
  #wanted = 0;
  #closed = false;

  /** `changed` is called when a node is ready, or could not be made. */
  constructor(make: () => Promise<Prepared>, changed: (outcome: 'ready' | IqLearnError) => void) {
    this.#make = make;
    this.#changed = changed;
  }

  /** The node that is ready or in use. */
  get node(): HostedLifecycle | undefined {
    return this.#prepared?.node;
  }

  /** Why making the node failed, if it did. */
  get problem(): IqLearnError | undefined {
    return this.#problem;
  }

  /** Makes a new node, and releases the old one first. Resolves when it is ready or could not be made. */
  renew(): Promise<void> {
    const wanted = ++this.#wanted;
    this.#busy = true;
    this.#problem = undefined;
    // When this returns the robot is stopped, even while another node is being made.
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
   * The node that is ready; undefined while it is being made. Throws the reason why it could not be made, and tries
   * again, so that a later call may get it.
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

  /** Shuts the node down and releases everything. A node that moves a robot has stopped it when this returns. */
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
