import { blockBytes } from '../../common/index.js';
import { BacklogGate, type LearnerLinkFile } from '../../link/index.js';
import type { LearnerNode } from '../../nodes/index.js';
import type { Logger } from '../../platform/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';

/** Segments that may wait at least: with fewer the learner would wait for robots. */
const LEAST_SEGMENTS = 4;

/** Transitions of `bytes` each that may wait for a learner. */
export function mostWaiting(megabytes: number, bytes: number, segmentSize: number): number {
  return Math.max(LEAST_SEGMENTS * segmentSize, Math.floor((megabytes * 1024 * 1024) / bytes));
}

/** Bytes of a transition as it waits: two observations and an action, and the numbers beside them. */
function bytesOf(spec: RobotSpec): number {
  const observation = observationOf(spec).reduce((sum, block) => sum + blockBytes(block), 0);
  return 2 * observation + 4 * spec.action.length + 16;
}

/** What keeps a learner that is behind from filling its memory; says once when robots are held back, and when no longer. */
export function backlogGate(
  options: {
    readonly spec: RobotSpec;
    readonly settings: { readonly segmentSize: number };
    readonly link: { readonly file: Pick<LearnerLinkFile, 'backlog'> };
    readonly logger: (node: string) => Logger;
  },
  learner: Pick<LearnerNode, 'backlog'>,
  announce: () => void,
): BacklogGate {
  const { settings, link, logger } = options;
  const log = logger('link');
  const most = mostWaiting(link.file.backlog.megabytes, bytesOf(options.spec), settings.segmentSize);
  return new BacklogGate({
    backlog: () => learner.backlog,
    most,
    onChange: (isClosed) => {
      const waiting = learner.backlog;
      if (isClosed)
        log.warn('the learner is behind: robots keep what they have until half of what waits is learned from', {
          waiting,
          remedy: 'lower updatesPerTransition, or raise backlog.megabytes in the file of the link',
        });
      else log.info('the learner has caught up: robots send again', { waiting });
      announce();
    },
  });
}

/** How much waits for the learner, for the status of its fleet. */
export function backlogFields(gate: Pick<BacklogGate, 'backlog' | 'most' | 'isClosed'> | undefined) {
  const { backlog = 0, most = 0, isClosed = false } = gate ?? {};
  return { backlog: BigInt(backlog), backlog_limit: BigInt(most), behind: isClosed };
}
