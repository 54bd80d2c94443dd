import { IqLearnError, messageOf, type Observation } from '../common/index.js';
import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { Device } from '../engine/index.js';
import type { LearnerConfig } from '../learning/index.js';
import { LearnerNode, PolicyNode } from '../nodes/index.js';
import { createNodeLogger, type Logger } from '../platform/index.js';
import { decodeBundle, type PolicyBundle, type TrainingSummary } from '../policy/index.js';
import { contractOf } from '../robot/index.js';
import {
  type CandidateChoice,
  type CandidateScore,
  type LearningOptions,
  type LearningProgress,
  TrainingProcess,
} from '../training/index.js';
import type { Transport } from '../transport/index.js';
import { ActingState } from './acting-state.js';
import { robotCandidates } from './candidates.js';
import { conductTraining, type EpisodeOutcome } from './conductor.js';
import { learningEpisode, tracedEpisode } from './learning-episode.js';
import { learningPolicyParameters } from './learning-policy.js';
import { Rig, type RigOptions } from './rig.js';

/** The options of a training session. */
export interface TrainingOptions extends RigOptions {
  /** The demonstrations. Where a checkpoint is resumed they are needed for comparing `candidates` alone. */
  readonly demonstrations: readonly DemonstrationEpisode[];
  readonly config: LearnerConfig;
  readonly seed: number;
  /** The number of steps that the policy makes in all. It is rounded up to whole segments. */
  readonly transitions: number;
  /** The number of transitions from one policy to the next. */
  readonly segmentSize: number;
  /** The number of gradient updates for each transition. It may be a fraction. */
  readonly updatesPerTransition: number;
  /** The number of first steps, which take uniformly random actions and no update. It is 0 where it is not given. */
  readonly randomSteps?: number;
  /** The device that updates run on, `cpu` where it is not given. */
  readonly device?: Device;
  readonly threads?: number;
  readonly checkpoint?: { readonly folder: string; readonly everySegments: number };
  readonly resume?: boolean;
  /** Topics of a learner elsewhere, which a link joins with the robot's; the robot's own topics if not given. */
  readonly learnerTransport?: Transport;
  readonly summary?: TrainingSummary;
  /**
   * Compares the policy of every so many segments with the demonstrations beside the training, and deploys the one that
   * is nearest to them instead of the last; the folder keeps them all. See {@link CandidateChoice}.
   */
  readonly candidates?: { readonly folder: string; readonly everySegments: number };
  readonly onProgress?: (point: TrainingPoint) => void;
  /** Called for every episode that the learning policy drove. Its actions were samples of the policy. */
  readonly onRollout?: (rollout: Rollout) => void;
  /** A candidate has been compared: along the run, or again (`final`) with the other best ones at its end. */
  readonly onCandidate?: (score: CandidateScore & { readonly transitions: number; readonly final: boolean }) => void;
}

/** How far training has come after a segment. */
export interface TrainingPoint {
  /** The time since training began. */
  readonly seconds: number;
  readonly version: number;
  readonly transitions: number;
  readonly updates: number;
  /** The means of the metrics over the segment's updates. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** An episode that the learning policy drove. */
export interface Rollout extends EpisodeOutcome {
  /** The time from the beginning of training to the episode's end. */
  readonly seconds: number;
  /** The number of steps that the policy had made when the episode ended. */
  readonly transitions: number;
}

/** How training ended. */
export interface TrainingOutcome {
  readonly version: number;
  readonly transitions: number;
  readonly updates: number;
  readonly seconds: number;
  /** The policy to deploy: the one that was chosen, or the last where none was compared. */
  readonly bundle: PolicyBundle;
  /** How the chosen policy compares; absent where the last is deployed without a comparison. */
  readonly chosen?: CandidateScore;
  /** Whether the signal ended training early. */
  readonly interrupted: boolean;
}

/**
 * Online learning over nodes: the policy node drives the simulated robot and publishes its transitions, the learner
 * node has them and the demonstrations learned from in its own process, and every segment's policy goes back to the
 * policy node. Acting and learning run side by side, one segment apart; the same options give the same policy bit for
 * bit. So does a run that was interrupted or killed at any moment and resumed from its checkpoint.
 */
export class TrainingSession {
  readonly #options: TrainingOptions;
  readonly #client: TrainingProcess;
  readonly #learner: LearnerNode;
  readonly #rig: Rig;
  readonly #acting: ActingState;
  #start = process.hrtime.bigint();
  /** Progress before `run` listens. */
  readonly #early: LearningProgress[] = [];
  #hear = (progress: LearningProgress): void => {
    this.#early.push(progress);
  };
  readonly #choice: CandidateChoice | undefined;
  readonly #logger: Logger;

