import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IqLearnError, rankCorrelation } from '../../src/common/index.js';
import { Actor, type LearnerConfig, type Metrics } from '../../src/learning/index.js';
import {
  generations,
  loadCheckpoint,
  MetricMeans,
  MetricsLog,
  type MetricsSinkName,
  RunMetrics,
  saveCheckpoint,
} from '../../src/platform/index.js';
import {
  decodeBundle,
  encodeBundle,
  type PolicyBundle,
  type PolicyFunction,
  type PolicyRuntime,
} from '../../src/policy/index.js';
import type { Environment } from '../../src/simulation/index.js';
import {
  type CandidateChoice,
  driveEpisodes,
  EnvironmentTrainer,
  type EvaluatedEpisode,
  EventLoopTurns,
  environmentCandidates,
  environmentContract,
  evaluateOnTask,
  learnsFromStatesAlone,
  startLearner,
} from '../../src/training/index.js';
import { progress } from '../harness.js';
import type { Demonstrations } from './demonstrations.js';

export interface SeedSettings {
  readonly task: string;
  readonly seed: number;
  readonly steps: number;
  /** The number of steps from one point of the curve to the next. */
  readonly every: number;
  readonly curveEpisodes: number;
  readonly finalEpisodes: number;
  readonly randomSteps: number;
  readonly updatesPerStep: number;
  readonly config: LearnerConfig;
  readonly threads: number;
  /** The demonstrations in words. A run is only resumed with the same ones. */
  readonly data: string;
  /** The number of steps after which the learner's own episodes are truncated. */
  readonly episodeSteps: number;
  /** Options of the task while the run learns in it. */
  readonly learningTask: Readonly<Record<string, unknown>>;
  readonly checkpoints: string | null;
  readonly resume: boolean;
  /** The sinks of metrics, whose files lie beside the checkpoints. */
  readonly metrics: readonly MetricsSinkName[];
}

/** The environment that a run learns in, and another one for its evaluations, so that no evaluation ends an episode of learning. */
export interface SeedEnvironments {
  readonly training: Environment;
  readonly evaluation: Environment;
}

/** A point of the curve. `seconds` counts steps and updates; `elapsed` counts evaluations and checkpoints as well. */
export interface Point {
  readonly steps: number;
  readonly seconds: number;
  readonly elapsed: number;
  readonly return: number;
  readonly sd: number;
  readonly length: number;
  readonly criticLoss: number | null;
  readonly rewardExpert: number | null;
  readonly rewardPolicy: number | null;
}

export interface Evaluation {
  readonly steps: number;
  readonly mean: number;
  readonly sd: number;
  readonly lowest: number;
  /** Episodes that ended in a true terminal state. */
  readonly terminated: number;
  /** The return of each start. */
  readonly returns: readonly number[];
}

/** The policy that the run itself chose, without a reward, and how its measure agrees with the returns. */
export interface Chosen extends Evaluation {
  /** Steps of the policies whose mean it is; one of a policy of the run. */
  readonly meanOf: readonly number[];
  readonly distance: number;
  /** Spearman's, of nearness to the demonstrations and return over all candidates; NaN where it is not defined. */
  readonly rankCorrelation: number;
}

export interface SeedOutcome {
  readonly seed: number;
  readonly points: readonly Point[];
  /** The evaluation of the last policy on fresh starts. */
  readonly last: Evaluation;
  /** The evaluation, on the same fresh starts, of the policy at the curve's highest point, which was chosen by its return. */
  readonly best: Evaluation;
  /** The policy to deploy; null where no candidates were kept, which takes a folder of checkpoints. */
  readonly chosen: Chosen | null;
  readonly diverged: string | null;
}

/** The data that a checkpoint holds beside the training. */
interface Saved {
  readonly identity: string;
  readonly points: readonly Point[];
  readonly seconds: number;
  readonly elapsed: number;
}

/** First seeds of the starts of the curve's evaluations and, so that no start is shared, of the evaluations at the end. */
const CURVE_STARTS = 1_000_000;
const FINAL_STARTS = 2_000_000;
const REPORT_MS = 30_000;
/** The number of steps from one row of metrics to the next. */
const LOG_EVERY = 1000;

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const deviation = (values: readonly number[]): number => {
  const centre = mean(values);
  return values.length < 2 ? 0 : Math.sqrt(values.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (values.length - 1));
};

