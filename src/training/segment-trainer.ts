import { IqLearnError } from '../common/index.js';
import { type Episode, Learner, type Metrics, observationAt } from '../learning/index.js';
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from '../platform/index.js';
import { encodeBundle, type PolicyBundle, type PolicyFunction, type TrainingSummary } from '../policy/index.js';
import { observationOf } from '../robot/index.js';
import { engineOf, folderOf, sayKept, type TrainerMeta, trainerOf } from './checkpoint-settings.js';
import { CheckpointTimes, reaches } from './checkpoint-times.js';
import { addLater, behindText, PendingUpdates, startLearner, updateTelling } from './contract.js';
import { MeanMetrics } from './mean-metrics.js';
import type {
  LearningOptions,
  LearningProgress,
  LearningStart,
  RecoveredRewards,
  Segment,
  SessionState,
} from './process/protocol.js';
import { sessionOf, withSession } from './session-state.js';

/**
 * Trains a learner on segments of the policy's transitions. A segment is added whole and pays for its updates, so the
 * result depends on the segments and their order alone, never on timing. A resumed trainer goes on bit for bit from
 * wherever its checkpoint was taken, in the middle of a segment's updates too. The state of whoever acts is not its
 * business: what a session hands over with a segment is written into the same generation and given back.
 */
export class SegmentTrainer {
  readonly #options: LearningOptions;
  #learner: Learner;
  #summary: TrainingSummary;
  readonly #warn: (message: string) => void;
  /** Segments added. */
  #version = 0;
  /** Last published version (number of segments) and its bundle. */
  #publishedVersion = 0;
  #published: PolicyBundle | undefined;
  /** The bundle published before the newest segment was added: the robot acts with it until the segment's own comes. */
  #previous: PolicyBundle | undefined;
  /**
   * The candidate of the last published version, where it had one. A checkpoint of the segment after it holds it, too: the
   * session may have been killed before it heard of it.
   */
  #candidate: PolicyBundle | undefined;
  /** What the session handed over with the newest segment. */
  #session: SessionState | undefined;
  #pendingUpdates = new PendingUpdates();
  /** Transitions still to come that pay for no update. */
  #unpaid: number;
  /** Of the updates for the next policy so far. */
  readonly #metrics = new MeanMetrics();
  /** Seconds spent on updates since the last progress. */
  #seconds = 0;
  readonly #checkpoints: CheckpointTimes;

  private constructor(options: LearningOptions, learner: Learner, warn: (message: string) => void) {
    this.#warn = warn;
    this.#options = options;
    this.#checkpoints = new CheckpointTimes(options.checkpoint);
    this.#learner = learner;
    this.#summary = options.summary ?? {};
    this.#unpaid = options.randomSteps ?? 0;
  }

