import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { DeviceChoice } from '../engine/index.js';
import type { LoopbackLink } from '../hosts/plain/index.js';
import { behaviouralCloning, cloningSettingsOf, type LearnerConfig } from '../learning/index.js';
import type { RunMetrics } from '../platform/index.js';
import { encodeBundle, type PolicyBundle } from '../policy/index.js';
import type { LearningCurves } from '../report/index.js';
import { contractOf, observationOf } from '../robot/index.js';
import { type CandidateSettings, learningEpisode, type TrainingOptions, TrainingSession } from '../sessions/index.js';
import { type ComparedScore, checkpointSegments, notCompared } from '../training/index.js';
import type { ReadingOptions } from './options.js';
import type { Progress } from './panel.js';
import { type LearningFiles, RunProgress } from './run-progress.js';
import type { Session } from './session.js';

/** One of the two cores is left for the robot and its policy. */
const LEARNER_THREADS = 1;

/** Everything that defines a training run. It is kept beside the checkpoint, so that resuming needs no options. */
export interface TrainingPlan {
  readonly robot: string;
  readonly recordings: readonly string[];
  /** What their topics and times are; the usual where it is not given. */
  readonly reading: ReadingOptions;
  readonly seed: number;
  readonly steps: number;
  readonly segmentSize: number;
  readonly updatesPerTransition: number;
  readonly randomSteps: number;
  readonly stopWhenConverged: boolean;
  readonly config: LearnerConfig;
}

export interface Learning {
  readonly training: TrainingSession;
  readonly bundle: PolicyBundle;
  readonly curves: LearningCurves;
  readonly interrupted: boolean;
  /** Logs the evaluation that follows. */
  readonly metrics: RunMetrics;
  /** Ends the training, with a checkpoint, and the log of metrics. */
  close(): Promise<void>;
}

/** Where a training run keeps its files, and on what it computes. */
export interface LearningPlace extends LearningFiles {
  /** The device that learning runs on. */
  readonly device: DeviceChoice;
  /** Joins the robot with the learner, and is closed with the learning; without it both are on the same topics. */
  readonly link?: LoopbackLink;
}

/**
 * Learns online with progress on the display. The training stays open, because its critic can still be asked for
 * rewards: the caller closes it. Ctrl-C ends it early with what was learned; closing it writes a checkpoint.
 */
export async function learn(
  session: Session,
  plan: TrainingPlan,
  demonstrations: readonly DemonstrationEpisode[],
  options: LearningPlace,
): Promise<Learning> {
  const { io, display, spec, settings, logger } = session;
  const { seed, steps, segmentSize, updatesPerTransition, randomSteps, config } = plan;
  const { learningTask } = settings;
  const everySegments = checkpointSegments(segmentSize);
  if (config.warmStartUpdates > 0 && !options.resume)
    display.say(`the actor starts from ${config.warmStartUpdates} updates of behavioural cloning`);
  display.say(options.device.why);
  const compared = spec.task !== null && demonstrations.length > 0;
  const unseen = notCompared(observationOf(spec));
  if (compared && unseen !== null) display.say(unseen);
  const progress = new RunProgress(session, steps, options);
  const { link } = options;
  const training = await createTraining(link, {
    spec,
    demonstrations,
    config,
    seed,
    transitions: steps,
    segmentSize,
    updatesPerTransition,
    randomSteps,
    checkpoint: { folder: options.checkpoint, everySegments },
    resume: options.resume,
    logger,
    signal: io.interrupt.signal,
    ...(learningTask === undefined ? {} : { task: learningTask }),
    device: options.device.device,
    threads: LEARNER_THREADS,
    onProgress: ({ version, ...point }) => {
      progress.learned(point);
      // Just before a checkpoint: a run that is killed and resumed has the curves up to there.
      if ((version + 1) % everySegments === 0) progress.save();
    },
    onRollout: (rollout) => progress.rollout(rollout),
    ...(compared ? { candidates: candidateSettings(plan, options, session, progress) } : {}),
    onCandidate: (score) => progress.candidate(score),
    onComparing: (done, total) => display.show(comparing(done, total)),
  });
  const close = async (): Promise<void> => {
    progress.close();
    await training.close();
    if (link === undefined) return;
    display.say(link.summary());
    await link.close();
  };
  try {
    const metrics = progress.begin(options.resume ? training.progress.transitions : 0);
    const { bundle, interrupted, chosen, converged } = await training.run();
    if (converged !== undefined) display.say(convergedText(converged * segmentSize, steps));
    if (chosen !== undefined) display.say(chosenText(chosen, segmentSize));
    if (link !== undefined) display.say(await link.compare());
    progress.save();
    return { training, bundle, curves: progress.curves, interrupted, metrics, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Why a run has ended before its last step. */
export const convergedText = (at: number, steps: number): string =>
  `learning has converged after ${at} of ${steps} steps: the policies are near to the demonstrations and get no nearer`;

/** Progress of the comparison of the best policies. */
export const comparing = (done: number, total: number): Progress => ({
  phase: 'comparing the best policies',
  ...{ done, total, unit: 'episodes' },
});

/** Which policy was chosen, of versions of so many steps each, and how near it is to the demonstrations. */
export function chosenText({ versions, distance, worst, episodes }: ComparedScore, stepsOfVersion: number): string {
  const steps = versions.map((version) => version * stepsOfVersion);
  const which = steps.length > 1 ? `the mean of the policies after ${steps.join(', ')}` : `the policy after ${steps}`;
  return `${which} steps is deployed: distance from the demonstrations ${distance.toFixed(3)}, worst fifth of ${episodes} episodes ${worst.toFixed(3)}`;
}

/** Policies of a run that are compared with the demonstrations, so that the best is deployed. */
export const CANDIDATES = 30;
/** Fewer, from fewer starts, where they drive the long episodes of a task as it was shown. */
const LONG_CANDIDATES = 12;
const LONG_STARTS = { screening: 2, final: 6 };

/** The candidates drive the task as it was shown, so that what they visit can be compared with the demonstrations. */
function candidateSettings(
  { steps, segmentSize, stopWhenConverged }: TrainingPlan,
  { candidates: folder }: LearningPlace,
  { settings: { demonstrationTask: task }, display }: Session,
  progress: RunProgress,
): CandidateSettings {
  const count = task === undefined ? CANDIDATES : LONG_CANDIDATES;
  const everySegments = Math.max(1, Math.floor(steps / segmentSize / count));
  const onAnotherTrial = (text: string): void => {
    display.say(text);
    progress.forgetChoice();
  };
  return {
    folder,
    everySegments,
    stopWhenConverged,
    onAnotherTrial,
    ...(task === undefined ? {} : { task, starts: LONG_STARTS }),
  };
}

/** A training whose robot and learner a link joins, where there is one. */
async function createTraining(link: LoopbackLink | undefined, options: TrainingOptions): Promise<TrainingSession> {
  if (link === undefined) return await TrainingSession.create(options);
  try {
    return await TrainingSession.create({ ...options, broker: link.broker, learnerTransport: link.learnerTransport });
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** Makes the baseline: a policy by behavioural cloning of the same demonstrations, with the same network. */
export async function clone(
  { io, spec, display, settings, seed }: Session,
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
    signal: io.interrupt.signal,
  });
  return encodeBundle({
    policy,
    contract: contractOf(spec),
    version: 0,
    training: { algorithm: 'cloning', seed, updates, demonstrations: demonstrations.length },
  });
}