/** Online IQ-Learn with one seed, evaluated as it learns. Its checkpoints hold all that it needs to go on later. */
export class SeedRun {
  readonly #settings: SeedSettings;
  readonly #training: EnvironmentTrainer;
  readonly #evaluation: Environment;
  readonly #label: string;
  readonly #choice: CandidateChoice | undefined;
  #points: Point[] = [];
  #best: PolicyFunction | undefined;
  #seconds = 0;
  #elapsed = 0;
  readonly #means = new MetricMeans();
  #sums = new Map<string, number>();
  #count = 0;

  private constructor(
    settings: SeedSettings,
    training: EnvironmentTrainer,
    evaluation: Environment,
    choice: CandidateChoice | undefined,
  ) {
    this.#settings = settings;
    this.#choice = choice;
    this.#training = training;
    this.#evaluation = evaluation;
    this.#label = `${settings.task} seed ${settings.seed}`;
  }

  static async start(
    settings: SeedSettings,
    demonstrations: Demonstrations,
    tasks: SeedEnvironments,
  ): Promise<SeedRun> {
    const { config, threads, seed, checkpoints, randomSteps, updatesPerStep } = settings;
    const environment = tasks.training;
    if (checkpoints !== null && existsSync(checkpoints) && generations(checkpoints).length > 0) {
      if (settings.resume) return await SeedRun.#resume(settings, demonstrations, tasks);
      throw new IqLearnError('CONFLICT', `${checkpoints} holds the checkpoints of another run`, {
        remedy: 'go on from them with --resume, or choose another folder',
      });
    }
    const learner = await startLearner({
      config,
      observation: environment.observation,
      actionSize: environment.actionRange.size,
      seed,
      demonstrations: demonstrations.episodes,
      threads,
    });
    const training = await EnvironmentTrainer.create({
      learner,
      environment,
      seed,
      randomSteps,
      updateAfter: randomSteps,
      updatesPerStep,
      warn: (text) => progress(`warning: ${text}`),
    });
    return new SeedRun(settings, training, tasks.evaluation, choiceOf(settings, demonstrations, tasks.evaluation));
  }

