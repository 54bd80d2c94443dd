import { header, type LearnerStatus } from '../../messages/index.js';
import type { LearningProgress } from '../../training/index.js';

/** Who says a status, when and of which robot. */
interface StatusHead {
  readonly stampNs: bigint;
  readonly identity: string;
  readonly robot: string;
  readonly epoch: bigint;
}

/** How far learning has come, as /learner_status says it. */
export function learnerStatus(
  { stampNs, identity, robot, epoch }: StatusHead,
  { version, updates, transitions, demonstrations, metrics }: LearningProgress,
  now: { readonly updatesPerSecond: number; readonly backlog: number },
): LearnerStatus {
  return {
    header: header(stampNs, identity),
    robot,
    epoch,
    updates: BigInt(updates),
    transitions: BigInt(transitions),
    demonstrations: BigInt(demonstrations),
    policy_version: BigInt(version),
    updates_per_second: now.updatesPerSecond,
    backlog: now.backlog,
    names: Object.keys(metrics),
    values: Object.values(metrics),
  };
}
