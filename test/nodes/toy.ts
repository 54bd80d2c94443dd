import * as tf from '@tensorflow/tfjs';
import type { ManualClock } from '#src/common/clock.js';
import { steadyClock, vectorObservation } from '#src/common/index.js';
import type { MessageTypeName, MessageTypes } from '#src/messages/index.js';
import type { NodeContext } from '#src/nodes/index.js';
import type { Logger } from '#src/platform/index.js';
import { encodeBundle, type PolicyBundle } from '#src/policy/index.js';
import { contractOf, parseRobotSpec } from '#src/robot/index.js';
import type { SensorReadings, StepResult, TaskClient } from '#src/simulation/index.js';
import { type BrokerOptions, EmbeddedBroker, qos, type Transport } from '#src/transport/index.js';

export const specText = `
robot: trolley
description: A trolley on a rail that is to stop at the origin.
task: trolley
rate_hz: 20
frame_id: base_link
state:
  /odom: { type: nav_msgs/msg/Odometry, timeout_ms: 200, frame_id: odom }
observation:
  - { name: x, topic: /odom, field: pose.pose.position.x, unit: m, low: -10, high: 10 }
  - { name: v, topic: /odom, field: twist.twist.linear.x, unit: m/s, low: -2, high: 2 }
command: { topic: /cmd_vel, type: geometry_msgs/msg/TwistStamped, timeout_ms: 200 }
teleop: { topic: /teleop/cmd_vel, timeout_ms: 200 }
action:
  - { name: speed, path: twist.linear.x, unit: m/s, low: -1, high: 1, max_rate: 40 }
estop_topic: /estop
stop: zero
`;

/** A trolley on a rail: its position and speed are seen, its speed is commanded. */
export const spec = parseRobotSpec(specText, 'trolley.yaml');

/** The trolley in this thread: x ← x + v/20, done within 5 cm of the origin, cut after 40 steps. */
export class Trolley implements TaskClient {
  readonly name = 'trolley';
  readonly observationSpace = {
    kind: 'box',
    dimensions: [
      { name: 'x', unit: 'm', low: -10, high: 10 },
      { name: 'v', unit: 'm/s', low: -2, high: 2 },
    ],
  } as const;
  readonly actionSpace = {
    kind: 'box',
    dimensions: [{ name: 'speed', unit: 'm/s', low: -1, high: 1 }],
  } as const;
  readonly stepSeconds = 0.05;
  readonly maxSteps = 40;
  /** Every action the task was given. */
  readonly actions: number[] = [];
  /** Put into the readings in place of x. */
  fake: number | undefined;
  x = 0;
  v = 0;
  steps = 0;
  failure: Error | undefined;

  async reset(seed: number): Promise<{ observation: Float64Array; readings: SensorReadings }> {
    this.x = seed % 2 === 0 ? 1 + (seed % 7) / 10 : -1 - (seed % 7) / 10;
    this.v = 0;
    this.steps = 0;
    return { observation: Float64Array.of(this.x, this.v), readings: this.#readings() };
  }

  async step(action: ArrayLike<number>): Promise<StepResult & { readings: SensorReadings }> {
    if (this.failure !== undefined) throw this.failure;
    this.actions.push(action[0]!);
    this.v = action[0]!;
    this.x += this.v * this.stepSeconds;
    this.steps++;
    const terminated = Math.abs(this.x) < 0.05;
    return {
      observation: Float64Array.of(this.x, this.v),
      reward: -Math.abs(this.x),
      terminated,
      truncated: !terminated && this.steps >= this.maxSteps,
      success: terminated,
      readings: this.#readings(),
    };
  }

  async scene() {
    return [];
  }
  async snapshot() {
    return Float64Array.of(this.x, this.v, this.steps);
  }
  async restore(state: Float64Array) {
    [this.x, this.v, this.steps] = state as unknown as [number, number, number];
  }
  async close() {}

  #readings(): SensorReadings {
    return {
      odometry: {
        pose: { position: [this.fake ?? this.x, 0, 0], orientation: [0, 0, 0, 1] },
        linear: [this.v, 0, 0],
        angular: [0, 0, 0],
      },
    };
  }
}