  static async #resume(
    settings: SeedSettings,
    demonstrations: Demonstrations,
    tasks: SeedEnvironments,
  ): Promise<SeedRun> {
    const checkpoint = loadCheckpoint(settings.checkpoints!, (problem) => progress(`warning: ${problem.message}`));
    const saved = checkpoint.meta.bench as Saved;
    if (saved.identity !== identityOf(settings))
      throw new IqLearnError('MISMATCH', `${settings.checkpoints} is of a run with other settings`, {
        found: saved.identity,
        expected: identityOf(settings),
        remedy: 'give the options it was begun with; only --steps may grow',
      });
    const training = await EnvironmentTrainer.resume(checkpoint, tasks.training, {
      threads: settings.threads,
      warn: (text) => progress(`warning: ${text}`),
    });
    const versions = saved.points.map(({ steps }) => steps);
    const choice = choiceOf(settings, demonstrations, tasks.evaluation, versions);
    const run = new SeedRun(settings, training, tasks.evaluation, choice);
    run.#points = [...saved.points];
    run.#seconds = saved.seconds;
    run.#elapsed = saved.elapsed;
    const policy = training.learner.policyFunction();
    const constants = Object.entries(policy.constants).map(([name, { spec, data }]) => {
      const best = checkpoint.arrays[`best.${name}`];
      return [name, { spec, data: best instanceof Float32Array ? best : data }] as const;
    });
    run.#best = { ...policy, constants: Object.fromEntries(constants) };
    progress(`${run.#label}: goes on from step ${training.steps}`);
    return run;
  }

  /** Learns up to the last step, and evaluates on the way and at the end. */
  async run(): Promise<SeedOutcome> {
    const { checkpoints, metrics } = this.#settings;
    const log = new MetricsLog({
      folder: checkpoints ?? '',
      sinks: checkpoints === null ? metrics.filter((name) => name === 'terminal') : metrics,
      // A checkpoint is written after the row of its step.
      cutFrom: this.#training.steps === 0 ? 0 : this.#training.steps + 1,
      onProblem: (problem) => progress(`warning: ${problem.message}`),
    });
    try {
      return await this.#learn(new RunMetrics(log, { steps: this.#training.steps, seconds: this.#seconds }));
    } finally {
      log.close();
    }
  }

  async #learn(rows: RunMetrics): Promise<SeedOutcome> {
    const { steps, every } = this.#settings;
    const training = this.#training;
    const began = performance.now();
    const from = training.steps;
    let diverged: string | null = null;
    let reported = began;
    const turns = new EventLoopTurns();
    const elapsed = this.#elapsed;
    while (training.steps < steps) {
      diverged = await this.#step(rows);
      if (diverged !== null) break;
      const now = performance.now();
      const rate = (training.steps - from) / ((now - began) / 1000);
      const left = `${Math.round(rate)} steps/s, ${Math.ceil((steps - training.steps) / rate / 6) / 10} min left`;
      if (training.steps % every === 0 || training.steps === steps) {
        const point = await this.#measure(elapsed + (now - began) / 1000);
        this.#writeRow(rows, point);
        this.#elapsed = elapsed + (performance.now() - began) / 1000;
        await this.#save();
        progress(`${this.#label}: ${summaryOf(point)}; ${left}`);
        reported = performance.now();
      } else if (training.steps % LOG_EVERY === 0) {
        this.#writeRow(rows);
      } else if (now - reported > REPORT_MS) {
        progress(`${this.#label}: step ${training.steps} of ${steps}; ${left}`);
        reported = now;
      }
      await turns.yieldNowAndThen();
    }
    return this.#outcome(diverged);
  }

  /** Makes one step of the environment and its updates, and counts their time. Gives the reason where learning diverged, else null. */
  async #step(rows: RunMetrics): Promise<string | null> {
    const start = performance.now();
    try {
      const { metrics, episode } = await this.#training.step();
      if (metrics !== undefined) this.#take(metrics);
      if (episode !== undefined) rows.episode({ return: episode.return, length: episode.length });
      return null;
    } catch (error) {
      if (!(error instanceof IqLearnError) || error.code !== 'DIVERGED') throw error;
      const diverged = `${error.found}, step ${this.#training.steps}`;
      progress(`${this.#label}: diverged: ${diverged}`);
      return diverged;
    } finally {
      this.#seconds += (performance.now() - start) / 1000;
    }
  }

  /** Evaluates the last policy and the best one of the curve on the same fresh starts. */
  async #outcome(diverged: string | null): Promise<SeedOutcome> {
    const training = this.#training;
    const highest = this.#points.reduce<Point | undefined>(
      (best, point) => (best === undefined || point.return > best.return ? point : best),
      undefined,
    );
    const evaluated = async (policy: PolicyFunction | undefined, at: number): Promise<Evaluation> => {
      if (policy === undefined)
        return { steps: at, mean: Number.NaN, sd: Number.NaN, lowest: Number.NaN, terminated: Number.NaN, returns: [] };
      return evaluationOf(at, await this.#evaluate(policy, this.#settings.finalEpisodes, FINAL_STARTS));
    };
    // After divergence the parameters are not finite, so there is no last policy to evaluate.
    const last = await evaluated(diverged === null ? training.learner.policyFunction() : undefined, training.steps);
    const best =
      highest?.steps === training.steps ? last : await evaluated(this.#best, highest?.steps ?? training.steps);
    const chosen = diverged === null ? await this.#chosen() : null;
    return { seed: this.#settings.seed, points: this.#points, last, best, chosen, diverged };
  }

  /** Evaluates, on the same fresh starts, the policy that the run would deploy. */
  async #chosen(): Promise<Chosen | null> {
    if (this.#choice === undefined) return null;
    const { steps } = this.#training;
    const { bundle, score } = await this.#choice.choose({ version: steps, bundle: await this.#bundle() });
    const policy = await decodeBundle(bundle);
    try {
      const results = await this.#drive(policy, this.#settings.finalEpisodes, FINAL_STARTS);
      const scores = this.#choice.scores.filter(({ version }) => version > this.#settings.randomSteps);
      const correlation = rankCorrelation(
        scores.map(({ distance }) => -distance),
        scores.map((each) => each.return),
      );
      const { version, versions: meanOf, distance } = score;
      return { ...evaluationOf(version, results), meanOf, distance, rankCorrelation: correlation };
    } finally {
      await policy.dispose();
    }
  }

  #bundle(): Promise<PolicyBundle> {
    const { task, seed, config } = this.#settings;
    const { steps, learner } = this.#training;
    return encodeBundle({
      policy: learner.policyFunction(),
      contract: environmentContract(task, this.#evaluation),
      version: steps,
      training: { algorithm: config.agent, task, seed, steps, updates: learner.updates },
    });
  }

  async close(): Promise<void> {
    await this.#training.dispose();
  }

  #writeRow(rows: RunMetrics, evaluation?: Point): void {
    const { steps, learner } = this.#training;
    rows.learned(
      { steps, updates: learner.updates, seconds: this.#seconds, train: this.#means.take() },
      // Its means are those of one such episode.
      evaluation === undefined ? [] : [{ return: evaluation.return, length: evaluation.length }],
    );
  }

  #take(metrics: Metrics): void {
    this.#means.add(metrics);
    for (const [name, value] of Object.entries(metrics)) this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
    this.#count++;
  }

  async #measure(elapsed: number): Promise<Point> {
    const policy = this.#training.learner.policyFunction();
    // First, and waited for: candidates drive in the environment of the evaluation, those of a run that goes on as well.
    await this.#choice?.add(this.#training.steps, await this.#bundle());
    const results = await this.#evaluate(policy, this.#settings.curveEpisodes, CURVE_STARTS);
    const [returns, lengths] = [results.map((each) => each.return), results.map(({ length }) => length)];
    const metric = (name: string): number | null =>
      this.#count === 0 ? null : this.#sums.get(`train/${name}`)! / this.#count;
    const point: Point = {
      steps: this.#training.steps,
      seconds: this.#seconds,
      elapsed,
      return: mean(returns),
      sd: deviation(returns),
      length: mean(lengths),
      criticLoss: metric('critic_loss'),
      rewardExpert: metric('reward_expert'),
      rewardPolicy: metric('reward_policy'),
    };
    this.#sums.clear();
    this.#count = 0;
    if (this.#points.every(({ return: other }) => other < point.return)) this.#best = policy;
    this.#points.push(point);
    return point;
  }

  async #evaluate(policy: PolicyFunction, episodes: number, seed: number) {
    const actor = await Actor.create(policy);
    try {
      return await evaluateOnTask(actor, this.#evaluation, { episodes, seed });
    } finally {
      await actor.dispose();
    }
  }

  /** As `evaluateOnTask`, with a policy as it is deployed: it takes observations and gives actions in the task's units. */
  async #drive(policy: PolicyRuntime, episodes: number, seed: number): Promise<EvaluatedEpisode[]> {
    const environment = this.#evaluation;
    return await driveEpisodes(environment, (observation) => policy.act(observation), { episodes, seed });
  }

  async #save(): Promise<void> {
    if (this.#settings.checkpoints === null) return;
    const bench: Saved = {
      identity: identityOf(this.#settings),
      points: this.#points,
      seconds: this.#seconds,
      elapsed: this.#elapsed,
    };
    const { meta, arrays } = await this.#training.checkpoint();
    const best = Object.entries(this.#best?.constants ?? {}).map(([name, { data }]) => [`best.${name}`, data] as const);
    saveCheckpoint(this.#settings.checkpoints, {
      meta: { ...meta, bench },
      arrays: { ...arrays, ...Object.fromEntries(best) },
    });
  }
}

