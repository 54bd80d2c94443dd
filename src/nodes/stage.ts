import { createNodeLogger, IqLearnError, type Logger, steadyClock } from '../common/index.js';
import { nanosecondsOf, type Odometry, type PoseStamped, type TaskState, type Transition } from '../messages/index.js';
import type { RobotSpec } from '../robot/index.js';
import { createTaskClient } from '../simulation/index.js';
import { createEmbeddedBroker, type EmbeddedBroker, qos, type Transport } from '../transport/index.js';
import type { LifecycleState, NodeContext } from './lifecycle.js';
import { SimulatorNode } from './simulator.js';
import { topics } from './topics.js';

export interface PoseSample {
  /** Metres. */
  readonly position: readonly [number, number, number];
  /** x, y, z, w. */
  readonly orientation: readonly [number, number, number, number];
}

/** What happened along an episode of n steps. */
export interface EpisodeTrace {
  /** n + 1 observations, in the robot's units. */
  readonly observations: readonly Float32Array[];
  /** n executed actions, in the robot's units. */
  readonly actions: readonly Float32Array[];
  /** n rewards of the task. */
  readonly rewards: readonly number[];
  /** By topic (Odometry, PoseStamped): n + 1 poses. */
  readonly poses: Readonly<Record<string, readonly PoseSample[]>>;
}

export interface EpisodeOutcome {
  readonly seed: number;
  /** Sum of the task's rewards. */
  readonly return: number;
  /** Steps. */
  readonly length: number;
  readonly success: boolean;
  readonly terminated: boolean;
  readonly trace?: EpisodeTrace;
}

/** Settings that all sessions share. */
export interface StageOptions {
  readonly spec: RobotSpec;
  /** Options of the simulator's task. */
  readonly task?: Parameters<typeof createTaskClient>[1];
  /** Logger of a node; by default to the console. */
  readonly logger?: (node: string) => Logger;
  readonly signal?: AbortSignal;
}

interface StageNode {
  readonly name: string;
  readonly state: LifecycleState;
  deactivate(): void;
  configure(): void;
  activate(): void;
  shutdown(): Promise<void>;
  onFault(listener: (error: IqLearnError) => void): void;
}

const CALL_TIMEOUT_MS = 30_000;
/** Without a step for so long an episode is given up: longer than the policy node waits for its learner. */
const STALL_MS = 180_000;

