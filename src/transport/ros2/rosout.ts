import { Writable } from 'node:stream';
import { transports } from 'winston';
import type { Logger } from '../../platform/index.js';
import type { Rcl, RclNode } from './rclnodejs.js';

// Constants of rcl_interfaces/msg/Log.
const levels: Readonly<Record<string, number>> = { debug: 10, info: 20, warn: 30, error: 40 };

/** Publishes a logger's records on /rosout too, where ROS 2's tools read them. Returns a function that ends this. */
export function publishLog(rcl: Rcl, node: RclNode, logger: Logger): () => void {
  const publisher = node.createPublisher('rcl_interfaces/msg/Log', '/rosout', { qos: new rcl.QoS(1, 1000, 1, 1) });
  const name = node.getFullyQualifiedName().slice(1).replaceAll('/', '.');
  const stream = new Writable({
    objectMode: true,
    write: ({ level, message }: { level: string; message: unknown }, _encoding, done) => {
      const now = node.getClock().now().nanoseconds;
      const stamp = { sec: Number(now / 1_000_000_000n), nanosec: Number(now % 1_000_000_000n) };
      publisher.publish({
        stamp,
        level: levels[level] ?? 20,
        name,
        msg: String(message),
        file: '',
        function: '',
        line: 0,
      });
      done();
    },
  });
  const transport = new transports.Stream({ stream });
  logger.add(transport);
  return () => {
    logger.remove(transport);
  };
}
