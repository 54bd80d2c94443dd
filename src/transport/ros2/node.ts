import { IqLearnError, messageOf } from '../../common/index.js';
import type { ReportError } from '../index.js';
import type {
  Rcl,
  RclContext,
  RclEntityOptions,
  RclNode,
  RclPublisher,
  RclSubscription,
  RclTypeClass,
} from './rclnodejs.js';

/** Timeout in milliseconds of the thread that waits for messages. A guard condition wakes it earlier when needed. */
const WAIT_MS = 500;

const flush = (): void => {};

/**
 * A node of rclnodejs that cannot end the process: an error thrown while messages are delivered is reported (in rclnodejs
 * nothing catches it), and adding or removing an endpoint of a running node does not block until a wait times out.
 */
export class SpinningNode {
  readonly node: RclNode;
  readonly #stop: () => Promise<void>;
  #spinning = false;

  constructor(rcl: Rcl, name: string, context: RclContext, managed: boolean, report: ReportError) {
    const Base = managed ? rcl.lifecycle.LifecycleNode : rcl.Node;
    let wake: { trigger(): void } | undefined;
    let stopped: (() => void) | undefined;
    class GuardedNode extends Base {
      /** `Parameters` reads the overrides: rclnodejs ignores namespaces in them. */
      _getNativeParameterOverrides(): Map<string, unknown> {
        return new Map();
      }

      /** One topic for all nodes, as in rclcpp and rclpy: rclnodejs publishes these events in the node's namespace. */
      override createPublisher(type: RclTypeClass | string, topic: string, options: RclEntityOptions): RclPublisher {
        return super.createPublisher(type, topic === 'parameter_events' ? '/parameter_events' : topic, options);
      }

      /** Only its time source subscribes without options, as reliable, which a best-effort /clock does not match. */
      override createSubscription(
        type: RclTypeClass | string,
        topic: string,
        options: RclEntityOptions,
        callback: (message: Buffer) => void,
      ): RclSubscription {
        if (typeof options !== 'function') return super.createSubscription(type, topic, options, callback);
        const qos = new rcl.QoS(1, 1, 2, 2);
        return super.createSubscription(type, topic, { qos }, options);
      }

      override syncHandles(): void {
        wake?.trigger(); // otherwise the lock is held until the wait times out
        super.syncHandles();
      }

      override execute(handles: unknown[]): void {
        try {
          super.execute(handles);
        } catch (cause) {
          report(
            new IqLearnError('INTERNAL', 'rclnodejs failed to hand something over', { found: messageOf(cause), cause }),
          );
        }
        if (stopped !== undefined) {
          super.stop();
          stopped();
          stopped = undefined;
        }
        // This is not called by Node's event loop: promises settled here would wait for the next timer or I/O event.
        setImmediate(flush);
      }
    }
    const options = new rcl.NodeOptions(true, [], false, false, false);
    this.node = new GuardedNode(name, '', context, options);
    wake = this.node.createGuardCondition(() => {});
    this.#stop = () =>
      new Promise((resolve) => {
        stopped = resolve;
        wake?.trigger();
      });
  }

  start(): void {
    if (this.#spinning) return;
    this.#spinning = true;
    this.node.spin(WAIT_MS);
  }

  /**
   * Stopping runs the event loop recursively, which is safe only while none of Node's callbacks is running: in `execute`.
   */
  async destroy(): Promise<void> {
    if (this.#spinning) {
      await this.#stop();
      this.#spinning = false;
    }
    this.node.destroy();
  }
}
