import type { IqLearnError } from '#src/common/index.js';
import { createNodeLogger } from '#src/platform/index.js';
import { qos, type Transport } from '#src/transport/index.js';
import type { Ros2Options } from '#src/transport/ros2/index.js';
import { openRos2, type Ros2Node } from '#src/transport/ros2/index.js';
import { type RosProcess, startPython } from '../../support/ros.js';

export const logger = createNodeLogger('test', { level: 'error', console: false });

/** Nodes of one test, with what they reported. */
export class Nodes {
  readonly errors: IqLearnError[] = [];
  readonly all: Ros2Node[] = [];
  readonly #closed = new Set<Transport>();
  #sentinels = 0;

  async open(options: Partial<Ros2Options> = {}): Promise<Ros2Node> {
    const node = await openRos2({
      nodeName: `node_${this.all.length}`,
      managed: false,
      logger,
      onError: (error) => this.errors.push(error),
      ...options,
    });
    const { transport } = node;
    const close = transport.close.bind(transport);
    transport.close = () => {
      this.#closed.add(transport);
      return close();
    };
    this.all.push(node);
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
    const open = this.all.map(({ transport }) => transport).filter((transport) => !this.#closed.has(transport));
    await Promise.all(open.flatMap((from) => open.filter((to) => to !== from).map((to) => this.#reach(from, to))));
  }

  async close(): Promise<void> {
    await Promise.all(this.all.splice(0).map((node) => node.close()));
    this.errors.length = 0;
  }

  async #reach(from: Transport, to: Transport): Promise<void> {
    const topic = `/sentinel_${++this.#sentinels}`;
    const publisher = from.advertise(topic, 'std_msgs/msg/Bool', qos.latched);
    publisher.publish({ data: true });
    await new Promise<void>((resolve) => {
      const done = (): void => {
        subscription.close();
        resolve();
      };
      const subscription = to.subscribe(topic, 'std_msgs/msg/Bool', done, qos.latched);
    });
    publisher.close();
  }
}

/** An rclpy node in a process of its own (peer.py). */
export class Peer {
  readonly #process: RosProcess;
  #requests = 0;

  private constructor(process: RosProcess) {
    this.#process = process;
  }

  static async start(namespace = '/'): Promise<Peer> {
    const process = startPython('test/transport/ros2/peer.py', [namespace]);
    await process.line(/^\{"id": 0,/);
    return new Peer(process);
  }

  /** Calls a method of peer.py's Peer. */
  async do(method: string, ...args: unknown[]): Promise<never> {
    const id = ++this.#requests;
    this.#process.send(JSON.stringify({ id, do: method, args }));
    const answer = JSON.parse(await this.#process.line(new RegExp(`^\\{"id": ${id},`)));
    if ('error' in answer) throw new Error(`${method}: ${answer.error}`);
    return answer.result as never;
  }

  call(service: string, type: string, fields: object = {}): Promise<Record<string, never>> {
    return this.do('call', service, type, fields);
  }
}
