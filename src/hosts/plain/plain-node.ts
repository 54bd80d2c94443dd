import type { z } from 'zod';
import { IqLearnError, steadyClock } from '../../common/index.js';
import { linkLimits } from '../../link/index.js';
import { diagnosticLevel, type LifecycleNode, type NodeContext } from '../../nodes/index.js';
import type { Logger } from '../../platform/index.js';
import type { RobotSpec } from '../../robot/index.js';
import { isLoopback, type MqttConnection, MqttTransport, openMqtt, type TopicLimits } from '../../transport/index.js';
import type { Gauge, HealthSource } from './health.js';
import { logLinkError } from './link-errors.js';

/** The fleet in the names of a robot's own topics: they are nobody else's. */
const LOCAL = 'local';
const CONNECT_MS = 10_000;

export interface LocalTopicsOptions {
  /** mqtt://127.0.0.1:1883: a broker on the robot's computer. */
  readonly broker: string;
  readonly spec: RobotSpec;
  readonly logger: Logger;
}

/** A robot's own topics over a broker on its computer: `iq_learn/local/<robot>/<topic>`. */
export interface LocalTopics {
  readonly connection: MqttConnection;
  readonly transport: MqttTransport;
  close(): Promise<void>;
}

/**
 * What is older than this says nothing of the robot any more, and a command that waited for so long must not drive it: such
 * messages are dropped by whoever sends them, by the broker, and by whoever receives them.
 */
function limitsOf({ stateTopics, commands, deadman, estopTopic }: RobotSpec): (topic: string) => TopicLimits {
  const maxBytes = 64 * 1024 * 1024;
  const lifetimes = new Map<string, number>();
  for (const { topic, timeoutMs, teleop } of commands)
    for (const each of [{ topic, timeoutMs }, teleop]) lifetimes.set(each.topic, each.timeoutMs);
  for (const { topic, timeoutMs } of stateTopics) lifetimes.set(topic, timeoutMs);
  if (deadman !== undefined) lifetimes.set(deadman.topic, deadman.timeoutMs);
  // Whether it is pressed stays true until something else is said.
  lifetimes.set(estopTopic, 0);
  return (topic) => {
    const ms = lifetimes.get(topic);
    if (ms === undefined) return { ...linkLimits(topic), maxBytes };
    return { maxBytes, lifetimeMs: Number.isFinite(ms) ? ms : 0 };
  };
}

/**
 * Opens a robot's own topics. Throws INVALID_ARGUMENT for a broker on another machine: state, commands and the e-stop do
 * not leave the robot's computer. Rejects with UNAVAILABLE where there is no broker.
 */
export async function openLocalTopics({ broker, spec, logger }: LocalTopicsOptions): Promise<LocalTopics> {
  if (!URL.canParse(broker) || !isLoopback(broker))
    throw new IqLearnError('INVALID_ARGUMENT', "a robot's own topics stay on its computer", {
      found: `'${broker}'`,
      expected: 'a broker on this machine, as mqtt://127.0.0.1:1883',
      remedy: 'start one here (mosquitto); a learner elsewhere is joined by: iq-learn node gateway --link FILE',
    });
  const connection = await openMqtt({
    broker,
    fleet: LOCAL,
    plaintext: true,
    // A process of the same node that hangs must not be in the way of the next one.
    clientId: `${spec.robot}-${crypto.randomUUID()}`,
    limits: limitsOf(spec),
    longestWaitMs: 1000,
    onError: (error) => logLinkError(logger, error),
  });
  const transport = new MqttTransport(connection, spec.robot);
  const close = async (): Promise<void> => {
    await transport.close();
    await connection.end();
  };
  try {
    await connection.connected(CONNECT_MS);
  } catch (error) {
    await close();
    throw error;
  }
  return { connection, transport, close };
}

/** What a process needs of a node, whatever its parameters are. */
type AnyNode = Pick<LifecycleNode<z.ZodObject>, 'name' | 'configure' | 'activate' | 'shutdown' | 'onFault' | 'status'>;

/** A node, and what has to be closed with it, in the order in which that is done. */
export interface PreparedNode {
  readonly node: AnyNode;
  readonly release?: () => Promise<void> | void;
}

export interface PlainNodeOptions extends LocalTopicsOptions {
  readonly make: (context: NodeContext) => Promise<PreparedNode>;
}

/**
 * A node as a process without ROS, on a robot's own topics: it is configured and active from the start until the process
 * ends, and says how it is.
 */
export class PlainNode implements HealthSource {
  readonly #topics: LocalTopics;
  readonly #prepared: PreparedNode;

  private constructor(topics: LocalTopics, prepared: PreparedNode) {
    this.#topics = topics;
    this.#prepared = prepared;
  }

  /** Throws what opening the topics, making the node and configuring it throw. */
  static async start(options: PlainNodeOptions): Promise<PlainNode> {
    const { spec, logger, make } = options;
    const topics = await openLocalTopics(options);
    let prepared: PreparedNode | undefined;
    try {
      prepared = await make({ transport: topics.transport, spec, clock: steadyClock, logger });
      prepared.node.configure();
      prepared.node.activate();
      return new PlainNode(topics, prepared);
    } catch (error) {
      await prepared?.node.shutdown();
      await prepared?.release?.();
      await topics.close();
      throw error;
    }
  }

  onFault(listener: (error: IqLearnError) => void): void {
    this.#prepared.node.onFault(listener);
  }

  problem(): string {
    const { connected, reason } = this.#topics.connection.state;
    if (!connected) return `no connection to the broker: ${reason}`;
    const { level, message } = this.#prepared.node.status();
    return level >= diagnosticLevel.error ? message : '';
  }

  gauges(): readonly Gauge[] {
    const { name } = this.#prepared.node;
    const { level, values } = this.#prepared.node.status();
    const numbers = values.filter(({ value }) => value.trim() !== '' && Number.isFinite(Number(value)));
    return [
      {
        name: 'iq_learn_broker_connected',
        help: 'Whether there is a connection to the broker.',
        value: this.#topics.connection.state.connected ? 1 : 0,
      },
      {
        name: 'iq_learn_node_level',
        help: 'How the node is: 0 well, 1 warning, 2 error, 3 stale.',
        labels: { node: name },
        value: level,
      },
      ...numbers.map(({ key, value }) => ({
        name: 'iq_learn_node_value',
        help: 'A number of the diagnostics of the node.',
        labels: { node: name, key },
        value: Number(value),
      })),
    ];
  }

  /** When this resolves, the robot has its stop command, and what was recorded is on the disk. */
  async close(): Promise<void> {
    await this.#prepared.node.shutdown();
    await this.#prepared.release?.();
    await this.#topics.close();
  }
}
