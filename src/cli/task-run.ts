import { type Episode, Learner } from '../learning/index.js';
import {
  loadCheckpoint,
  MetricMeans,
  MetricsLog,
  type MetricsSinkName,
  RunMetrics,
  saveCheckpoint,
} from '../platform/index.js';
import { encodeBundle, type PolicyBundle } from '../policy/index.js';
import type { Environment } from '../simulation/index.js';
import {
  type CandidateChoice,
  type ComparedScore,
  candidateVersions,
  checkpointSegments,
  EnvironmentTrainer,
  EventLoopTurns,
  environmentCandidates,
  environmentContract,
  environmentPace,
  learnsFromStatesAlone,
  notCompared,
  startLearner,
  updateTelling,
} from '../training/index.js';
import type { Io } from './command.js';
import type { Display } from './display.js';
import { CANDIDATES, comparing } from './learning.js';
import { type RunFolder, removedText } from './run-folder.js';
import { rowsOf, type TaskPlan } from './task-plan.js';

/** Updates from one look at the progress to the next, for an agent that learns without acting. */
const UPDATES_PER_LOOK = 100;
/** Steps from one row of metrics to the next. */
const LOG_EVERY = 1000;
/** The fewest steps between two policies that are compared with the demonstrations. */
const CANDIDATE_STEPS = 1000;
/** Steps from one checkpoint to the next. */
const CHECKPOINT_EVERY = checkpointSegments(1);

export interface TaskRunOptions {
  readonly plan: TaskPlan;
  readonly environment: Environment;
  /** Another copy of the environment, in which policies are compared; without it the last policy is the run's. */
  readonly trial: Environment | undefined;
  readonly demonstrations: readonly Episode[];
  readonly folder: RunFolder;
  readonly display: Display;
  readonly io: Io;
  readonly resume: boolean;
  readonly log: readonly MetricsSinkName[];
}

/** A run of `iq-learn train --task`: it acts and learns, or only learns; it logs, and its checkpoint resumes bit for bit. */
export class TaskRun {
  readonly #options: TaskRunOptions;
  readonly #learner: Learner;
  /** Absent where the agent learns without acting. */
  readonly #training: EnvironmentTrainer | undefined;
  readonly #log: MetricsLog;
  readonly #rows: RunMetrics;
  readonly #means = new MetricMeans();
  readonly #secondsBefore: number;
  readonly #startedMs = performance.now();
  readonly #choice: CandidateChoice | undefined;

