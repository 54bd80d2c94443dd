import { setTimeout as sleep } from 'node:timers/promises';
import { type RosProcess, startPython } from '../../support/ros.js';

interface Endpoint {
  readonly node: string;
  readonly namespace: string;
  readonly type: string;
  readonly reliability: string;
  readonly durability: string;
}

// biome-ignore lint/suspicious/noExplicitAny: what rclpy received, as JSON
export type Json = any;

export interface Heard {
  /** Seconds on rclpy's steady clock. */
  readonly at: number;
  readonly message: Json;
}

/** An rclpy participant in a process of its own: what tests see of our nodes is what ROS 2 sees. */
export class Driver {
  readonly #process: RosProcess;
  #last = 0;

  private constructor(process: RosProcess) {
    this.#process = process;
  }

  static async start(environment: NodeJS.ProcessEnv = {}): Promise<Driver> {
    const process = startPython('test/hosts/ros2/driver.py', [], environment);
    await process.line(/^driver ready/);
    return new Driver(process);
  }

  async #do(operation: string, given: object): Promise<Json> {
    const id = ++this.#last;
    this.#process.send(JSON.stringify({ id, do: operation, ...given }));
    const line = await this.#process.line(new RegExp(`^answer \\{"id": ${id},`));
    const { value, error } = JSON.parse(line.slice('answer '.length)) as { value: Json; error?: string };
    if (error !== undefined) throw new Error(error);
    return value;
  }

  call(service: string, type: string, request: object = {}): Promise<Json> {
    return this.#do('call', { service, type, request, timeout: 90 });
  }

  trigger(service: string): Promise<{ success: boolean; message: string }> {
    return this.call(service, 'std_srvs/srv/Trigger');
  }

  async transition(node: string, label: string): Promise<boolean> {
    const { success } = await this.call(`/${node}/change_state`, 'lifecycle_msgs/srv/ChangeState', {
      transition: { label },
    });
    return success;
  }

  async state(node: string): Promise<string> {
    const { current_state } = await this.call(`/${node}/get_state`, 'lifecycle_msgs/srv/GetState');
    return current_state.label;
  }

  /** Asks for the transition until it succeeds: the node may still be preparing. */
  async reach(node: string, label: string): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if (await this.transition(node, label)) return;
      await sleep(100);
    }
    throw new Error(`${node} does not ${label}`);
  }

  async set(node: string, name: string, value: object): Promise<{ successful: boolean; reason: string }> {
    const { results } = await this.call(`/${node}/set_parameters`, 'rcl_interfaces/srv/SetParameters', {
      parameters: [{ name, value }],
    });
    return results[0];
  }

  subscribe(topic: string, type: string, qos: object = {}): Promise<void> {
    return this.#do('subscribe', { topic, type, qos });
  }

  /** What came since the last time. */
  take(topic: string): Promise<Heard[]> {
    return this.#do('take', { topic });
  }

  /** Waits for a message that fits; those before it are gone. */
  async until(topic: string, fits: (message: Json) => boolean, what: string, timeoutMs = 90_000): Promise<Json> {
    const deadline = performance.now() + timeoutMs;
    let last: Json;
    while (performance.now() < deadline) {
      for (const { message } of await this.take(topic)) {
        if (fits(message)) return message;
        last = message;
      }
      await sleep(20);
    }
    throw new Error(`waited for ${what} on ${topic}; last heard: ${JSON.stringify(last)?.slice(0, 600)}`);
  }

  publish(topic: string, type: string, message: object, qos: object = {}): Promise<void> {
    return this.#do('publish', { topic, type, message, qos });
  }

  /** Publishes again and again, stamped anew each time. */
  repeat(topic: string, type: string, message: object, hz: number, qos: object = {}): Promise<void> {
    return this.#do('repeat', { topic, type, message, hz, qos });
  }

  quiet(topic: string): Promise<void> {
    return this.#do('quiet', { topic });
  }

  endpoints(topic: string): Promise<{ publishers: Endpoint[]; subscriptions: Endpoint[] }> {
    return this.#do('endpoints', { topic });
  }

  /** Ids of the subscriptions that what is published from now on will reach; one that replaces another has a new one. */
  readers(topic: string, type: string): Promise<string[]> {
    return this.#do('readers', { topic, type });
  }

  nodes(): Promise<string[]> {
    return this.#do('nodes', {});
  }

  /** A node's line in /diagnostics, subscribed to before: one that comes from now on, older ones prove nothing. */
  async diagnosed(node: string, fits: (status: Json) => boolean, what: string): Promise<Json> {
    await this.take('/diagnostics');
    let found: Json;
    await this.until(
      '/diagnostics',
      ({ status }) =>
        status.some((each: Json) => {
          const level = Array.isArray(each.level) ? each.level[0] : each.level;
          const values = Object.fromEntries(each.values.map(({ key, value }: Json) => [key, value]));
          const line = { ...each, level, values };
          if (each.name !== node || !fits(line)) return false;
          found = line;
          return true;
        }),
      what,
    );
    return found;
  }
}
