import { IqLearnError } from '../common/index.js';
import { services } from '../nodes/index.js';
import type { RobotSpec } from '../robot/index.js';
import { runSeed } from '../training/index.js';
import type { Transport } from '../transport/index.js';
import { type EpisodeTrace, EpisodeTracer } from './episode-tracer.js';
import { type EpisodeSummary, EpisodeWatch } from './episode-watch.js';

export interface EpisodeOutcome extends EpisodeSummary {
  /** Seed of the start. */
  readonly seed: number;
  readonly trace?: EpisodeTrace;
}

/** What conducting a run asks of its nodes. The nodes may be in this process or be others, found over ROS 2. */
export interface Conductor {
  /** Calls a start_episode service and gives the episode's number. Throws CONFLICT with the node's reason. */
  startEpisode(service: string, seed: number): Promise<number>;
  /** Calls a Trigger service. Throws CONFLICT with the node's reason. */
  trigger(service: string): Promise<void>;
  /** Resets the simulated robot with `seed` and gives the episode's outcome once it has ended. */
  runEpisode(seed: number, trace?: boolean): Promise<EpisodeOutcome>;
}

const CALL_TIMEOUT_MS = 30_000;

/** Conducts by the topics and services of the nodes, whatever transport they are on. */
export class TransportConductor implements Conductor {
  readonly #transport: Transport;
  readonly #spec: RobotSpec;
  readonly #guard: <T>(work: Promise<T>) => Promise<T>;
  readonly #watch: EpisodeWatch;

  /** `guard` passes a promise on, and rejects early where the run is to end (interrupted, or a node has failed). */
  constructor(transport: Transport, spec: RobotSpec, guard: <T>(work: Promise<T>) => Promise<T>) {
    this.#transport = transport;
    this.#spec = spec;
    this.#guard = guard;
    this.#watch = new EpisodeWatch(transport);
  }

  async startEpisode(service: string, seed: number): Promise<number> {
    const request = { seed: BigInt(seed) };
    const { success, message, episode } = await this.#guard(
      this.#transport.call(service, 'iq_learn/srv/StartEpisode', request, { timeoutMs: CALL_TIMEOUT_MS }),
    );
    if (!success) throw new IqLearnError('CONFLICT', `${service} refuses`, { found: message });
    return episode;
  }

  /** Not guarded: what was recorded is kept or discarded even where the run is to end. */
  async trigger(service: string): Promise<void> {
    const { success, message } = await this.#transport.call(
      service,
      'std_srvs/srv/Trigger',
      {},
      { timeoutMs: CALL_TIMEOUT_MS },
    );
    if (!success) throw new IqLearnError('CONFLICT', `${service} refuses`, { found: message });
  }

  async runEpisode(seed: number, trace = false): Promise<EpisodeOutcome> {
    const tracer = trace ? new EpisodeTracer(this.#transport, this.#spec) : undefined;
    try {
      const episode = await this.startEpisode(services.startSimulation, seed);
      const summary = await this.#guard(this.#watch.outcome(episode));
      if (tracer === undefined) return { seed, ...summary };
      return { seed, ...summary, trace: await this.#guard(tracer.trace(summary.length)) };
    } finally {
      tracer?.close();
    }
  }

  close(): void {
    this.#watch.close();
  }
}

/** How many failed demonstrations in a row end a run. */
const MAX_FAILURES = 20;

export interface DemonstrationPlan {
  /** Name of the robot, for the error. */
  readonly robot: string;
  /** Seed of the run. */
  readonly seed: number;
  /** Episodes to keep. */
  readonly episodes: number;
  /** Whether episodes without success are kept too. */
  readonly keepFailures: boolean;
  /** Called after each episode, once its recording is stored or discarded. */
  readonly onEpisode: (outcome: EpisodeOutcome, kept: boolean) => void;
}

export interface DemonstrationOutcomes {
  /** Those that were kept. */
  readonly episodes: readonly EpisodeOutcome[];
  readonly discarded: number;
}

/** Has the expert drive and the recorder record. Throws UNAVAILABLE after 20 failed episodes in a row. */
export async function conductDemonstrations(
  conductor: Conductor,
  { robot, seed, episodes, keepFailures, onEpisode }: DemonstrationPlan,
): Promise<DemonstrationOutcomes> {
  const kept: EpisodeOutcome[] = [];
  let discarded = 0;
  for (let i = 0, failures = 0; kept.length < episodes; i++) {
    const start = runSeed(seed, 'demonstration', i);
    await conductor.startEpisode(services.startRecording, start);
    await conductor.startEpisode(services.startTeleop, start);
    const outcome = await conductor.runEpisode(start);
    const keep = keepFailures || outcome.success;
    await conductor.trigger(keep ? services.stopRecording : services.discardRecording);
    onEpisode(outcome, keep);
    if (keep) {
      kept.push(outcome);
      failures = 0;
      continue;
    }
    discarded++;
    if (++failures >= MAX_FAILURES)
      throw new IqLearnError('UNAVAILABLE', `the driver does not succeed as ${robot}`, {
        found: `${failures} episodes in a row without success`,
        expected: 'demonstrations worth imitating',
        remedy: 'choose another expert, or keep failures too',
      });
  }
  return { episodes: kept, discarded };
}

export interface TrainingEpisodes {
  /** Seed of the run. */
  readonly seed: number;
  /** Episodes that ended before, where a run is resumed. */
  readonly first?: number;
  /** Ends after the episode under way. */
  readonly signal?: AbortSignal;
  readonly onEpisode: (outcome: EpisodeOutcome) => void;
}

/** Resets the robot again and again while the policy learns; ends by the signal alone. */
export async function conductTraining(
  conductor: Conductor,
  { seed, first = 0, signal, onEpisode }: TrainingEpisodes,
): Promise<void> {
  for (let i = first; signal?.aborted !== true; i++)
    onEpisode(await conductor.runEpisode(runSeed(seed, 'training', i)));
}

export interface EvaluationPlan {
  /** Starts, one episode each; see `evaluationSeeds`. */
  readonly seeds: readonly number[];
  /** Whether the expert drives: it is reset with each start, too. */
  readonly expert: boolean;
  /** How many episodes, from the first, keep their traces. */
  readonly traces?: number;
  readonly onEpisode?: (outcome: EpisodeOutcome, index: number) => void;
}

export async function conductEvaluation(
  conductor: Conductor,
  { seeds, expert, traces = 0, onEpisode }: EvaluationPlan,
): Promise<EpisodeOutcome[]> {
  const outcomes: EpisodeOutcome[] = [];
  for (const [i, seed] of seeds.entries()) {
    if (expert) await conductor.startEpisode(services.startTeleop, seed);
    const outcome = await conductor.runEpisode(seed, i < traces);
    outcomes.push(outcome);
    onEpisode?.(outcome, i);
  }
  return outcomes;
}
