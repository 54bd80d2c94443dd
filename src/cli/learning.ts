import { existsSync } from 'node:fs';
import { mean } from '../common/index.js';
import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { DeviceChoice } from '../engine/index.js';
import { behaviouralCloning, cloningSettingsOf, type LearnerConfig } from '../learning/index.js';
import {
  type EpisodeMetrics,
  MetricsLog,
  type MetricsSinkName,
  RunMetrics,
  writeFileAtomic,
} from '../platform/index.js';
import { encodeBundle, type PolicyBundle } from '../policy/index.js';
import type { LearningCurves, LearningPoint, RolloutPoint } from '../report/index.js';
import { contractOf, observationOf } from '../robot/index.js';
import { learningEpisode, TrainingSession } from '../sessions/index.js';
import type { TrainingSettings } from '../simulation/index.js';
import { checkpointSegments } from '../training/index.js';
import { readJson } from './inspect/kind.js';
import type { Session } from './session.js';

/** Episodes that the shown return and success are means of. */
const WINDOW = 10;
/** The other core belongs to the robot and its policy. */
const LEARNER_THREADS = 1;

/** What a training run is; kept beside its checkpoint, so that resuming needs no options. */
export interface TrainingPlan {
  readonly robot: string;
  readonly recordings: readonly string[];
  readonly seed: number;
  readonly steps: number;
  readonly segmentSize: number;
  readonly updatesPerTransition: number;
  readonly config: LearnerConfig;
}

export interface Learning {
  readonly training: TrainingSession;
  readonly bundle: PolicyBundle;
  readonly curves: LearningCurves;
  readonly interrupted: boolean;
  /** What an evaluation after learning is logged to. */
  readonly metrics: RunMetrics;
  /** Ends the training, with a checkpoint, and the log of metrics. */
  close(): Promise<void>;
}

/** Where a training run keeps what it writes on the way, and on what it computes. */
export interface LearningPlace {
  /** Folder of checkpoints. */
  readonly checkpoint: string;
  /** JSON file of the curves. */
  readonly curves: string;
  /** The folder that gets progress.csv, progress.jsonl and tensorboard/, and which of them. */
  readonly metrics: { readonly folder: string; readonly sinks: readonly MetricsSinkName[] };
  /** Whether to go on from the newest checkpoint. */
  readonly resume: boolean;
  /** What learning runs on. */
  readonly device: DeviceChoice;
}

/** What is logged of an episode: its success only where the task knows success. */
export function episodeMetrics({ hasSuccess }: TrainingSettings) {
  return ({ return: total, length, success }: Pick<RolloutPoint, 'return' | 'length' | 'success'>): EpisodeMetrics => ({
    return: total,
    length,
    ...(hasSuccess ? { success } : {}),
  });
}

/** Curves of an earlier part of the run, up to the checkpoint it goes on from: its own point is told again. */
function earlierCurves(file: string, transitions: number): { points: LearningPoint[]; rollouts: RolloutPoint[] } {
  if (!existsSync(file)) return { points: [], rollouts: [] };
  const { points, rollouts } = readJson(file) as LearningCurves;
  return {
    points: points.filter((point) => point.transitions < transitions),
    rollouts: rollouts.filter((rollout) => rollout.transitions <= transitions),
  };
}

/**
 * Learns online with progress on the display. The training stays open, for its critic can be asked for rewards: the
 * caller closes it. Ctrl-C ends it early with what was learned; the checkpoint is written when it is closed.
 */