/** A simulated robot on a broker of its own, in lockstep, and the nodes that were added to it. */
export class Stage {
  readonly spec: RobotSpec;
  readonly transport: Transport;
  readonly #broker: EmbeddedBroker;
  readonly #options: StageOptions;
  readonly #nodes: StageNode[] = [];
  readonly #onAbort: () => void;
  readonly #guards = new Set<(error: unknown) => void>();
  #problem: IqLearnError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: StageOptions, broker: EmbeddedBroker) {
    this.#options = options;
    this.spec = options.spec;
    this.#broker = broker;
    this.transport = broker.connect();
    this.#onAbort = () => this.#stop(cancelled());
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Throws NOT_FOUND where the robot has no simulated task, CANCELLED where the signal was given already. */
  static async create(options: StageOptions): Promise<Stage> {
    const { spec, signal } = options;
    if (signal?.aborted === true) throw cancelled();
    if (spec.task === null)
      throw new IqLearnError('NOT_FOUND', `${spec.robot} cannot be simulated`, {
        found: 'a description without a task',
        expected: "the name of a simulated task in 'task'",
        remedy: 'run with the real robot, or choose a robot that has a task',
      });
    const stage = new Stage(options, createEmbeddedBroker());
    const client = await createTaskClient(spec.task, options.task ?? {});
    try {
      stage.add(new SimulatorNode(stage.context('simulator'), client));
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  context(node: string): NodeContext {
    const logger = (this.#options.logger ?? createNodeLogger)(node);
    return { transport: this.#broker.connect(), spec: this.spec, clock: steadyClock, logger };
  }

  /** Configures and activates a node; it is shut down with the stage. */
  add<Node extends StageNode>(node: Node): Node {
    this.#nodes.push(node);
    node.onFault((error) => this.#stop(error));
    node.configure();
    node.activate();
    return node;
  }

  /** Calls a start_episode service. Throws CONFLICT with the node's reason where it refuses. */
  async start(service: string, seed: number): Promise<number> {
    const { success, message, episode } = await this.transport.call(
      service,
      'iq_learn/srv/StartEpisode',
      { seed: BigInt(seed) },
      { timeoutMs: CALL_TIMEOUT_MS },
    );
    if (!success) throw new IqLearnError('CONFLICT', `${service} refuses`, { found: message });
    return episode;
  }

  /** Calls a Trigger service. Throws CONFLICT with the node's reason where it refuses. */
  async trigger(service: string): Promise<void> {
    const { success, message } = await this.transport.call(
      service,
      'std_srvs/srv/Trigger',
      {},
      { timeoutMs: CALL_TIMEOUT_MS },
    );
    if (!success) throw new IqLearnError('CONFLICT', `${service} refuses`, { found: message });
  }

  /** Resolves as `work` does; rejects at once when a node fails (its error) or the signal is given (CANCELLED). */
  async guard<T>(work: Promise<T>): Promise<T> {
    if (this.#problem !== undefined) throw this.#problem;
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

  /** Runs one episode from a reset with `seed` to its end. */
  async runEpisode(seed: number, trace = false): Promise<EpisodeOutcome> {
    const follower = new EpisodeFollower(this.transport, this.spec, seed, trace);
    try {
      return await this.guard(
        (async () => {
          await this.start('/simulator/start_episode', seed);
          return await follower.outcome;
        })(),
      );
    } finally {
      follower.close();
    }
  }

  /** Ends all nodes: first each stops what it does, the newest (what drives the robot) first, then they are released. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stop(cancelled());
    const nodes = this.#nodes.toReversed();
    for (const node of nodes) if (node.state === 'active') node.deactivate();
    const ends = await Promise.allSettled(nodes.map((node) => node.shutdown()));
    await this.#broker.close();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  #stop(error: IqLearnError): void {
    this.#problem ??= error;
    for (const stop of this.#guards) stop(this.#problem);
  }
}

export function cancelled(): IqLearnError {
  return new IqLearnError('CANCELLED', 'interrupted', { remedy: 'what was finished is saved' });
}

/** Follows an episode from its first state to its end. */
class EpisodeFollower {
  readonly outcome: Promise<EpisodeOutcome>;
  readonly #seed: number;
  readonly #closables: { close(): void }[] = [];
  readonly #trace: { observations: Float32Array[]; actions: Float32Array[]; rewards: number[] } | undefined;
  readonly #poses: Record<string, PoseSample[]> = {};
  readonly #poseNs = new Map<string, bigint>();
  readonly #stall: NodeJS.Timeout;
  #episode: number | undefined;
  #return = 0;
  #length = 0;
  #end: TaskState | undefined;
  #resolve!: (outcome: EpisodeOutcome) => void;

  constructor(transport: Transport, spec: RobotSpec, seed: number, trace: boolean) {
    this.#seed = seed;
    this.#trace = trace ? { observations: [], actions: [], rewards: [] } : undefined;
    let reject: (error: IqLearnError) => void;
    this.outcome = new Promise((resolve, fail) => {
      this.#resolve = resolve;
      reject = fail;
    });
    this.outcome.catch(() => undefined);
    this.#stall = setTimeout(
      () =>
        reject(
          new IqLearnError('TIMEOUT', 'the simulated robot gets no commands', {
            found: `${this.#length} steps, then nothing for ${STALL_MS / 1000} s`,
            remedy: 'look at /diagnostics: which node has stopped?',
          }),
        ),
      STALL_MS,
    );
    this.#closables.push(
      transport.subscribe(topics.taskState, 'iq_learn/msg/TaskState', (task) => this.#takeTask(task), qos.event),
    );
    if (!trace) return;
    this.#closables.push(
      transport.subscribe(
        topics.transitions,
        'iq_learn/msg/Transition',
        (message) => this.#takeTransition(message),
        qos.event,
      ),
    );
    for (const { topic, type } of spec.stateTopics)
      if (type === 'nav_msgs/msg/Odometry' || type === 'geometry_msgs/msg/PoseStamped') {
        this.#poses[topic] = [];
        this.#closables.push(
          transport.subscribe(topic, type, (message: Odometry | PoseStamped) => this.#takePose(topic, message), {
            ...qos.sensor,
            depth: 100,
          }),
        );
      }
  }

  close(): void {
    clearTimeout(this.#stall);
    for (const closable of this.#closables) closable.close();
  }

  #takeTask(task: TaskState): void {
    if (task.step === 0) this.#episode ??= task.episode;
    if (task.episode !== this.#episode || this.#end !== undefined) return;
    if (task.step !== this.#length + 1) return; // the first state, or one that was said again
    this.#stall.refresh();
    this.#length = task.step;
    this.#return += task.reward;
    if (task.terminated || task.truncated) {
      this.#end = task;
      this.#finish();
    }
  }

  #takeTransition({ observation, action, next_observation, reward, terminated, truncated }: Transition): void {
    const trace = this.#trace!;
    if (trace.observations.length === 0) trace.observations.push(Float32Array.from(observation));
    trace.observations.push(Float32Array.from(next_observation));
    trace.actions.push(Float32Array.from(action));
    trace.rewards.push(reward);
    if (terminated || truncated) this.#finish();
  }

  #takePose(topic: string, message: Odometry | PoseStamped): void {
    const stampNs = nanosecondsOf(message.header.stamp);
    if (stampNs <= (this.#poseNs.get(topic) ?? -1n)) return; // said again
    this.#poseNs.set(topic, stampNs);
    const { position, orientation } = 'child_frame_id' in message ? message.pose.pose : message.pose;
    this.#poses[topic]!.push({
      position: [position.x, position.y, position.z],
      orientation: [orientation.x, orientation.y, orientation.z, orientation.w],
    });
  }

  #finish(): void {
    const end = this.#end;
    if (end === undefined) return;
    const trace = this.#trace;
    if (trace !== undefined && trace.actions.length < this.#length) return; // the last transition is on its way
    this.#resolve({
      seed: this.#seed,
      return: this.#return,
      length: this.#length,
      success: end.success,
      terminated: end.terminated,
      ...(trace === undefined ? {} : { trace: { ...trace, poses: this.#poses } }),
    });
  }
}
