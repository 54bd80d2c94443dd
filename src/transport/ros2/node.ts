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

/** Longest that the thread that waits for messages sleeps; it is woken whenever it must do something else. */
const WAIT_MS = 500;

const flush = (): void => {};

/**
 * A node of rclnodejs that cannot take the process with it: what anything throws while messages are handed over is
 * reported (in rclnodejs it ends the process: nothing above it catches), and changing what a running node waits for
 * does not block until the wait has timed out.
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
      /** Parameters are ours (`Parameters`): rclnodejs's reading of overrides knows no namespaces. */
      _getNativeParameterOverrides(): Map<string, unknown> {
        return new Map();
      }

      /** One topic for all nodes, as of rclcpp and rclpy: rclnodejs says its events in the node's namespace. */
      override createPublisher(type: RclTypeClass | string, topic: string, options: RclEntityOptions): RclPublisher {
        return super.createPublisher(type, topic === 'parameter_events' ? '/parameter_events' : topic, options);
      }

      /** Only its time source subscribes without saying how: reliable, which no best effort /clock matches. */
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
        wake?.trigger(); // else the lock is only free when the wait has timed out
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
        // Called from outside of Node's callbacks: promises settled here would wait for the next timer or I/O.
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
   * Stopping runs the event loop inside of itself, which Node bears only where none of its own callbacks is under way:
   * in `execute`.
   */
  async destroy(): Promise<void> {
    if (this.#spinning) {
      await this.#stop();
      this.#spinning = false;
    }
    this.node.destroy();
  }
}
