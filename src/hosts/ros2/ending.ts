import { messageOf } from '../../common/index.js';
import type { Logger } from '../../platform/index.js';

/** Milliseconds for closing. ROS 2's launch waits 5 s after SIGINT before it sends SIGTERM. */
const LONGEST_MS = 4500;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export interface Ending {
  /** Aborted when the process is asked to end. */
  readonly signal: AbortSignal;
  /** Ends the process, and stops the robot first. */
  end(code: number): void;
}

/**
 * How a process ends. At SIGINT, SIGTERM or SIGHUP (an ssh session that closes) it runs `close`, which stops the robot before it returns, and exits with 0. At
 * a second signal, or after 4.5 s, it exits at once. At an error that nothing catches it runs `close` and exits with 1.
 */
export function endWith(close: () => Promise<void>, logger: Logger): Ending {
  const controller = new AbortController();
  let ending = false;
  const end = (code: number): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => {
      logger.error('closing takes too long: ended as it is', { seconds: LONGEST_MS / 1000 });
      process.exit(1);
    }, LONGEST_MS).unref();
    const closed = close();
    controller.abort();
    closed
      .catch((error: unknown) => {
        logger.error(`closing failed: ${messageOf(error)}`);
        process.exit(1);
      })
      .then(() => process.exit(code));
  };
  for (const [name, code] of Object.entries(SIGNALS))
    process.on(name, () => {
      if (ending) process.exit(code);
      logger.info(`${name}: stopping the robot, closing files; again to end at once`);
      end(0);
    });
  process.on('uncaughtException', (error) => {
    logger.error(`unexpected: ${messageOf(error)}`, { stack: error instanceof Error ? error.stack : undefined });
    end(1);
  });
  return { signal: controller.signal, end };
}
