import { join } from 'node:path';
import { mean, type Observation } from '../../src/common/index.js';
import { loadInference } from '../../src/engine/index.js';
import { Actor, type Learner, type LearnerSettings } from '../../src/learning/index.js';
import { type Environment, openEnvironment } from '../../src/simulation/index.js';
import {
  type DrivenEpisode,
  EnvironmentTrainer,
  evaluateOnTask,
  npzEpisodes,
  oneHot,
  runConfig,
  startLearner,
} from '../../src/training/index.js';
import type { Figure } from '../harness.js';
import { pearson, scatterPicture } from './scatter.js';
import type { Job, PaperTable, RunResult, TableOptions, TableSummary } from './table.js';

/** Tasks, each with what recovers the reward from demonstrations and what then learns from that reward alone. */
const TASKS = {
  cartpole: {
    environment: 'cartpole',
    data: 'cartpole',
    demonstrations: 5,
    recover: { agent: 'iq-soft-q', hiddenSizes: [64, 64], batchSize: 64, temperature: 0.01, absorbing: 'bound' },
    // Values of ±10 are put together from rewards of ±0.1: with the learner's own defaults it takes far more steps.
    fresh: {
      agent: 'soft-q',
      hiddenSizes: [64, 64],
      batchSize: 64,
      temperature: 0.01,
      critics: 1,
      layerNorm: true,
      criticLearningRate: 1e-3,
      tau: 0.01,
    },
    steps: 8000,
    freshSteps: 30_000,
  },
  hopper: {
    environment: 'hopper',
    data: 'hopper-v4',
    demonstrations: 1,
    recover: { agent: 'iq-sac', absorbing: 'bound' },
    fresh: {
      agent: 'sac',
      critics: 2,
      temperature: 0.001,
      actorLearningRate: 3e-4,
      layerNorm: true,
      actorAveraging: 1e-3,
    },
    steps: 60_000,
    freshSteps: 60_000,
  },
} as const satisfies Readonly<Record<string, TaskPlan>>;

interface TaskPlan {
  readonly environment: string;
  /** The stem of the file of demonstrations. */
  readonly data: string;
  readonly demonstrations: number;
  readonly recover: LearnerSettings;
  readonly fresh: LearnerSettings;
  /** Of IQ-Learn, and of the fresh learner. */
  readonly steps: number;
  readonly freshSteps: number;
}

/** The first start of the evaluation, far from those of training. */
const STARTS = 6_000_000;
const RANDOM_STEPS = 500;
/** Points of the fresh learner's curve. */
const POINTS = 5;
/** IQ-Learn's policies, from bad to good, whose episodes are paid for by both rewards: how many, starts of each, and the first. */
const PAID = { policies: 12, episodes: 3, start: 7_000_000 };

/**
 * The reward −1/c of each step in the absorbing state, whose value is the lower bound, and γ V of it. A fresh learner
 * takes the value after a true terminal for 0, so what follows there has to be part of the last reward: without it,
 * ending early pays (a pole that is dropped at once, 11 of 500 steps).
 */
function absorbingState({ regMult, gamma }: { readonly regMult: number; readonly gamma: number }) {
  return { absorbing: -1 / regMult, afterTerminal: -gamma / (regMult * (1 - gamma)) };
}

/** The environment with another reward, the one of the step that was just made; its own is not passed on. */
function rewarded(environment: Environment, rewardOf: RewardOf): Environment {
  let last: Observation = new Float32Array(0);
  const { reset, step } = environment;
  return {
    observation: environment.observation,
    actionRange: environment.actionRange,
    ...(environment.discrete === undefined ? {} : { discrete: environment.discrete }),
    reset: async (seed) => {
      last = await reset.call(environment, seed);
      return last;
    },
    step: async (action) => {
      const made = await step.call(environment, action);
      const reward = await rewardOf(last, action, made.observation, made.terminated);
      last = made.observation;
      return { ...made, reward };
    },
  };
}

