import { IqLearnError, joinVectors, messageOf, type ObservationSpec, shapeSize } from '../common/index.js';
import {
  behaviouralCloning,
  cloningSettingsOf,
  createAgent,
  type Episode,
  identityNormalisation,
  Learner,
  type LearnerConfig,
  type LearnerOptions,
  type LearnerSettings,
  learnerConfig,
  type Metrics,
  type Normalisation,
  normalisationOf,
  numbersOf,
  type Rollback,
} from '../learning/index.js';

// What a setting of a training run means, for robots (segment trainer) and for tasks (environment trainer) alike. Whoever
// trains reads the settings here and nowhere else, so that one file of settings is one algorithm.

/** What settings say of a run: those of a task or command, with a settings file and options over them. */
export interface RunSettings extends RunLength {
  /** First steps, which take uniformly random actions and no update; 0 where it is not given. */
  readonly randomSteps?: number | undefined;
  /** Whether the run ends before its last step once learning has converged; it does where it is not given. */
  readonly stopWhenConverged?: boolean | undefined;
  readonly config: LearnerSettings;
}

/** The course of a run, complete: whoever trains, in tasks or with robots, goes by it. */
export interface RunPlan extends RunLength {
  readonly randomSteps: number;
  readonly stopWhenConverged: boolean;
  readonly config: LearnerConfig;
}

/** How long a run is, as far as its settings depend on it. */
export interface RunLength {
  /** Steps that the policy makes of its own. */
  readonly steps: number;
  /** Gradient updates for each of them; may be a fraction. */
  readonly updatesPerTransition: number;
}

/**
 * The complete settings of a run: schedules (learning rates, observation noise) end with the run's last update unless
 * `decayUpdates` says otherwise. Throws what `learnerConfig` throws.
 */
export function runConfig(settings: LearnerSettings, { steps, updatesPerTransition }: RunLength): LearnerConfig {
  return learnerConfig({ decayUpdates: Math.max(1, Math.round(steps * updatesPerTransition)), ...settings });
}

/** The course of a run by its settings. There are never more random steps than steps. Throws what `learnerConfig` throws. */
export function runPlan(settings: RunSettings): RunPlan {
  const { steps, updatesPerTransition, randomSteps = 0, stopWhenConverged = true, config } = settings;
  return {
    steps,
    updatesPerTransition,
    randomSteps: Math.min(randomSteps, steps),
    stopWhenConverged,
    config: runConfig(config, { steps, updatesPerTransition }),
  };
}

/** A plan as the environment trainer takes it. */
export function environmentPace({ randomSteps, updatesPerTransition }: RunPlan) {
  return { randomSteps, updateAfter: randomSteps, updatesPerStep: updatesPerTransition };
}

/** `count` updates; people are told when learning was taken back because it diverged. Throws what `Learner.update` throws. */
export async function updateTelling(
  learner: Learner,
  count: number,
  warn: (message: string) => void,
): Promise<Metrics> {
  const before = learner.rollbacks.length;
  const metrics = await learner.update(count);
  for (const rollback of learner.rollbacks.slice(before)) warn(rollbackText(rollback));
  return metrics;
}

/** Adds demonstrations that came while learning. What does not fit any more is left out: those that are there stay. */
export function addLater(learner: Learner, episodes: readonly Episode[], warn: (message: string) => void): void {
  try {
    for (const episode of episodes) learner.addDemonstration(episode);
  } catch (error) {
    warn(`demonstrations that came later are left out: ${messageOf(error)}`);
  }
}

function rollbackText({ at, to, reason, rates }: Rollback): string {
  return `learning diverged and was taken back from update ${at} to ${to}: ${reason}; the learning rates are ${rates} of the settings' from now on`;
}

/** What people are told when updates are skipped for the first time, because `mostOwed` are owed; see `FleetPace`. */
export const behindText = (mostOwed: number): string =>
  `learning is behind the robots by ${mostOwed} updates: from now on it makes as many as it can and skips the others, which train/updates_skipped counts`;

export interface StartOptions extends Pick<LearnerOptions, 'device' | 'threads' | 'robots'> {
  readonly config: LearnerConfig;
  /** The blocks of an observation. */
  readonly observation: ObservationSpec;
  readonly actionSize: number;
  /** Of networks, batches and cloning. */
  readonly seed: number;
  /** Episodes in the robot's units with actions in [−1, 1]; none for an agent that learns from rewards. */
  readonly demonstrations: readonly Episode[];
}