  /** `warn` is called for each damaged checkpoint that is skipped. */
  static async create(options: LearningOptions, warn: (message: string) => void): Promise<SegmentTrainer> {
    if (options.resume === true) {
      const checkpoint = loadCheckpoint(folderOf(options), (problem) => warn(problem.message));
      const loop = new SegmentTrainer(options, await Learner.resume(checkpoint, engineOf(options)), warn);
      loop.#restoreCounters(checkpoint);
      sayKept(loop.#learner.config, options.config, warn);
      return loop;
    }
    const { contract, demonstrations, config, seed } = options;
    const learner = await startLearner({
      config,
      observation: observationOf(contract),
      actionSize: contract.action.length,
      seed,
      demonstrations,
      ...engineOf(options),
    });
    return new SegmentTrainer(options, learner, warn);
  }

  /** The first policy and how far learning has come; to be called once, before anything else. */
  async start(): Promise<LearningStart> {
    const { updates, transitions, expertTransitions: demonstrations } = this.#learner;
    this.#published = this.#previous ?? (await this.#encode(this.#learner.actingPolicy()));
    return {
      version: this.#publishedVersion,
      updates,
      transitions,
      demonstrations,
      metrics: {},
      seconds: 0,
      bundle: this.#published,
      ...(this.#candidate === undefined ? {} : { candidate: this.#candidate }),
      segments: this.#version,
      session: this.#session,
    };
  }

  get learner(): Learner {
    return this.#learner;
  }

  /** Whether the policy of the newest segment is still to be published. */
  get open(): boolean {
    return this.#version > this.#publishedVersion;
  }

  /** Whole updates that are due. */
  get due(): number {
    // A person may have driven from the start: there is nothing yet to tell the demonstrations from.
    if (this.#learner.transitions === 0) return 0;
    return this.#pendingUpdates.whole;
  }

  get ofFleet(): boolean {
    return this.#options.fleet !== undefined;
  }

  /** Whether the policy of the newest segment is to be made now. */
  get hasLearned(): boolean {
    const most = this.#options.fleet?.updatesPerPolicy ?? Number.POSITIVE_INFINITY;
    return this.open && (this.due === 0 || this.#metrics.updates >= most);
  }

  /** Adds a segment's transitions and the updates they pay for; `session` is kept for whoever resumes the run. */
  add(segment: Segment, session?: SessionState): void {
    if (segment.demonstrated.includes(1)) this.#addMixed(segment);
    else this.#learner.addTransitions(segment, segment.robots);
    addLater(this.#learner, segment.demonstrations ?? [], this.#warn);
    const unpaid = Math.min(this.#unpaid, segment.length);
    this.#unpaid -= unpaid;
    this.#pay(segment.length - unpaid);
    if (!this.open) this.#metrics.clear();
    this.#version++;
    this.#previous = this.#published;
    this.#session = session;
  }

  #pay(transitions: number): void {
    const { fleet, updatesPerTransition } = this.#options;
    const { skipped } = this.#pendingUpdates;
    this.#pendingUpdates.pay(transitions, updatesPerTransition, fleet?.mostOwed);
    if (skipped === 0 && this.#pendingUpdates.skipped > 0) this.#warn(behindText(fleet!.mostOwed));
  }

  /** Adds a segment in which a person demonstrated. */
  #addMixed(segment: Segment): void {
    const { contract } = this.#options;
    const spec = observationOf(contract);
    const { length: a } = contract.action;
    let refused = 0;
    for (let i = 0; i < segment.length; i++) {
      const transition = {
        observation: observationAt(spec, segment.observations, i),
        action: segment.actions.subarray(i * a, (i + 1) * a),
        nextObservation: observationAt(spec, segment.nextObservations, i),
        terminated: segment.terminated[i] === 1,
      };
      // What a person showed is not data of the policy as well: the critic would have to raise and lower its value.
      if (segment.demonstrated[i] !== 1) this.#learner.addTransition(transition, segment.robots?.[i]);
      else if (!this.#learner.addExpertTransition(transition)) refused++;
    }
    if (refused > 0)
      this.#warn(`${refused} steps of takeovers do not fit beside the demonstrations any more and are left out`);
  }

  /** Makes at most `most` of the updates that are due. Throws DIVERGED. */
  async update(most: number): Promise<void> {
    const count = Math.min(most, this.due);
    if (count === 0) return;
    const start = process.hrtime.bigint();
    const metrics = await updateTelling(this.#learner, count, this.#warn);
    this.#seconds += Number(process.hrtime.bigint() - start) / 1e9;
    this.#pendingUpdates.made(count);
    this.#metrics.add(metrics, count);
  }

  /** Progress after a segment's updates, with its policy as a bundle, which is published from now on. */
  async progress(): Promise<LearningProgress> {
    const { updates, transitions, expertTransitions: demonstrations, rollbacks } = this.#learner;
    const seconds = this.#seconds;
    this.#seconds = 0;
    this.#published = await this.#encode(this.#learner.actingPolicy());
    const { candidateSegments } = this.#options;
    const due = candidateSegments !== undefined && reaches(candidateSegments, this.#publishedVersion, this.#version);
    this.#publishedVersion = this.#version;
    const metrics: Metrics = {
      ...this.#metrics.means,
      ...(rollbacks.length === 0 ? {} : { 'train/rollbacks': rollbacks.length }),
      ...this.#pendingUpdates.metrics,
    };
    this.#candidate = due ? await this.deployed() : undefined;
    const progress = { version: this.#version, updates, transitions, demonstrations, metrics, seconds };
    return { ...progress, bundle: this.#published, ...(due ? { candidate: this.#candidate! } : {}) };
  }

  /** The policy to deploy as it is now. */
  deployed(): Promise<PolicyBundle> {
    return this.#encode(this.#learner.policyFunction());
  }

  async #encode(policy: PolicyFunction): Promise<PolicyBundle> {
    const { contract, seed, updatesPerTransition } = this.#options;
    const { updates, transitions, expertTransitions } = this.#learner;
    return await encodeBundle({
      policy,
      contract,
      version: this.#version,
      training: {
        ...this.#summary,
        algorithm: this.#learner.config.agent,
        seed,
        updates,
        transitions,
        expert_transitions: expertTransitions,
        updates_per_transition: updatesPerTransition,
      },
    });
  }

  async recoverRewards(episode: Episode): Promise<RecoveredRewards> {
    const { updates } = this.#learner;
    return { rewards: await this.#learner.recoverRewards(episode), updates };
  }

  /** Segments added, which a checkpoint of this moment holds. */
  get version(): number {
    return this.#version;
  }

  /** In how many milliseconds a checkpoint is to be written; undefined where that needs more segments. */
  get checkpointDueInMs(): number | undefined {
    return this.#checkpoints.dueInMs(this.#version);
  }

  /** Writes a generation and gives its number. */
  save(): number {
    const { meta, arrays } = this.#learner.checkpoint();
    const trainer: TrainerMeta = {
      version: this.#version,
      pendingUpdates: this.#pendingUpdates.count,
      unpaid: this.#unpaid,
      skippedUpdates: this.#pendingUpdates.skipped,
      ...this.#metrics.state,
      summary: this.#summary,
      previousManifest: this.#previous?.manifest ?? '',
      ...(this.#candidate === undefined ? {} : { candidateManifest: this.#candidate.manifest }),
    };
    const models = {
      'trainer.previousModel': this.#previous?.model ?? new Uint8Array(),
      ...(this.#candidate === undefined ? {} : { 'trainer.candidateModel': this.#candidate.model }),
    };
    const own = { meta: { ...meta, trainer }, arrays: { ...arrays, ...models } };
    return this.#checkpoints.written(this.#version, () =>
      saveCheckpoint(folderOf(this.#options), withSession(own, this.#session)),
    );
  }

  /** Goes back to the newest whole generation; null where there is none. */
  async restore(warn: (message: string) => void): Promise<number | null> {
    if (this.#options.checkpoint === undefined) return null;
    let checkpoint: Checkpoint & { generation: number };
    try {
      checkpoint = loadCheckpoint(folderOf(this.#options), (problem) => warn(problem.message));
    } catch (error) {
      if (error instanceof IqLearnError && (error.code === 'NOT_FOUND' || error.code === 'CORRUPT_DATA')) return null;
      throw error;
    }
    const learner = await Learner.resume(checkpoint, engineOf(this.#options));
    await this.#learner.dispose();
    this.#learner = learner;
    this.#restoreCounters(checkpoint);
    return checkpoint.generation;
  }

  async dispose(): Promise<void> {
    await this.#learner.dispose();
  }

  #restoreCounters(checkpoint: Checkpoint): void {
    const { meta, model, candidate } = trainerOf(checkpoint);
    this.#version = meta.version;
    this.#publishedVersion = Math.max(0, meta.version - 1);
    this.#pendingUpdates = new PendingUpdates(meta.pendingUpdates, meta.skippedUpdates);
    this.#unpaid = meta.unpaid ?? 0;
    this.#metrics.restore(meta);
    this.#summary = meta.summary;
    this.#previous = meta.version > 0 ? { model, manifest: meta.previousManifest } : undefined;
    this.#candidate =
      meta.candidateManifest !== undefined && candidate instanceof Uint8Array
        ? { model: candidate, manifest: meta.candidateManifest }
        : undefined;
    this.#session = sessionOf(checkpoint);
    this.#checkpoints.restored(meta.version);
  }
}
