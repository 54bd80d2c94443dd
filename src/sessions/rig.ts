import { cancelled, IqLearnError, steadyClock } from '../common/index.js';
import type { LifecycleState, NodeContext } from '../nodes/index.js';
import { SimulatorNode } from '../nodes/index.js';
import type { Logger } from '../platform/index.js';
import { createNodeLogger } from '../platform/index.js';
import type { RobotSpec } from '../robot/index.js';
import { createTaskClient } from '../simulation/index.js';
import { EmbeddedBroker, type Transport } from '../transport/index.js';
import { TransportConductor } from './conductor.js';

/**
 * Nothing is lost within a process. A state that waits for its answer, for a policy that is being learned perhaps, is not
 * told again: what a person would answer twice to it could not be told from the answer to the next one.
 */
const REPEAT_MS = 60_000;

/** Settings that all sessions share. */
export interface RigOptions {
  readonly spec: RobotSpec;
  /** Options of the simulator's task. */
  readonly task?: Parameters<typeof createTaskClient>[1];
  /** Logger of a node; by default to the console. */
  readonly logger?: (node: string) => Logger;
  readonly signal?: AbortSignal;
  /** Where the topics are, for others to look on; one of its own if not given. */
  readonly broker?: EmbeddedBroker;
}

interface RigNode {
  readonly name: string;
  readonly state: LifecycleState;
  deactivate(): void;
  configure(): void;
  activate(): void;
  shutdown(): Promise<void>;
  onFault(listener: (error: IqLearnError) => void): void;
}

/** A simulated robot on a broker of its own, in lockstep, and the nodes that were added to it. */
export class Rig {
  readonly spec: RobotSpec;
  readonly transport: Transport;
  readonly conductor: TransportConductor;
  readonly #broker: EmbeddedBroker;
  readonly #options: RigOptions;
  readonly #nodes: RigNode[] = [];
  readonly #onAbort: () => void;
  readonly #guards = new Set<(error: unknown) => void>();
  #problem: IqLearnError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: RigOptions, broker: EmbeddedBroker) {
    this.#options = options;
    this.spec = options.spec;
    this.#broker = broker;
    this.transport = broker.connect();
    this.conductor = new TransportConductor(this.transport, options.spec, (work) => this.guard(work));
    this.#onAbort = () => this.#stop(cancelled());
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Throws NOT_FOUND where the robot has no simulated task, CANCELLED where the signal was given already. */
  static async create(options: RigOptions): Promise<Rig> {
    const { spec, signal } = options;
    if (signal?.aborted === true) throw cancelled();
    if (spec.task === null)
      throw new IqLearnError('NOT_FOUND', `${spec.robot} cannot be simulated`, {
        found: 'a description without a task',
        expected: "the name of a simulated task in 'task'",
        remedy: 'run with the real robot, or choose a robot that has a task',
      });
    const rig = new Rig(options, options.broker ?? new EmbeddedBroker());
    const client = await createTaskClient(spec.task, options.task ?? {});
    try {
      rig.add(new SimulatorNode(rig.context('simulator'), client, { repeatMs: REPEAT_MS }));
    } catch (error) {
      await rig.close();
      throw error;
    }
    return rig;
  }

  context(node: string): NodeContext {
    const logger = (this.#options.logger ?? createNodeLogger)(node);
    return { transport: this.#broker.connect(), spec: this.spec, clock: steadyClock, logger };
  }

  /** Configures and activates a node; it is shut down with the rig. */
  add<Node extends RigNode>(node: Node): Node {
    this.#nodes.push(node);
    node.onFault((error) => this.#stop(error));
    node.configure();
    node.activate();
    return node;
  }

  /** Resolves as `work` does; rejects at once when a node fails (its error) or the signal is given (CANCELLED). */
  async guard<T>(work: Promise<T>): Promise<T> {
    if (this.#problem !== undefined) {
      // Nobody waits for it any more. A call to a node, for example, will fail when the node is shut down.
      work.catch(() => undefined);
      throw this.#problem;
    }
    let stop: (error: unknown) => void = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = reject;
    });
    this.#guards.add(stop);
    try {
      return await Promise.race([work, stopped]);
    } finally {
      this.#guards.delete(stop);
    }
  }

  /** Ends all nodes: the robot is stopped first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stop(cancelled());
    this.conductor.close();
    const nodes = this.#nodes.toReversed();
    const ends = await Promise.allSettled(nodes.map((node) => node.shutdown()));
    if (this.#options.broker === undefined) await this.#broker.close();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  #stop(error: IqLearnError): void {
    this.#problem ??= error;
    // What drives the robot says its stop before anything else happens.
    for (const node of this.#nodes) if (node.name === 'policy' && node.state === 'active') node.deactivate();
    for (const stop of this.#guards) stop(this.#problem);
  }
}