export async function learn(
  { io, display, spec, settings, logger }: Session,
  plan: TrainingPlan,
  demonstrations: readonly DemonstrationEpisode[],
  options: LearningPlace,
): Promise<Learning> {
  const { seed, steps, segmentSize, updatesPerTransition, config } = plan;
  const everySegments = checkpointSegments(segmentSize);
  let points: LearningPoint[] = [];
  let rollouts: RolloutPoint[] = [];
  let before = { seconds: 0, transitions: 0 };
  let runMetrics: RunMetrics | undefined;
  const save = (): void => writeFileAtomic(options.curves, `${JSON.stringify({ points, rollouts })}\n`);
  const show = (): void => {
    const point = points.at(-1);
    const last = rollouts.slice(-WINDOW);
    const done = point?.transitions ?? before.transitions;
    const elapsed = (point?.seconds ?? 0) - before.seconds;
    display.show({
      phase: 'learning',
      done,
      total: steps,
      unit: 'steps',
      ...(elapsed > 0 ? { perSecond: (done - before.transitions) / elapsed } : {}),
      ...(last.length === 0
        ? {}
        : { return: mean(last.map((rollout) => rollout.return)), returns: rollouts.map((rollout) => rollout.return) }),
      ...(last.length === 0 || !settings.hasSuccess
        ? {}
        : { success: mean(last.map(({ success }) => Number(success))) }),
      ...metricsOf(point),
    });
  };
  if (config.warmStartUpdates > 0 && !options.resume)
    display.say(`the actor starts from ${config.warmStartUpdates} updates of behavioural cloning`);
  display.say(options.device.why);
  const training = await TrainingSession.create({
    spec,
    demonstrations,
    config,
    seed,
    transitions: steps,
    segmentSize,
    updatesPerTransition,
    checkpoint: { folder: options.checkpoint, everySegments },
    resume: options.resume,
    logger,
    signal: io.interrupt.signal,
    ...(settings.learningTask === undefined ? {} : { task: settings.learningTask }),
    device: options.device.device,
    threads: LEARNER_THREADS,
    onProgress: ({ seconds, version, transitions, updates, metrics }) => {
      points.push({ seconds: before.seconds + seconds, transitions, updates, metrics });
      runMetrics?.learned({ steps: transitions, updates, seconds: before.seconds + seconds, train: metrics });
      show();
      // Just before a checkpoint: a run that is killed and resumed has the curves up to there.
      if ((version + 1) % everySegments === 0) save();
    },
    onRollout: ({ seconds, transitions, return: total, length, success }) => {
      rollouts.push({ seconds: before.seconds + seconds, transitions, return: total, length, success });
      runMetrics?.episode(episodeMetrics(settings)({ return: total, length, success }));
    },
  });
  let log: MetricsLog | undefined;
  const close = async (): Promise<void> => {
    log?.close();
    await training.close();
  };
  try {
    if (options.resume) {
      const { transitions } = training.progress;
      ({ points, rollouts } = earlierCurves(options.curves, transitions));
      before = { seconds: points.at(-1)?.seconds ?? 0, transitions };
      display.say(`going on from ${transitions} of ${steps} steps`);
    }
    log = new MetricsLog({
      ...options.metrics,
      // The row of the checkpoint itself is logged again.
      cutFrom: before.transitions,
      print: (table) => display.say(table),
      onProblem: ({ message }) => display.warn(message),
    });
    runMetrics = new RunMetrics(log, { steps: before.transitions, seconds: before.seconds });
    const { bundle, interrupted } = await training.run();
    save();
    return { training, bundle, curves: { points, rollouts }, interrupted, metrics: runMetrics, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function metricsOf(point: LearningPoint | undefined): object {
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

/** The baseline: behavioural cloning of the same demonstrations, with the same network. */
export async function clone(
  { spec, display, settings, seed }: Session,
  demonstrations: readonly DemonstrationEpisode[],
  config: LearnerConfig,
): Promise<PolicyBundle> {
  const updates = settings.cloning.updates ?? 5000;
  const { loss } = settings.cloning;
  const policy = await behaviouralCloning({
    updates,
    episodes: demonstrations.map((episode) => learningEpisode(episode, spec)),
    observation: observationOf(spec),
    actionSize: spec.action.length,
    seed,
    settings: { ...cloningSettingsOf(config), ...(loss === undefined ? {} : { loss }) },
    onProgress: (done) => display.show({ phase: 'cloning', done, total: updates, unit: 'updates' }),
  });
  return encodeBundle({
    policy,
    contract: contractOf(spec),
    version: 0,
    training: { algorithm: 'cloning', seed, updates, demonstrations: demonstrations.length },
  });
}
