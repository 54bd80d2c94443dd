import { IqLearnError } from '../common/index.js';
import { nanosecondsOf, type Odometry, type PoseStamped, type TaskState, type Transition } from '../messages/index.js';
import { topics } from '../nodes/index.js';
import type { RobotSpec } from '../robot/index.js';
import { qos, type Transport } from '../transport/index.js';

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

/** Without a step for so long an episode is given up: longer than the policy node waits for its learner. */
const STALL_MS = 180_000;

/** Follows an episode from its first state to its end. */
export class EpisodeFollower {
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
