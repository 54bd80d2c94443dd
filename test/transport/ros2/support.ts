import { createNodeLogger, type IqLearnError } from '#src/common/index.js';
import { qos, type Transport } from '#src/transport/index.js';
import { openRos2, type Ros2Node, type Ros2Options } from '#src/transport/ros2/index.js';

export const logger = createNodeLogger('test', { level: 'error', console: false });

/** A graph of its own for each test file: they run side by side. */
export function ownDomain(): void {
  process.env.ROS_DOMAIN_ID = String(1 + (process.pid % 100));
  process.env.ROS_AUTOMATIC_DISCOVERY_RANGE = 'LOCALHOST';
}

/** Nodes of one test, with what they reported. */
export class Nodes {
  readonly errors: IqLearnError[] = [];
  readonly all: Ros2Node[] = [];
  readonly #transports: Transport[] = [];
  #sentinels = 0;

  async open(options: Partial<Ros2Options> = {}): Promise<Ros2Node> {
    const node = await openRos2({
      nodeName: `node_${this.all.length}`,
      managed: false,
      logger,
      onError: (error) => this.errors.push(error),
      ...options,
    });
    this.all.push(node);
    this.#transports.push(node.transport);
    return node;
  }

  async started(options: Partial<Ros2Options> = {}): Promise<Ros2Node> {
    const node = await this.open(options);
    node.start();
    return node;
  }

  /**
   * Resolves when every node knows of everything that the others have made so far: discovery tells of a node's
   * endpoints in the order they were made, so when the last of them works, so do all.
   */
  async ready(): Promise<void> {
    const open = this.#transports.filter((transport) => !this.#isClosed(transport));
    await Promise.all(open.flatMap((from) => open.filter((to) => to !== from).map((to) => this.#reach(from, to))));
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((node) => node.close()));
  }

  #isClosed(transport: Transport): boolean {
    try {
      transport.subscribe('/still_open', 'std_msgs/msg/Bool', () => {}).close();
      return false;
    } catch {
      return true;
    }
  }

  async #reach(from: Transport, to: Transport): Promise<void> {
    const topic = `/sentinel_${++this.#sentinels}`;
    const publisher = from.advertise(topic, 'std_msgs/msg/Bool', qos.latched);
    publisher.publish({ data: true });
    await new Promise<void>((resolve) => {
      const subscription = to.subscribe(
        topic,
        'std_msgs/msg/Bool',
        () => {
          subscription.close();
          resolve();
        },
        qos.latched,
      );
    });
    publisher.close();
  }
}
