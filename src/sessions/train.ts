import { IqLearnError, messageOf, type Observation } from '../common/index.js';
import { LearnerNode, PolicyNode } from '../nodes/index.js';
import { createNodeLogger, type Logger } from '../platform/index.js';
import { decodeBundle, type PolicyBundle } from '../policy/index.js';
import {
  type CandidateChoice,
  type CandidateScore,
  type ComparedScore,
  type LearningProgress,
  TrainingProcess,
} from '../training/index.js';
import { ActingState } from './acting-state.js';
import { robotCandidates } from './candidates.js';
import { conductTraining } from './conductor.js';
import { tracedEpisode } from './learning-episode.js';
import { learningPolicyParameters } from './learning-policy.js';
import { Rig } from './rig.js';
import { learningOptions, type TrainingOptions, type TrainingOutcome } from './training-options.js';

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
  readonly #convergence = new AbortController();
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
    this.#stopIfConverged();
    const { signal: converged } = this.#convergence;
    try {
      const work = this.#segmentsLeft > 0 ? Promise.race([finished, this.#drive()]) : finished;
      if (last > 0) await this.#rig.guard(Promise.race([work, whenAborted(converged)]));
    } catch (error) {
      if (!(error instanceof IqLearnError && error.code === 'CANCELLED') || signal?.aborted !== true) throw error;
      interrupted = true;
    }
    const { version, transitions, updates } = final ?? this.#learner.progress;
    const bundle = await this.#client.deployed();
    const outcome = { version, transitions, updates, seconds: this.#seconds, bundle, interrupted };
    const chosen = interrupted ? undefined : await this.#choose(outcome);
    if (chosen === undefined) return outcome;
    const end = this.#choice?.converged;
    const how = end === undefined ? {} : { converged: end };
    return { ...outcome, bundle: chosen.bundle, chosen: chosen.score, ...how };
  }

  /** The candidate to deploy; undefined where there is nothing to choose from. */
  async #choose(last: { readonly version: number; readonly bundle: PolicyBundle }) {
    if (this.#choice === undefined) return undefined;
    try {
      const { onComparing: onProgress } = this.#options;
      return await this.#choice.choose(last, {
        onScore: (score) => this.#tell(score, true),
        ...(onProgress && { onProgress }),
      });
    } catch (error) {
      if (this.#options.signal?.aborted !== true)
        this.#logger.warn('no policy could be chosen; the last one is deployed', { reason: messageOf(error) });
      return undefined;
    }
  }

  #stopIfConverged(): void {
    if (this.#choice?.converged !== undefined) this.#convergence.abort();
  }

  #tell({ versions = [], ...score }: CandidateScore & Partial<ComparedScore>, final: boolean): void {
    const { segmentSize, onCandidate } = this.#options;
    const steps = (version: number): number => version * segmentSize;
    const meanOf = versions.length > 1 ? { meanOf: versions.map(steps) } : {};
    onCandidate?.({ ...score, ...meanOf, transitions: steps(score.version), final });
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

  /** Drives one episode after the other. It ends with an error, a signal, or an episode after learning has converged. */
  async #drive(): Promise<void> {
    const { seed, onRollout } = this.#options;
    const { episodes, openSteps } = this.#acting;
    let transitions = this.#client.start.transitions - openSteps;
    await conductTraining(this.#rig.conductor, {
      seed,
      first: episodes,
      signal: this.#convergence.signal,
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
      (score) => {
        if (score !== undefined) this.#tell(score, false);
        this.#stopIfConverged();
      },
      (error) => {
        if (this.#options.signal?.aborted !== true)
          this.#logger.warn('a candidate could not be compared', { version, reason: messageOf(error) });
      },
    );
  }
}

const whenAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
