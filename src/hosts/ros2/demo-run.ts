import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { LearnerStatus } from '../../messages/index.js';
import { services, topics } from '../../nodes/index.js';
import type { Logger } from '../../platform/index.js';
import type { RobotSpec } from '../../robot/index.js';
import {
  type Conductor,
  conductDemonstrations,
  conductEvaluation,
  conductTraining,
  type EpisodeOutcome,
  learningPolicyParameters,
} from '../../sessions/index.js';
import { parseTaskOptions, type TaskOptions, type TrainingSettings, taskDefinition } from '../../simulation/index.js';
import { evaluationSeeds, runPlan } from '../../training/index.js';
import { qos, type Transport } from '../../transport/index.js';
import { ParameterSet, rosNames } from './parameters.js';
import type { ParameterValues, Peers } from './peers.js';

/** Preparing takes as long as the slowest part of a machine under load; learning starts with cloning. */
const PREPARING_MS = 120_000;
const CLONING_MS = 900_000;
/** After activation, publishers and subscribers of all nodes need a moment to find each other. */
const SETTLE_MS = 2000;
/** Progress is logged after every so many policies, with the mean return of as many episodes. */
const LOG_EVERY = 10;

/** What the parts of the demo share. */
export interface DemoRun {
  readonly spec: RobotSpec;
  readonly transport: Transport;
  /** The other five nodes as their lifecycle manager sees them. */
  readonly peers: Pick<Peers, 'bring' | 'end' | 'set' | 'guard'>;
  readonly conductor: Conductor;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly settings: TrainingSettings;
  /** Seed of the run: starts, exploration, networks and batches follow from it. */
  readonly seed: number;
  /** Folder of the run. */
  readonly run: string;
  /** Milliseconds for nodes to find each other; a test without a network needs none. */
  readonly settleMs?: number;
}

/** The parameters of the simulator node that are a task's options: these, and the task's defaults for all others. */
export function taskParameters(task: string | null, options: TaskOptions = {}): ParameterValues {
  if (task === null) return {};
  const definition = taskDefinition(task);
  parseTaskOptions(definition, options);
  const { declarations } = new ParameterSet(z.strictObject({ task: definition.options }));
  const defaults = Object.fromEntries(declarations.map((declaration) => [declaration.name, declaration.default]));
  return { ...defaults, ...rosNames(options, 'task') } as ParameterValues;
}

async function prepareRobot({ peers, spec }: DemoRun, options?: TaskOptions): Promise<void> {
  await peers.bring('simulator', { pace: 'lockstep', ...taskParameters(spec.task, options) }, PREPARING_MS);
}

async function settle({ signal, settleMs = SETTLE_MS }: DemoRun): Promise<void> {
  await sleep(settleMs, undefined, { signal });
}

/** Records episodes of the expert; those without success are discarded where the task knows success. */
export async function demonstrate(demo: DemoRun, wanted: number): Promise<void> {
  const { peers, conductor, logger, spec, settings, seed, run } = demo;
  await prepareRobot(demo, settings.demonstrationTask);
  await peers.bring('recorder', { recordings: run, session: 'recording', check_topics: false }, PREPARING_MS);
  await peers.bring('expert', { engaged: true }, PREPARING_MS);
  await peers.bring('policy', { pace: 'lockstep', source: 'teleop', policy: '' }, PREPARING_MS);
  await settle(demo);
  let kept = 0;
  await conductDemonstrations(conductor, {
    robot: spec.robot,
    seed,
    episodes: wanted,
    keepFailures: !settings.hasSuccess,
    onEpisode(outcome, isKept) {
      if (isKept) kept++;
      const details = { return: rounded(outcome.return), steps: outcome.length, kept: isKept };
      logger.info(`demonstration ${kept} of ${wanted}`, details);
    },
  });
  await peers.end('policy');
  await peers.end('expert');
  await peers.end('recorder');
}

