import { type Episode, Learner } from '../learning/index.js';
import {
  loadCheckpoint,
  MetricMeans,
  MetricsLog,
  type MetricsSinkName,
  RunMetrics,
  saveCheckpoint,
} from '../platform/index.js';
import type { Environment } from '../simulation/index.js';
import {
  checkpointSegments,
  EnvironmentTrainer,
  environmentPace,
  startLearner,
  updateTelling,
} from '../training/index.js';
import type { Io } from './command.js';
import type { Display } from './display.js';
import { type RunFolder, removedText } from './run-folder.js';
import { rowsOf, type TaskPlan } from './task-plan.js';

/** Updates from one look at the progress to the next, for an agent that learns without acting. */
const UPDATES_PER_LOOK = 100;
/** Longest time between two looks at signals, beside a step itself. */
const LOOK_MS = 50;
/** Steps from one row of metrics to the next. */
const LOG_EVERY = 1000;
/** Steps from one checkpoint to the next. */
const CHECKPOINT_EVERY = checkpointSegments(1);

export interface TaskRunOptions {
  readonly plan: TaskPlan;
  readonly environment: Environment;
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

  get learner(): Learner {
    return this.#learner;
  }

  /** Steps in the environment or, of an agent that does not act, updates. */
  get #steps(): number {
    return this.#training?.steps ?? this.#learner.updates;
  }

  get #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#startedMs) / 1000;
  }

  /** Learns until the last step, or until Ctrl-C, and saves a checkpoint. */
  async learn(): Promise<void> {
    const { plan, io, display } = this.#options;
    const from = this.#steps;
    const returns: number[] = [];
    let yieldedMs = performance.now();
    while (this.#steps < plan.steps && !io.interrupt.signal.aborted) {
      const before = this.#steps;
      await this.#advance(returns);
      const passed = (every: number): boolean => Math.floor(this.#steps / every) > Math.floor(before / every);
      if (passed(LOG_EVERY) || this.#steps >= plan.steps) this.#logRow();
      if (passed(CHECKPOINT_EVERY)) await this.#save();
      display.show({
        phase: 'learning',
        done: this.#steps,
        total: plan.steps,
        unit: this.#training === undefined ? 'updates' : 'steps',
        perSecond: (this.#steps - from) / (this.#seconds - this.#secondsBefore),
        ...(returns.length === 0 ? {} : { return: returns.at(-1)!, returns }),
      });
      // Signals arrive only where the loop yields to the event loop now and then; a step can take long.
      if (performance.now() - yieldedMs < LOOK_MS) continue;
      await new Promise(setImmediate);
      yieldedMs = performance.now();
    }
    await this.#save();
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
