import { join } from 'node:path';
import { messageOf } from '../../common/index.js';
import type { DemonstrationEpisode } from '../../demonstrations/index.js';
import type { LearnerConfig } from '../../learning/index.js';
import type { LearnerNode } from '../../nodes/index.js';
import type { Logger, RunMetrics } from '../../platform/index.js';
import { type PolicyBundle, writeBundle } from '../../policy/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';
import { rolloutCandidates } from '../../sessions/index.js';
import { notCompared, type RolloutChoice } from '../../training/index.js';

/** What the policies of a learner's run are compared by, and where it is told. */
export interface DeployedPolicyOptions {
  readonly spec: RobotSpec;
  readonly config: LearnerConfig;
  /** Folder of the run: the policy is written to `policy/`, those that were compared lie in `candidates/`. */
  readonly run: string;
  readonly logger: Logger;
  readonly rows: RunMetrics;
  /** Reads them; undefined where the run was given none. */
  readonly demonstrations: (() => Promise<DemonstrationEpisode[]>) | undefined;
}

const FALLBACK = 'policy/ is always the newest policy';

/**
 * `policy/` in the folder of a learner's run: of the policies so far the one nearest to the demonstrations, by the
 * episodes that the robot drove while it learned. Until five episodes have ended, and where the demonstrations of a
 * resumed run cannot be read any more, it is the newest.
 */
export class DeployedPolicy {
  readonly #options: DeployedPolicyOptions;
  readonly #choice: RolloutChoice | undefined;
  /** The version that was written last. */
  #deployed: number | undefined;

  private constructor(options: DeployedPolicyOptions, choice: RolloutChoice | undefined) {
    this.#options = options;
    this.#choice = choice;
  }

  /** Follows the transitions and candidates of a node from now on. */
  static async follow(node: LearnerNode, options: DeployedPolicyOptions): Promise<DeployedPolicy> {
    const policy = new DeployedPolicy(options, await choiceOf(node, options));
    node.onProgress(({ version, candidate }) => {
      if (candidate !== undefined) policy.keep(version, candidate);
    });
    return policy;
  }

  /** Takes the policy that would be deployed now, and writes the best one so far. Throws IO. */
  keep(version: number, bundle: PolicyBundle): void {
    const { run, rows, logger } = this.#options;
    const score = this.#choice?.add(version, bundle);
    const best = this.#choice?.best();
    const deployed = best?.score.version ?? version;
    if (deployed !== this.#deployed) writeBundle(join(run, 'policy'), best?.bundle ?? bundle);
    this.#deployed = deployed;
    if (score === undefined || best === undefined) return;
    rows.rollouts(score);
    logger.info('the last five episodes are compared with the demonstrations', {
      segments: version,
      distance: score.distance.toFixed(3),
      worst: score.worst.toFixed(3),
      deployed: `the policy of ${best.score.version === version ? 'now' : `segment ${best.score.version}`}`,
    });
  }
}

async function choiceOf(
  node: LearnerNode,
  { demonstrations, run, logger, ...options }: DeployedPolicyOptions,
): Promise<RolloutChoice | undefined> {
  if (demonstrations === undefined) {
    logger.warn(`without the parameter recording policies are not compared: ${FALLBACK}`);
    return undefined;
  }
  try {
    const choice = rolloutCandidates(node, {
      ...options,
      folder: join(run, 'candidates'),
      demonstrations: await demonstrations(),
    });
    const unseen = notCompared(observationOf(options.spec));
    if (unseen !== null) logger.info(unseen);
    return choice;
  } catch (error) {
    logger.warn(`policies are not compared: ${FALLBACK}`, { reason: messageOf(error) });
    return undefined;
  }
}