  private constructor(
    options: TaskRunOptions,
    learner: Learner,
    training: EnvironmentTrainer | undefined,
    secondsBefore: number,
  ) {
    const { folder, display, log } = options;
    this.#options = options;
    this.#learner = learner;
    this.#training = training;
    this.#secondsBefore = secondsBefore;
    this.#log = new MetricsLog({
      folder: folder.path,
      sinks: log,
      // A fresh run logs from the start; one that goes on keeps the row of its checkpoint's step.
      cutFrom: this.#steps === 0 ? 0 : this.#steps + 1,
      print: (table) => display.say(table),
      onProblem: ({ message }) => display.warn(message),
    });
    this.#rows = new RunMetrics(this.#log, { steps: this.#steps, seconds: secondsBefore });
    this.#choice = this.#choiceOf();
  }

  /** Throws what reading a checkpoint and creating a learner throw. */
  static async begin(options: TaskRunOptions): Promise<TaskRun> {
    const { plan, environment, demonstrations, folder, display } = options;
    const alone = rowsOf(plan.config, environment).policy === 0;
    const warn = (text: string): void => display.warn(text);
    if (options.resume) {
      const checkpoint = loadCheckpoint(folder.file('checkpoint'), ({ message }) => display.warn(message));
      const seconds = typeof checkpoint.meta.seconds === 'number' ? checkpoint.meta.seconds : 0;
      if (alone) return new TaskRun(options, await Learner.resume(checkpoint), undefined, seconds);
      const training = await EnvironmentTrainer.resume(checkpoint, environment, { warn });
      return new TaskRun(options, training.learner, training, seconds);
    }
    const learner = await startLearner({
      config: plan.config,
      observation: environment.observation,
      actionSize: environment.actionRange.size,
      seed: plan.seed,
      demonstrations,
    });
    if (alone) return new TaskRun(options, learner, undefined, 0);
    const training = await EnvironmentTrainer.create({
      learner,
      environment,
      seed: plan.seed,
      ...environmentPace(plan),
      warn,
    });
    return new TaskRun(options, learner, training, 0);
  }

  /** The choice among the policies of the run, where another copy of the environment is there for it. */
  #choiceOf(): CandidateChoice | undefined {
    const { trial, demonstrations, plan, folder, display, io } = this.#options;
    if (trial === undefined) return undefined;
    const unseen = notCompared(trial.observation);
    if (unseen !== null) display.say(unseen);
    const every = candidateSteps(plan);
    const statesOnly = learnsFromStatesAlone(plan.config);
    return environmentCandidates(
      {
        environment: trial,
        demonstrations,
        statesOnly,
        seed: plan.seed,
        folder: folder.file('candidates'),
        task: plan.task,
        stopWhenConverged: plan.stopWhenConverged,
        signal: io.interrupt.signal,
      },
      candidateVersions(this.#steps, every),
    );
  }

  /** The policy as it is now. */
  #bundle(): Promise<PolicyBundle> {
    const { plan, environment } = this.#options;
    return encodeBundle({
      policy: this.#learner.policyFunction(),
      contract: environmentContract(plan.task, environment),
      version: this.#steps,
      training: {
        algorithm: plan.config.agent,
        task: plan.task,
        seed: plan.seed,
        steps: this.#steps,
        updates: this.#learner.updates,
        expert_transitions: this.#learner.expertTransitions,
      },
    });
  }

  /** The policy to deploy: the one that is nearest to the demonstrations, or the last where none was compared. */
  async deployed(): Promise<{ readonly bundle: PolicyBundle; readonly score?: ComparedScore }> {
    const last = { version: this.#steps, bundle: await this.#bundle() };
    const { display, io } = this.#options;
    if (io.interrupt.signal.aborted) return last;
    const onProgress = (done: number, total: number): void => display.show(comparing(done, total));
    return (await this.#unlessInterrupted(this.#choice?.choose(last, { onProgress }))) ?? last;
  }

  /** What candidates give that drive; undefined where there are none, or once Ctrl-C has ended their driving. */
  async #unlessInterrupted<T>(driving: Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await driving;
    } catch (error) {
      if (this.#options.io.interrupt.signal.aborted) return undefined;
      throw error;
    }
  }

  /** Steps in the environment or, of an agent that does not act, updates. */
  get #steps(): number {
    return this.#training?.steps ?? this.#learner.updates;
  }

  get #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#startedMs) / 1000;
  }

  /** The steps that the run was planned to make. */
  get steps(): number {
    return this.#options.plan.steps;
  }

  /** The step at which learning converged, which ends the run; undefined where it goes on to its last step. */
  get converged(): number | undefined {
    return this.#choice?.converged;
  }

  /** Learns until the last step, until learning has converged, or until Ctrl-C, and saves a checkpoint. */
  async learn(): Promise<void> {
    const { plan, io, display } = this.#options;
    const from = this.#steps;
    const returns: number[] = [];
    const turns = new EventLoopTurns();
    while (this.#steps < plan.steps && this.converged === undefined && !io.interrupt.signal.aborted) {
      const before = this.#steps;
      await this.#advance(returns);
      const passed = (every: number): boolean => Math.floor(this.#steps / every) > Math.floor(before / every);
      if (passed(candidateSteps(plan))) await this.#compare();
      if (passed(LOG_EVERY) || this.#steps >= plan.steps) this.#logRow();
      if (passed(CHECKPOINT_EVERY)) await this.#save();
      display.show({
        phase: 'learning',
        done: this.#steps,
        total: plan.steps,
        unit: this.#training === undefined ? 'updates' : 'steps',
        perSecond: (this.#steps - from) / (this.#seconds - this.#secondsBefore),
        ...(returns.length === 0 ? {} : { return: returns.at(-1)!, returns }),
        ...(this.#distance === undefined ? {} : { distance: this.#distance }),
      });
      await turns.yieldNowAndThen();
    }
    await this.#save();
  }

  get #distance(): number | undefined {
    return this.#choice?.scores.at(-1)?.distance;
  }

  /** Has the policy drive some episodes, and measures how far they are from the demonstrations. */
  async #compare(): Promise<void> {
    const score = await this.#unlessInterrupted(this.#choice?.add(this.#steps, await this.#bundle()));
    if (score !== undefined) this.#rows.candidate(score);
  }

  /** One step in the environment, or some updates. */
  async #advance(returns: number[]): Promise<void> {
    if (this.#training === undefined) {
      const left = this.#options.plan.steps - this.#learner.updates;
      this.#means.add(
        await updateTelling(this.#learner, Math.min(UPDATES_PER_LOOK, left), (text) =>
          this.#options.display.warn(text),
        ),
      );
      return;
    }
    const { metrics, episode } = await this.#training.step();
    if (metrics !== undefined) this.#means.add(metrics);
    if (episode === undefined) return;
    returns.push(episode.return);
    this.#rows.episode({ return: episode.return, length: episode.length });
  }

  #logRow(): void {
    const train = this.#means.take();
    this.#rows.learned({ steps: this.#steps, updates: this.#learner.updates, seconds: this.#seconds, train });
  }

  async #save(): Promise<void> {
    const { folder, display } = this.#options;
    if (folder.mend()) display.warn(removedText(folder.path));
    const { meta, arrays } =
      this.#training === undefined ? this.#learner.checkpoint() : await this.#training.checkpoint();
    saveCheckpoint(folder.file('checkpoint'), { meta: { ...meta, seconds: this.#seconds }, arrays });
  }

  async close(): Promise<void> {
    this.#log.close();
    if (this.#training === undefined) await this.#learner.dispose();
    else await this.#training.dispose();
  }
}

/** Steps from one policy that is compared to the next. */
const candidateSteps = ({ steps }: TaskPlan): number => Math.max(CANDIDATE_STEPS, Math.ceil(steps / CANDIDATES));