/**
 * A learner as a run begins with it: observations are normalised by the demonstrations (not at all without any), the
 * demonstrations are added, and the actor starts from behavioural cloning where `warmStartUpdates` is set. Throws
 * INVALID_ARGUMENT where the agent learns from demonstrations and there are none.
 */
export async function startLearner(options: StartOptions): Promise<Learner> {
  const { config, observation, actionSize, seed, demonstrations, ...engine } = options;
  const size = observation.reduce((sum, { shape }) => sum + shapeSize(shape), 0);
  const { rows } = createAgent(config, { observation: size, action: actionSize });
  if (rows.expert > 0 && demonstrations.every(({ length }) => length === 0))
    throw new IqLearnError('INVALID_ARGUMENT', 'there is nothing to learn from', {
      found: `${demonstrations.length} demonstrations without a step`,
      expected: `at least one demonstration, from which the agent ${config.agent} learns`,
      remedy: 'give recordings of demonstrations',
    });
  const common = {
    observation,
    actionSize,
    seed,
    normalisation: runNormalisation(demonstrations, observation),
  };
  const learner = await Learner.create({ ...common, ...engine, config });
  try {
    for (const episode of demonstrations) learner.addDemonstration(episode);
    if (config.warmStartUpdates > 0)
      learner.warmStart(
        await behaviouralCloning({
          ...common,
          episodes: demonstrations,
          settings: cloningSettingsOf(config),
          updates: config.warmStartUpdates,
          ...(engine.device === undefined ? {} : { device: engine.device }),
        }),
      );
    return learner;
  } catch (error) {
    await learner.dispose();
    throw error;
  }
}

/**
 * Mean 0 and deviation 1 over all observations of the demonstrations, for the numbers of blocks that are to be
 * standardised; the identity for the others, and for all where there are no demonstrations.
 */
export function runNormalisation(demonstrations: readonly Episode[], observation: ObservationSpec): Normalisation {
  const blocks = observation.filter(({ dtype }) => dtype === 'float32');
  const size = blocks.reduce((sum, { shape }) => sum + shapeSize(shape), 0);
  if (demonstrations.length === 0 || size === 0) return identityNormalisation(size);
  const rows = joinVectors(
    demonstrations.map(({ observations, length }) => numbersOf(observation, observations, length + 1)),
  );
  const normalisation = normalisationOf(rows, size);
  let from = 0;
  for (const { shape, normalise } of blocks) {
    const to = from + shapeSize(shape);
    if (normalise === 'none') {
      normalisation.mean.fill(0, from, to);
      normalisation.scale.fill(1, from, to);
    }
    from = to;
  }
  return normalisation;
}

/** The updates that a run's transitions have paid for and that are still to be made; fractions add up. */
export class PendingUpdates {
  /** May be a fraction. */
  count: number;

  /** Updates that were paid for and that nobody owes any more; may be a fraction. */
  skipped: number;

  constructor(count = 0, skipped = 0) {
    this.count = count;
    this.skipped = skipped;
  }

  /** Whole updates. The tolerance makes ten times 0.1 one update. */
  get whole(): number {
    return Math.floor(this.count + 1e-9);
  }

  /** Transitions pay for their updates. Beyond `most` that are owed they are skipped. */
  pay(transitions: number, updatesPerTransition: number, most = Number.POSITIVE_INFINITY): void {
    this.count += transitions * updatesPerTransition;
    const beyond = Math.max(0, this.count - most);
    this.count -= beyond;
    this.skipped += beyond;
  }

  made(updates: number): void {
    this.count -= updates;
  }

  /** Says how many were skipped, once some were. */
  get metrics(): Metrics {
    return this.skipped === 0 ? {} : { 'train/updates_skipped': Math.round(this.skipped) };
  }
}

/** A checkpoint about this often, in steps of the policy: little is lost, and little time is spent writing. */
const CHECKPOINT_STEPS = 2000;

/** Segments between two checkpoints. */
export function checkpointSegments(segmentSize: number): number {
  return Math.max(1, Math.round(CHECKPOINT_STEPS / segmentSize));
}
