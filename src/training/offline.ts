import { IqLearnError, type ObservationSpec } from '../common/index.js';
import type { Device } from '../engine/index.js';
import {
  Actor,
  type Episode,
  type Learner,
  type LearnerSettings,
  type Metrics,
  observationAt,
} from '../learning/index.js';
import type { PolicyFunction } from '../policy/index.js';
import { runConfig, startLearner } from './contract.js';
import { type HeldOut, heldOut } from './held-out.js';

/** What learns from a recording alone: IQ-Learn without own steps, and behavioural cloning. */
const OFFLINE = {
  'iq-sac': {
    agent: 'iq-sac',
    online: false,
    valueTerm: 'value_expert',
    divergence: 'chi2-expert',
    temperature: 0.01,
  },
  cloning: { agent: 'cloning' },
} as const satisfies Readonly<Record<string, LearnerSettings>>;
export type OfflineAgent = keyof typeof OFFLINE;

/** So often in a run the error on what was held out is measured. */
const POINTS = 10;

export interface OfflineOptions {
  /** In the robot's units with actions in [−1, 1]. */
  readonly episodes: readonly Episode[];
  readonly observation: ObservationSpec;
  readonly actionSize: number;
  readonly seed: number;
  /** Gradient updates of each of the algorithms. */
  readonly updates: number;
  /** Settings of IQ-Learn that differ from those for learning offline. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly device?: Device;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: OfflineProgress) => void;
}

/** Where one of the algorithms stands. */
export interface OfflineProgress {
  readonly agent: OfflineAgent;
  /** Whether it learns from all demonstrations, after it was chosen. */
  readonly final: boolean;
  readonly updates: number;
  /** Root mean square of the error of its actions on what was held out, in half ranges of an action; null in the end. */
  readonly error: number | null;
  readonly metrics: Metrics;
}

/** An algorithm on what was held out. */
export interface OfflineCandidate {
  readonly agent: OfflineAgent;
  /** The lowest error along its run, and the updates that led there. */
  readonly error: number;
  readonly updates: number;
}

export interface OfflineOutcome {
  readonly policy: PolicyFunction;
  readonly learner: LearnerSettings;
  readonly chosen: OfflineCandidate;
  readonly candidates: readonly OfflineCandidate[];
  readonly heldOut: HeldOut['kind'];
  readonly heldOutSteps: number;
  /** The error of always giving the mean of the demonstrated actions: what a policy has to be better than. */
  readonly constantError: number;
}

/**
 * Learns from demonstrations alone. Both algorithms learn from a part of the demonstrations and are compared by the
 * error of their actions on the rest; the better one learns again, from all demonstrations and for as many updates as
 * were best. Deterministic in its seed. Throws INVALID_ARGUMENT where there is too little to hold a part out, CANCELLED.
 */
export async function learnOffline(options: OfflineOptions): Promise<OfflineOutcome> {
  const split = heldOut(options.episodes, options.observation);
  const candidates: OfflineCandidate[] = [];
  for (const agent of Object.keys(OFFLINE) as OfflineAgent[]) candidates.push(await compare(agent, split, options));
  const chosen = candidates.reduce((best, other) => (other.error < best.error ? other : best));
  const learner = await begin(chosen.agent, options.episodes, options);
  try {
    await advance(learner, chosen.updates, options, (metrics) =>
      options.onProgress?.({ agent: chosen.agent, final: true, updates: learner.updates, error: null, metrics }),
    );
    return {
      policy: learner.policyFunction(),
      learner: learner.config,
      chosen,
      candidates,
      heldOut: split.kind,
      heldOutSteps: split.test.reduce((sum, { length }) => sum + length, 0),
      constantError: constantError(split),
    };
  } finally {
    await learner.dispose();
  }
}

function begin(agent: OfflineAgent, demonstrations: readonly Episode[], options: OfflineOptions): Promise<Learner> {
  const { updates, observation, actionSize, seed, device, threads, settings } = options;
  const own = agent === 'iq-sac' ? { ...OFFLINE[agent], ...settings } : OFFLINE[agent];
  return startLearner({
    config: runConfig(own as LearnerSettings, { steps: updates, updatesPerTransition: 1 }),
    observation,
    actionSize,
    seed,
    demonstrations,
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
  });
}

/** Makes `updates` updates, some at a time, so that an interrupt is heard. Throws CANCELLED. */
async function advance(
  learner: Learner,
  updates: number,
  { signal }: OfflineOptions,
  onMetrics: (metrics: Metrics) => void,
): Promise<void> {
  const end = learner.updates + updates;
  while (learner.updates < end) {
    if (signal?.aborted === true)
      throw new IqLearnError('CANCELLED', 'interrupted while learning', {
        found: 'no policy yet',
        remedy: 'start again; --steps makes it shorter',
      });
    onMetrics(await learner.update(Math.min(100, end - learner.updates)));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Learns from the part for learning, and measures along the way on the part that was held out. */
async function compare(agent: OfflineAgent, split: HeldOut, options: OfflineOptions): Promise<OfflineCandidate> {
  const learner = await begin(agent, split.learn, options);
  let best: OfflineCandidate = { agent, error: Number.POSITIVE_INFINITY, updates: options.updates };
  try {
    for (let k = 1; k <= POINTS; k++) {
      let last: Metrics = {};
      await advance(learner, Math.round((k * options.updates) / POINTS) - learner.updates, options, (metrics) => {
        last = metrics;
      });
      const error = await actionError(learner.policyFunction(), split.test, options);
      options.onProgress?.({ agent, final: false, updates: learner.updates, error, metrics: last });
      if (error < best.error) best = { agent, error, updates: learner.updates };
    }
    return best;
  } finally {
    await learner.dispose();
  }
}

/** Root mean square, over steps and dimensions, of the difference to the demonstrated actions. */
async function actionError(
  policy: PolicyFunction,
  episodes: readonly Episode[],
  { observation, actionSize }: OfflineOptions,
): Promise<number> {
  const actor = await Actor.create(policy);
  let [sum, count] = [0, 0];
  try {
    for (const episode of episodes)
      for (let t = 0; t < episode.length; t++) {
        const action = await actor.act(observationAt(observation, episode.observations, t));
        for (let k = 0; k < actionSize; k++) sum += (action[k]! - episode.actions[t * actionSize + k]!) ** 2;
        count += actionSize;
      }
  } finally {
    await actor.dispose();
  }
  return Math.sqrt(sum / count);
}

function constantError({ learn, test }: HeldOut): number {
  const a = learn[0]!.actions.length / learn[0]!.length;
  const shown = learn.flatMap(({ actions }) => [...actions]);
  const steps = shown.length / a;
  const mean = Array.from({ length: a }, (_, k) => shown.reduce((s, x, i) => (i % a === k ? s + x : s), 0) / steps);
  const errors = test.flatMap(({ actions }) => Array.from(actions, (x, i) => (x - mean[i % a]!) ** 2));
  return Math.sqrt(errors.reduce((s, x) => s + x, 0) / errors.length);
}