/** Drives and learns until the policy has made `steps` steps of its own; the learner leaves it in the run's folder. */
export async function learn(demo: DemoRun, steps: number, warmStart: number): Promise<void> {
  const { peers, conductor, logger, settings, seed, run } = demo;
  const { segmentSize } = settings;
  const { config, randomSteps, updatesPerTransition } = runPlan({ ...settings, steps });
  const segments = Math.ceil(steps / segmentSize);
  const learner = {
    recording: [join(run, 'recording')],
    run,
    resume: false,
    seed,
    segment_size: segmentSize,
    updates_per_transition: updatesPerTransition,
    random_steps: randomSteps,
    'learner.decay_updates': config.decayUpdates,
    ...(warmStart < 0 ? {} : { 'learner.warm_start_updates': warmStart }),
  };
  const newest = new NewestPolicy(demo.transport, BigInt(segments));
  try {
    logger.info('the learner prepares: it reads the recording and starts from behavioural cloning');
    await peers.bring('learner', learner, CLONING_MS);
    await prepareRobot(demo, settings.learningTask);
    const driving = learningPolicyParameters({ seed, segmentSize, transitions: segments * segmentSize, randomSteps });
    await peers.bring('policy', { pace: 'lockstep', policy: '', ...rosNames(driving) }, PREPARING_MS);
    await settle(demo);
    const log = progressLog(logger, newest, segments * segmentSize);
    // The policy stands still after its last step, wherever in an episode that is.
    const driven = conductTraining(conductor, { seed, signal: newest.signal, onEpisode: log });
    driven.catch(() => undefined);
    await peers.guard(Promise.race([newest.last, driven]));
    await newest.last;
    await peers.end('policy');
    await conductor.trigger(services.saveLearner);
    await peers.end('learner');
    // It would prepare to learn the same again.
    await peers.set('learner', { recording: [] });
  } finally {
    newest.close();
  }
}

/** Drives with one candidate from the starts of an evaluation. */
export async function evaluate(
  demo: DemoRun,
  name: string,
  driving: ParameterValues,
  episodes: number,
): Promise<EpisodeOutcome[]> {
  const { peers, conductor, logger, seed } = demo;
  await prepareRobot(demo);
  const expert = driving.source === 'teleop';
  if (expert) await peers.bring('expert', { engaged: true }, PREPARING_MS);
  const still = {
    pace: 'lockstep',
    stochastic: false,
    synchronous_segment: 0,
    transition_limit: 0,
    explore: 'hold',
    random_steps: 0,
  };
  await peers.bring('policy', { ...still, ...driving }, PREPARING_MS);
  await settle(demo);
  const outcomes = await conductEvaluation(conductor, { seeds: evaluationSeeds(seed, episodes), expert });
  await peers.end('policy');
  if (expert) await peers.end('expert');
  logger.info(`evaluated: ${name}`, { episodes });
  return outcomes;
}

/** The newest status of the learner, and whether the last policy of a run has come. */
class NewestPolicy {
  status: LearnerStatus | undefined;
  /** Resolves with the last policy of the run. */
  readonly last: Promise<void>;
  readonly #over = new AbortController();
  readonly #subscriptions: { close(): void }[];

  constructor(transport: Transport, lastVersion: bigint) {
    this.last = new Promise((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#subscriptions = [
      transport.subscribe(
        topics.learnerStatus,
        'iq_learn/msg/LearnerStatus',
        (status) => {
          this.status = status;
        },
        qos.event,
      ),
      transport.subscribe(
        topics.policy,
        'iq_learn/msg/PolicyBundle',
        ({ version }) => {
          if (version === lastVersion) this.#over.abort();
        },
        { ...qos.latched, depth: 10 },
      ),
    ];
  }

  /** Given with the last policy of the run. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
  }
}

/** Logs the mean return of the last episodes whenever some more policies have come. */
function progressLog(logger: Logger, newest: NewestPolicy, transitions: number): (outcome: EpisodeOutcome) => void {
  const recent: EpisodeOutcome[] = [];
  let logged = 0n;
  return (outcome) => {
    recent.push(outcome);
    if (recent.length > LOG_EVERY) recent.shift();
    const { policy_version: version = 0n, transitions: made = 0n, updates_per_second: rate = 0 } = newest.status ?? {};
    if (version < logged + BigInt(LOG_EVERY)) return;
    logged = version;
    logger.info(`learning: ${made} of ${transitions} steps`, {
      policy: String(version),
      return: rounded(recent.reduce((sum, { return: value }) => sum + value, 0) / recent.length),
      updates_per_second: rounded(rate),
    });
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