/** Acts and learns for so many steps; `onPoint` is called a few times on the way. */
async function train(
  settings: LearnerSettings,
  environment: Environment,
  demonstrations: ReturnType<typeof npzEpisodes>,
  {
    steps,
    seed,
    points,
    onPoint,
  }: { steps: number; seed: number; points: number; onPoint: (learner: Learner, at: number) => Promise<void> },
): Promise<EnvironmentTrainer> {
  const learner = await startLearner({
    config: runConfig({ bufferSize: steps, ...settings } as LearnerSettings, { steps, updatesPerTransition: 1 }),
    observation: environment.observation,
    actionSize: environment.actionRange.size,
    seed,
    demonstrations,
    threads: 1,
  });
  const training = await EnvironmentTrainer.create({
    learner,
    environment,
    seed,
    randomSteps: RANDOM_STEPS,
    updateAfter: RANDOM_STEPS,
    updatesPerStep: 1,
  });
  for (let k = 1; k <= points; k++) {
    while (training.steps < (k * steps) / points) await training.step();
    await onPoint(learner, training.steps);
  }
  return training;
}

async function drive(
  learner: Learner,
  environment: Environment,
  starts: { readonly episodes: number; readonly seed: number },
): Promise<DrivenEpisode[]> {
  const actor = await Actor.create(learner.policyFunction());
  try {
    return await evaluateOnTask(actor, environment, starts);
  } finally {
    await actor.dispose();
  }
}

async function returnsOf(learner: Learner, environment: Environment, episodes: number): Promise<number[]> {
  return (await drive(learner, environment, { episodes, seed: STARTS })).map((episode) => episode.return);
}

type RewardOf = (s: Observation, a: ArrayLike<number>, next: Observation, terminated: boolean) => Promise<number>;

/** The sum of a reward over an episode; the steps that are missing after a true terminal pay `absorbing` each. */
async function paid(
  episode: DrivenEpisode,
  { actionRange, discrete }: Environment,
  rewardOf: RewardOf,
  { steps, absorbing }: { readonly steps: number; readonly absorbing: number },
): Promise<number> {
  const { length, actions, actionSize } = episode;
  const rows = episode.observations as Float32Array;
  const width = rows.length / (length + 1);
  let sum = episode.terminated ? absorbing * (steps - length) : 0;
  for (let t = 0; t < length; t++) {
    const action = actions.subarray(t * actionSize, (t + 1) * actionSize);
    sum += await rewardOf(
      rows.subarray(t * width, (t + 1) * width),
      discrete === true ? oneHot(actionRange.size, action[0]!) : action,
      rows.subarray((t + 1) * width, (t + 2) * width),
      episode.terminated && t === length - 1,
    );
  }
  return sum;
}

