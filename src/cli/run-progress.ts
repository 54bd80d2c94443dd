import { existsSync } from 'node:fs';
import { mean } from '../common/index.js';
import {
  type EpisodeMetrics,
  MetricsLog,
  type MetricsSinkName,
  RunMetrics,
  readJson,
  writeFileAtomic,
} from '../platform/index.js';
import type { ChoicePoint, LearningCurves, LearningPoint, RolloutPoint } from '../report/index.js';
import type { TrainingSettings } from '../simulation/index.js';
import { type RunFolder, removedText } from './run-folder.js';
import type { Session } from './session.js';

/** The return and the success on the display are means over so many of the last episodes. */
const WINDOW = 10;

/** Where a training run keeps its checkpoints, curves and metrics. */
export interface LearningFiles {
  /** Folder of checkpoints. */
  readonly checkpoint: string;
  /** Folder of the policies that are compared with the demonstrations. */
  readonly candidates: string;
  /** JSON file of the curves. */
  readonly curves: string;
  /** The folder that gets progress.csv, progress.jsonl and tensorboard/, and which of them are written. */
  readonly metrics: { readonly folder: string; readonly sinks: readonly MetricsSinkName[] };
  /** Whether to go on from the newest checkpoint. */
  readonly resume: boolean;
  /** The run's folder, whose plan is written again where somebody has removed it. */
  readonly run?: Pick<RunFolder, 'path' | 'mend'>;
}

/** What is logged of an episode; its success is logged only where the task defines success. */
export function episodeMetrics({ hasSuccess }: TrainingSettings) {
  return ({ return: total, length, success }: Pick<RolloutPoint, 'return' | 'length' | 'success'>): EpisodeMetrics => ({
    return: total,
    length,
    ...(hasSuccess ? { success } : {}),
  });
}

/** The curves of a training run as they grow: on the display, in the log of metrics, and in a file that a resumed run reads. */
export class RunProgress {
  readonly #session: Pick<Session, 'display' | 'settings'>;
  /** Transitions of the whole run; infinite where it has no end, and then it is not shown how far it is. */
  readonly #total: number;
  readonly #files: LearningFiles;
  #points: LearningPoint[] = [];
  #rollouts: RolloutPoint[] = [];
  #choice: ChoicePoint[] = [];
  #isChoiceKept = true;
  /** Where the earlier part of a resumed run ended. */
  #before = { seconds: 0, transitions: 0 };
  #log: MetricsLog | undefined;
  #metrics: RunMetrics | undefined;

  constructor(session: Pick<Session, 'display' | 'settings'>, total: number, files: LearningFiles) {
    this.#session = session;
    this.#total = total;
    this.#files = files;
  }

  get curves(): LearningCurves {
    const choice = this.#choice;
    return { points: this.#points, rollouts: this.#rollouts, ...(choice.length === 0 ? {} : { choice }) };
  }

  /** The comparisons of an earlier part of the run are of another task: they are not taken over. To be said before {@link begin}. */
  forgetChoice(): void {
    this.#isChoiceKept = false;
  }

  /** Opens the log. A resumed run first takes over the curves up to the `transitions` of its checkpoint. */
  begin(transitions: number): RunMetrics {
    const { display } = this.#session;
    if (this.#files.resume) {
      this.#takeOver(transitions);
      const total = Number.isFinite(this.#total) ? ` of ${this.#total}` : '';
      display.say(`going on from ${transitions}${total} steps`);
    }
    this.#log = new MetricsLog({
      ...this.#files.metrics,
      // The row of the checkpoint itself is logged again.
      cutFrom: this.#before.transitions,
      print: (table) => display.say(table),
      onProblem: ({ message }) => display.warn(message),
    });
    this.#metrics = new RunMetrics(this.#log, { steps: this.#before.transitions, seconds: this.#before.seconds });
    return this.#metrics;
  }

  /** Adds what was learned from a segment; `seconds` count from the start of this process's learning. */
  learned({ seconds, transitions, updates, metrics }: LearningPoint): void {
    const total = this.#before.seconds + seconds;
    this.#points.push({ seconds: total, transitions, updates, metrics });
    this.#metrics?.learned({ steps: transitions, updates, seconds: total, train: metrics });
    this.#show();
  }

  /** Adds an episode that the policy drove; `seconds` as for {@link learned}. */
  rollout({ seconds, transitions, return: total, length, success }: RolloutPoint): void {
    this.#rollouts.push({ seconds: this.#before.seconds + seconds, transitions, return: total, length, success });
    this.#metrics?.episode(episodeMetrics(this.#session.settings)({ return: total, length, success }));
  }

  /** Adds a policy that was compared with the demonstrations. */
  candidate({ transitions, meanOf, distance, worst, episodes, return: total, final }: ChoicePoint): void {
    this.#choice.push({ transitions, meanOf, distance, worst, episodes, return: total, final });
    if (final) return;
    this.#metrics?.candidate({ distance, worst, return: total });
    this.#show();
  }

  /** Writes the file of the curves. */
  save(): void {
    const { run } = this.#files;
    if (run?.mend()) this.#session.display.warn(removedText(run.path));
    writeFileAtomic(this.#files.curves, `${JSON.stringify(this.curves)}\n`);
  }

  close(): void {
    this.#log?.close();
  }

  /** Reads the curves up to the checkpoint; the checkpoint's own point is left out, because it is reported again. */
  #takeOver(transitions: number): void {
    if (existsSync(this.#files.curves)) {
      const { points, rollouts, choice = [] } = readJson(this.#files.curves) as LearningCurves;
      this.#points = points.filter((point) => point.transitions < transitions);
      this.#rollouts = rollouts.filter((rollout) => rollout.transitions <= transitions);
      if (this.#isChoiceKept) this.#choice = choice.filter((point) => !point.final && point.transitions < transitions);
    }
    this.#before = { seconds: this.#points.at(-1)?.seconds ?? 0, transitions };
  }

  #show(): void {
    if (!Number.isFinite(this.#total)) return;
    const { display, settings } = this.#session;
    const point = this.#points.at(-1);
    const last = this.#rollouts.slice(-WINDOW);
    const done = point?.transitions ?? this.#before.transitions;
    const elapsed = (point?.seconds ?? 0) - this.#before.seconds;
    const returnsOf = (rollouts: readonly RolloutPoint[]): number[] => rollouts.map((rollout) => rollout.return);
    display.show({
      phase: 'learning',
      done,
      total: this.#total,
      unit: 'steps',
      ...(elapsed > 0 ? { perSecond: (done - this.#before.transitions) / elapsed } : {}),
      ...(last.length === 0 ? {} : { return: mean(returnsOf(last)), returns: returnsOf(this.#rollouts) }),
      ...(last.length === 0 || !settings.hasSuccess
        ? {}
        : { success: mean(last.map(({ success }) => Number(success))) }),
      ...(this.#choice.length === 0 ? {} : { distance: this.#choice.at(-1)!.distance }),
      ...shownMetrics(point),
    });
  }
}

/** The metrics of a point that the display knows, under the display's names; those that the agent does not have are absent. */
function shownMetrics(point: LearningPoint | undefined): object {
  const names = {
    criticLoss: 'train/critic_loss',
    actorLoss: 'train/actor_loss',
    rewardExpert: 'train/reward_expert',
    rewardPolicy: 'train/reward_policy',
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, metric]) => {
      const value = point?.metrics[metric];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