  private constructor(options: TrainingOptions, client: TrainingProcess, rig: Rig, learner: LearnerNode) {
    this.#options = options;
    this.#client = client;
    this.#rig = rig;
    this.#learner = learner;
    this.#acting = new ActingState(options.spec.action.length, client.start.session);
    this.#logger = (options.logger ?? createNodeLogger)('training');
    this.#choice = robotCandidates(options, client.start.version, client.start.candidate);
    learner.onProgress((progress) => this.#hear(progress));
  }

  /** Starts the learning process and the nodes. Throws what the learner or the robot refuse, CANCELLED when interrupted. */
  static async create(options: TrainingOptions): Promise<TrainingSession> {
    const { demonstrations, segmentSize } = options;
    const client = await TrainingProcess.create(learningOptions(options, demonstrations), options.signal);
    let rig: Rig;
    try {
      rig = await Rig.create(options);
    } catch (error) {
      await client.stop(false);
      throw error;
    }
    try {
      const { learnerTransport: transport } = options;
      const context = { ...rig.context('learner'), ...(transport && { transport }) };
      const learner = new LearnerNode(context, client, {
        segmentSize,
        saveOnShutdown: options.checkpoint !== undefined,
      });
      const session = new TrainingSession(options, client, rig, learner);
      rig.add(learner);
      const acting = session.#acting;
      learner.storeWithSegments((transitions) => acting.after(transitions));
      const left = session.#segmentsLeft * segmentSize;
      if (left === 0) return session;
      const { segments, bundle } = client.start;
      const policy = new PolicyNode(
        rig.context('policy'),
        {
          ...learningPolicyParameters({
            seed: options.seed,
            segmentSize,
            transitions: left,
            randomSteps: options.randomSteps ?? 0,
          }),
          session: `training ${options.seed} from ${segments}`,
        },
        // A run that is resumed goes on with its policy; a fresh one explores at random first.
        segments > 0 ? await decodeBundle(bundle) : undefined,
        acting.replay,
      );
      rig.add(policy);
      return session;
    } catch (error) {
      await rig.close();
      await client.stop(false);
      throw error;
    }
  }

  /** The id of the process that learns. */
  get learnerPid(): number | undefined {
    return this.#client.pid;
  }

  /** How far learning has come. */
  get progress(): LearningProgress {
    return this.#learner.progress;
  }

  /** Trains to the end, or until the signal: then what was learned so far is the outcome. Throws what a node fails with. */
  async run(): Promise<TrainingOutcome> {
    const { signal } = this.#options;
    const last = this.#client.start.segments + this.#segmentsLeft;
    this.#start = process.hrtime.bigint();
    let final: LearningProgress | undefined;
    let interrupted = false;
    const finished = new Promise<void>((resolve) => {
      this.#hear = (progress) => {
        this.#report(progress);
        if (progress.version < last) return;
        final = progress;
        resolve();
      };
    });
    for (const progress of this.#early.splice(0)) this.#hear(progress);
    try {
      const work = this.#segmentsLeft > 0 ? Promise.race([finished, this.#drive()]) : finished;
      if (last > 0) await this.#rig.guard(work);
    } catch (error) {
      if (!(error instanceof IqLearnError && error.code === 'CANCELLED') || signal?.aborted !== true) throw error;
      interrupted = true;
    }
    const { version, transitions, updates } = final ?? this.#learner.progress;
    const bundle = await this.#client.deployed();
    const outcome = { version, transitions, updates, seconds: this.#seconds, bundle, interrupted };
    const chosen = interrupted ? undefined : await this.#choose(outcome);
    return chosen === undefined ? outcome : { ...outcome, bundle: chosen.bundle, chosen: chosen.score };
  }

  /** The candidate to deploy; undefined where there is nothing to choose from. */
  async #choose(last: { readonly version: number; readonly bundle: PolicyBundle }) {
    if (this.#choice === undefined) return undefined;
    try {
      return await this.#choice.choose(last, (score) => this.#tell(score, true));
    } catch (error) {
      if (this.#options.signal?.aborted !== true)
        this.#logger.warn('no policy could be chosen; the last one is deployed', { reason: messageOf(error) });
      return undefined;
    }
  }

  #tell(score: CandidateScore, final: boolean): void {
    const { segmentSize, onCandidate } = this.#options;
    onCandidate?.({ ...score, transitions: score.version * segmentSize, final });
  }

  /** Gives the recovered reward of each step of an episode, which is in the robot's units. */
  async recoverRewards(episode: {
    readonly observations: readonly Observation[];
    readonly actions: readonly Float32Array[];
    readonly terminated: boolean;
  }): Promise<Float32Array> {
    const { spec } = this.#options;
    return (await this.#client.recoverRewards(tracedEpisode(episode, episode.terminated, spec))).rewards;
  }

  /** Stops the robot, then the learner, with a checkpoint where a folder is set. */
  close(): Promise<void> {
    return this.#rig.close();
  }

  get #segmentsLeft(): number {
    const { transitions, segmentSize } = this.#options;
    return Math.max(0, Math.ceil((transitions - this.#client.start.transitions) / segmentSize));
  }

  get #seconds(): number {
    return Number(process.hrtime.bigint() - this.#start) / 1e9;
  }

  /** Drives one episode after the other. It ends only with an error or a signal. */
  async #drive(): Promise<void> {
    const { seed, onRollout } = this.#options;
    const { episodes, openSteps } = this.#acting;
    let transitions = this.#client.start.transitions - openSteps;
    await conductTraining(this.#rig.conductor, {
      seed,
      first: episodes,
      onEpisode: (outcome) => {
        transitions += outcome.length;
        onRollout?.({ ...outcome, seconds: this.#seconds, transitions });
      },
    });
  }

  #report(progress: LearningProgress): void {
    const { version, transitions, updates, metrics, candidate } = progress;
    this.#options.onProgress?.({ seconds: this.#seconds, version, transitions, updates, metrics });
    if (candidate === undefined || this.#choice === undefined) return;
    this.#choice.add(version, candidate).then(
      (score) => this.#tell(score, false),
      (error) => {
        if (this.#options.signal?.aborted !== true)
          this.#logger.warn('a candidate could not be compared', { version, reason: messageOf(error) });
      },
    );
  }
}

function learningOptions(options: TrainingOptions, demonstrations: readonly DemonstrationEpisode[]): LearningOptions {
  const { spec, config, seed, updatesPerTransition, randomSteps = 0 } = options;
  const { checkpoint, candidates, resume, device, threads, summary } = options;
  return {
    config,
    contract: contractOf(spec),
    seed,
    demonstrations: demonstrations.map((episode) => learningEpisode(episode, spec)),
    updatesPerTransition,
    randomSteps,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(candidates === undefined ? {} : { candidateSegments: candidates.everySegments }),
    ...(resume === undefined ? {} : { resume }),
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
    summary: { ...summary, robot: spec.robot, demonstrations: demonstrations.length },
  };
}