/** Recovers a reward from demonstrations, and lets a fresh learner, which sees no demonstration, learn from it. */
async function run(name: keyof typeof TASKS, seed: number, options: TableOptions): Promise<Omit<RunResult, 'job'>> {
  const plan: TaskPlan = TASKS[name];
  const environment = await openEnvironment(plan.environment);
  const started = performance.now();
  try {
    const shown = npzEpisodes(join(options.data, `${plan.data}.npz`), environment).slice(0, plan.demonstrations);
    const driven: DrivenEpisode[] = [];
    const imitator = await train(plan.recover, environment, shown, {
      ...{ steps: plan.steps, seed, points: PAID.policies },
      // Another environment, as no evaluation may end an episode of learning.
      onPoint: async (learner, at) => {
        const aside = await openEnvironment(plan.environment);
        driven.push(...(await drive(learner, aside, { episodes: PAID.episodes, seed: PAID.start + at })));
        await aside.close();
      },
    });
    const imitated = await returnsOf(imitator.learner, environment, options.episodes);
    const { absorbing, afterTerminal } = absorbingState(imitator.learner.config as { regMult: number; gamma: number });
    const range = environment.discrete === true ? {} : { range: environment.actionRange };
    const model = await loadInference(await imitator.learner.exportReward(range));
    await imitator.dispose();
    const numbers = (x: Observation): Float32Array => Float32Array.from(x as ArrayLike<number>);
    const rewardOf: RewardOf = async (observation, action, next, terminated) => {
      const { reward } = await model.run({
        observation: numbers(observation),
        action: Float32Array.from(action),
        next_observation: numbers(next),
        terminated: Float32Array.of(Number(terminated)),
      });
      return reward![0]!;
    };
    const whole = { steps: shown[0]!.length, absorbing };
    const scatter: [number, number][] = [];
    for (const episode of driven) scatter.push([episode.return, await paid(episode, environment, rewardOf, whole)]);
    const freshReward: RewardOf = async (s, a, next, terminated) =>
      (await rewardOf(s, a, next, terminated)) + (terminated ? afterTerminal : 0);
    const recovered = rewarded(environment, freshReward);
    const curve: [number, number][] = [];
    const fresh = await train(plan.fresh, recovered, [], {
      steps: plan.freshSteps,
      seed: seed + 100,
      points: POINTS,
      onPoint: async (learner, at) => {
        const evaluation = await openEnvironment(plan.environment);
        curve.push([at, mean(await returnsOf(learner, evaluation, 5))]);
        await evaluation.close();
      },
    });
    const last = await returnsOf(fresh.learner, environment, options.episodes);
    await fresh.dispose();
    await model.dispose();
    const seconds = (performance.now() - started) / 1000;
    return { last, best: imitated, curve, scatter, demonstrations: Number.NaN, seconds, settings: { ...plan } };
  } finally {
    await environment.close();
  }
}

function summarise(results: readonly RunResult[]): TableSummary {
  const drawn = results.filter(({ scatter = [] }) => scatter.length > 0);
  const rows = results.map(({ job, last, best, scatter = [] }) =>
    [
      `| ${job}`,
      mean(best).toFixed(1),
      mean(last).toFixed(1),
      Math.min(...last).toFixed(1),
      `${scatter.length === 0 ? '–' : pearson(scatter).toFixed(3)} |`,
    ].join(' | '),
  );
  return {
    figures: results.flatMap(({ job, last, scatter = [] }): Figure[] => [
      { name: `${job}: fresh learner`, value: mean(last), unit: 'return', note: 'by the task’s own rewards' },
      ...(scatter.length === 0
        ? []
        : [
            {
              name: `${job}: Pearson`,
              value: pearson(scatter),
              unit: '',
              note: `of recovered and true return, ${scatter.length} episodes of ${PAID.policies} policies of the run`,
            },
          ]),
    ]),
    curves: [],
    ...(drawn.length > 0 && { svg: scatterPicture(drawn) }),
    document: [
      'IQ-Learn learns from demonstrations; the reward that its critic implies is exported; a fresh learner, which sees',
      'neither demonstrations nor the task’s reward, learns from it alone. Returns are by the task’s own rewards.',
      `Pearson’s correlation is that of both rewards, summed over each of ${PAID.policies * PAID.episodes} episodes of IQ-Learn’s policies along its run,`,
      'from bad to good (the paper: 0.99 on Hopper). Of an episode that fell, the steps that are missing count as the absorbing',
      'state is paid for each of them; the task’s own return has 0 for these.',
      '',
      '| run | IQ-Learn | fresh learner | its lowest | Pearson |',
      '|---|---:|---:|---:|---:|',
      ...rows,
    ].join('\n'),
  };
}

/** §7.4 of the paper: the recovered reward is a reward. */
export const reward: PaperTable = {
  name: 'reward',
  summary: 'a fresh learner trained on the recovered reward alone',
  jobs: (options) =>
    options.seeds.flatMap((seed): Job[] =>
      (Object.keys(TASKS) as (keyof typeof TASKS)[]).map((name) => ({
        name: `${name}/seed-${seed}`,
        run: () => run(name, seed, options),
      })),
    ),
  summarise,
};
