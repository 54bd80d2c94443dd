import { IqLearnError, type Observation, type ObservationSpec } from '../common/index.js';
import { nanosecondsOf, type Odometry, type PoseStamped, type Transition } from '../messages/index.js';
import { topics, transitionObservations } from '../nodes/index.js';
import { observationOf, type RobotSpec } from '../robot/index.js';
import { qos, type Transport } from '../transport/index.js';

export interface PoseSample {
  /** Metres. */
  readonly position: readonly [number, number, number];
  /** Quaternion x, y, z, w. */
  readonly orientation: readonly [number, number, number, number];
}

/** What happened along an episode of n steps. */
export interface EpisodeTrace {
  /** n + 1 observations, in the robot's units. */
  readonly observations: readonly Observation[];
  /** n executed actions, in the robot's units. */
  readonly actions: readonly Float32Array[];
  /** n rewards of the task. */
  readonly rewards: readonly number[];
  /** n + 1 poses for each topic of type Odometry or PoseStamped, by topic. */
  readonly poses: Readonly<Record<string, readonly PoseSample[]>>;
}

/** How long the last transition of an episode may take to arrive after the episode's end. */
const LAST_TRANSITION_MS = 30_000;

/** Collects the transitions and poses of one episode; made before the episode starts. */
export class EpisodeTracer {
  readonly #closables: { close(): void }[] = [];
  readonly #spec: ObservationSpec;
  readonly #observations: Observation[] = [];
  readonly #actions: Float32Array[] = [];
  readonly #rewards: number[] = [];
  readonly #poses: Record<string, PoseSample[]> = {};
  /** Stamp of the newest pose of each topic, nanoseconds. */
  readonly #poseNs = new Map<string, bigint>();
  #arrived: () => void = () => {};

  constructor(transport: Transport, spec: RobotSpec) {
    this.#spec = observationOf(spec);
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

  /** The trace once it has `length` transitions. Throws TIMEOUT where the last ones do not arrive. */
  async trace(length: number): Promise<EpisodeTrace> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new IqLearnError('TIMEOUT', 'an episode ended and its last transitions did not arrive', {
              found: `${this.#actions.length} transitions`,
              expected: `${length}`,
            }),
          ),
        LAST_TRANSITION_MS,
      );
      this.#closables.push({ close: () => clearTimeout(timer) });
      this.#arrived = () => {
        if (this.#actions.length < length) return;
        clearTimeout(timer);
        resolve();
      };
      this.#arrived();
    });
    return {
      observations: this.#observations,
      actions: this.#actions,
      rewards: this.#rewards,
      poses: this.#poses,
    };
  }

  close(): void {
    for (const closable of this.#closables) closable.close();
  }

  #takeTransition(transition: Transition): void {
    const [before, after] = transitionObservations(this.#spec, transition);
    if (this.#observations.length === 0) this.#observations.push(before);
    this.#observations.push(after);
    this.#actions.push(Float32Array.from(transition.action));
    this.#rewards.push(transition.reward);
    this.#arrived();
  }

  #takePose(topic: string, message: Odometry | PoseStamped): void {
    const stampNs = nanosecondsOf(message.header.stamp);
    if (stampNs <= (this.#poseNs.get(topic) ?? -1n)) return; // published again
    this.#poseNs.set(topic, stampNs);
    const { position, orientation } = 'child_frame_id' in message ? message.pose.pose : message.pose;
    this.#poses[topic]!.push({
      position: [position.x, position.y, position.z],
      orientation: [orientation.x, orientation.y, orientation.z, orientation.w],
    });
  }
}