const evaluationOf = (steps: number, episodes: readonly EvaluatedEpisode[]): Evaluation => {
  const returns = episodes.map((episode) => episode.return);
  return {
    steps,
    mean: mean(returns),
    sd: deviation(returns),
    lowest: Math.min(...returns),
    terminated: episodes.filter(({ terminated }) => terminated).length,
    returns,
  };
};

/** The choice among a run's policies, beside its checkpoints. */
function choiceOf(
  { checkpoints, config, seed, task }: SeedSettings,
  { episodes }: Demonstrations,
  evaluation: Environment,
  versions: readonly number[] = [],
): CandidateChoice | undefined {
  if (checkpoints === null) return undefined;
  return environmentCandidates(
    {
      environment: evaluation,
      demonstrations: episodes,
      statesOnly: learnsFromStatesAlone(config),
      seed,
      folder: join(checkpoints, 'candidates'),
      task,
    },
    versions,
  );
}

/** Describes what must be the same for a run to go on. */
function identityOf(settings: SeedSettings): string {
  const { task, seed, every, curveEpisodes, episodeSteps, learningTask, randomSteps, updatesPerStep, data } = settings;
  // The length of the run may grow; schedules keep the end that the run was begun with.
  const { decayUpdates: _, ...config } = settings.config;
  const course = { task, seed, every, curveEpisodes, episodeSteps, learningTask, randomSteps, updatesPerStep };
  return JSON.stringify({ ...course, data, config });
}

/** Describes a point of the curve in words. */
function summaryOf(point: Point): string {
  const reward = (value: number | null): string => (value === null ? 'none yet' : value.toFixed(2));
  return (
    `step ${point.steps}, ${Math.round(point.seconds)} s: return ${point.return.toFixed(0)} ± ${point.sd.toFixed(0)}` +
    `, ${point.length.toFixed(0)} steps an episode, recovered reward: expert ${reward(point.rewardExpert)}, policy ${reward(point.rewardPolicy)}`
  );
}