/** What a person would do: towards the origin, slower when near. */
export const driver = {
  reset() {},
  act: (observation: Float32Array) => [Math.max(-1, Math.min(1, -4 * observation[0]!))],
};

/** speed = tanh(gain·x + ε/2): drives home with a negative gain, away with a positive one. */
export async function trolleyBundle(version: number, gain = -4): Promise<PolicyBundle> {
  return await encodeBundle({
    policy: {
      observation: vectorObservation(2),
      actionSize: 1,
      constants: { gain: { spec: { shape: [2, 1], dtype: 'float32' }, data: Float32Array.of(gain, 0) } },
      apply: ({ observation, noise }, constants) => ({
        action: tf.tanh(
          tf.add(tf.matMul(observation as tf.Tensor2D, constants.gain as tf.Tensor2D), tf.mul(noise!, 0.5)),
        ),
      }),
    },
    contract: contractOf(spec),
    version,
  });
}

export interface LogRecord {
  readonly node: string;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A broker with quiet nodes on it and a bystander's transport to look and speak with. */
export class Rig {
  readonly broker: EmbeddedBroker;
  readonly transport: Transport;
  readonly records: LogRecord[] = [];
  readonly robot: typeof spec;
  readonly clock: ManualClock | undefined;
  readonly #publishers = new Map<string, { publish(message: unknown): void }>();
  readonly #nodes: { shutdown(): Promise<void> }[] = [];

  constructor(options: BrokerOptions & { robot?: typeof spec; manual?: ManualClock } = {}) {
    this.robot = options.robot ?? spec;
    this.clock = options.manual;
    this.broker = new EmbeddedBroker({ freeze: true, ...options });
    this.transport = this.broker.connect();
  }

  context(node: string): NodeContext {
    const say =
      (level: string) =>
      (message: string, fields: Record<string, unknown> = {}): void => {
        this.records.push({ node, level, message, fields });
      };
    const logger = { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') };
    return {
      transport: this.broker.connect(),
      spec: this.robot,
      clock: this.clock ?? steadyClock,
      logger: logger as unknown as Logger,
    };
  }

  /** Configures and activates a node; it ends with the rig. */
  start<Node extends { configure(): void; activate(): void; shutdown(): Promise<void> }>(node: Node): Node {
    this.#nodes.push(node);
    node.configure();
    node.activate();
    return node;
  }

  /** Collects a topic's messages. */
  listen<Name extends MessageTypeName>(topic: string, type: Name): MessageTypes[Name][] {
    const messages: MessageTypes[Name][] = [];
    this.transport.subscribe(topic, type, (message) => messages.push(message), {
      reliability: 'best_effort',
      durability: 'volatile',
      depth: 1000,
    });
    return messages;
  }

  say<Name extends MessageTypeName>(topic: string, type: Name, message: MessageTypes[Name], latched = false): void {
    let publisher = this.#publishers.get(topic);
    if (publisher === undefined) {
      publisher = this.transport.advertise(topic, type, latched ? qos.latched : qos.event) as never;
      this.#publishers.set(topic, publisher!);
    }
    publisher!.publish(message);
  }

  async startEpisode(service: string, seed: number) {
    return await this.transport.call(
      service,
      'iq_learn/srv/StartEpisode',
      { seed: BigInt(seed) },
      { timeoutMs: 60_000 },
    );
  }

  async trigger(service: string) {
    return await this.transport.call(service, 'std_srvs/srv/Trigger', {}, { timeoutMs: 60_000 });
  }

  async close(): Promise<void> {
    for (const node of this.#nodes.toReversed()) await node.shutdown();
    await this.broker.close();
  }
}

/** Waits until something holds; fails loudly where it never does. */
export async function until(holds: () => boolean, what: string, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A value of a node's diagnostics. */
export function diagnosed(node: { status(): { values: { key: string; value: string }[] } }, key: string): string {
  const found = node.status().values.find((value) => value.key === key);
  if (found === undefined) throw new Error(`no '${key}' in the diagnostics`);
  return found.value;
}
