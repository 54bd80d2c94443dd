import { type Driver, ExpertNode, PolicyNode } from '../nodes/index.js';
import { decodeBundle, type PolicyBundle, readBundle } from '../policy/index.js';
import { evaluationSeeds } from '../training/index.js';
import { conductEvaluation, type EpisodeOutcome } from './conductor.js';
import { Rig, type RigOptions } from './rig.js';
import type { Trials } from './trials.js';

/** Who is evaluated: a policy from its files or folder, an expert at the controls, or chance. */
export type Candidate =
  | { readonly kind: 'policy'; readonly bundle: PolicyBundle | string; readonly stochastic?: boolean }
  | { readonly kind: 'driver'; readonly driver: Driver }
  | { readonly kind: 'random'; readonly seed: number };

export interface EvaluationOptions extends RigOptions {
  readonly candidate: Candidate;
  /** One episode each. */
  readonly seeds: readonly number[];
  /** Keeps observations, actions, rewards and poses of these episodes: all, none, or as many from the first. */
  readonly traces?: boolean | number;
  readonly onEpisode?: (outcome: EpisodeOutcome, index: number) => void;
}

/**
 * Drives the simulated robot from fresh starts as it would be deployed: through the policy node, the safety filter and
 * the command topic; an expert through teleoperation. The policy's deterministic action, unless `stochastic`.
 */
export async function evaluate(options: EvaluationOptions): Promise<EpisodeOutcome[]> {
  const { candidate, seeds, traces = false, onEpisode } = options;
  const traced = traces === true ? seeds.length : traces === false ? 0 : traces;
  const rig = await Rig.create(options);
  try {
    await addCandidate(rig, candidate);
    return await conductEvaluation(rig.conductor, {
      seeds,
      expert: candidate.kind === 'driver',
      traces: traced,
      ...(onEpisode === undefined ? {} : { onEpisode }),
    });
  } finally {
    await rig.close();
  }
}

async function addCandidate(rig: Rig, candidate: Candidate): Promise<void> {
  const context = rig.context('policy');
  if (candidate.kind === 'policy') {
    const { bundle, stochastic = false } = candidate;
    const runtime = typeof bundle === 'string' ? await readBundle(bundle) : await decodeBundle(bundle);
    rig.add(new PolicyNode(context, { stochastic }, runtime));
  } else if (candidate.kind === 'random') {
    rig.add(new PolicyNode(context, { explore: 'random', seed: candidate.seed }));
  } else {
    rig.add(new PolicyNode(context, { source: 'teleop' }));
    rig.add(new ExpertNode(rig.context('expert'), candidate.driver));
  }
}

export interface TrialRunOptions extends RigOptions {
  readonly trials: Trials;
  /** Date of each result. */
  readonly now: () => Date;
  /** A trial is kept; `about` says which it was. */
  readonly onTrial?: (about: string, outcome: EpisodeOutcome) => void;
}

/**
 * Has the policies of an evaluation drive the simulated robot in its order, through the policy node, the safety filter and
 * the command topic. In each round all of them have the same fresh start. Every trial is kept before the next begins, so
 * that an evaluation that is interrupted goes on where it was.
 */
export async function runTrials(options: TrialRunOptions): Promise<void> {
  const { trials, spec, now, onTrial } = options;
  const rig = await Rig.create(options);
  try {
    rig.add(new PolicyNode(rig.context('policy'), { stochastic: false }));
    const { simulation, seed, policies, trials: rounds } = trials.data;
    const starts = evaluationSeeds(seed, rounds);
    while (trials.done < trials.wanted) {
      const about = await rig.guard(trials.begin(rig.transport));
      const outcome = await rig.conductor.runEpisode(starts[Math.floor(trials.done / policies.length)]!);
      const { success, terminated, length, return: total, seed: start } = outcome;
      const verdict = simulation?.hasSuccess === true ? (success ? 'success' : 'failure') : 'unknown';
      const reason =
        verdict === 'success' ? 'the task says success' : terminated ? 'a terminal state' : 'the time is up';
      const episode = { seed: start, return: total, length, success, terminated };
      trials.add({ verdict, interventions: 0, seconds: length / spec.rateHz, reason, episode }, now());
      onTrial?.(about, outcome);
    }
  } finally {
    await rig.close();
  }
}
