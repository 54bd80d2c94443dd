import { IqLearnError, shapeSize } from '../common/index.js';
import {
  behaviouralCloning,
  cloningSettingsOf,
  type Episode,
  identityNormalisation,
  Learner,
  type LearnerOptions,
  type Metrics,
  normalisationOf,
  numbersOf,
} from '../learning/index.js';
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from '../platform/index.js';
import { encodeBundle, type PolicyBundle, type TrainingSummary } from '../policy/index.js';
import { observationOf } from '../robot/index.js';
import type {
  LearningOptions,
  LearningProgress,
  LearningStart,
  RecoveredRewards,
  Segment,
} from './process/protocol.js';

interface LoopMeta {
  readonly version: number;
  readonly owed: number;
  readonly metrics: Metrics;
  readonly counted: number;
  readonly episodes: number;
  readonly summary: TrainingSummary;
  /** Manifest of the policy before the newest segment; '' before the first. Its model is an array beside. */
  readonly driving: string;
}

/**
 * A learner fed with segments of the policy's transitions: each is added whole and pays for its updates, so that the
 * result depends on the segments and their order alone, never on timing. Its checkpoint goes on bit for bit, wherever
 * in a segment's updates it was taken: with the learner it holds what is owed, and where the robot that acts stood.
 */
export class SegmentTrainer {
  readonly #options: LearningOptions;
  #learner: Learner;
  #summary: TrainingSummary;
  readonly #warn: (message: string) => void;
  /** Segments added. */
  #version = 0;
  /** The version whose policy was told last, and that policy. */
  #told = 0;
  #latest: PolicyBundle | undefined;
  /** The policy before the newest segment: the robot acts with it until the segment's own is told. */
  #driving: PolicyBundle | undefined;
  /** Updates due; at most a fraction of one between segments. */
  #owed = 0;
  readonly #metrics = new Map<string, number>();
  #counted = 0;
  #seconds = 0;
  #episodes = 0;
  /** Commands of the episode under way. */
  #commands: Float32Array[] = [];

  private constructor(options: LearningOptions, learner: Learner, warn: (message: string) => void) {
    this.#warn = warn;
    this.#options = options;
    this.#learner = learner;
    this.#summary = options.summary ?? {};
  }

  /** `warn` hears of checkpoints that are damaged and passed over. */
  static async create(options: LearningOptions, warn: (message: string) => void): Promise<SegmentTrainer> {
    if (options.resume === true) {
      const checkpoint = loadCheckpoint(folderOf(options), (problem) => warn(problem.message));
      const loop = new SegmentTrainer(options, await Learner.resume(checkpoint, engineOf(options)), warn);
      loop.#restoreCounters(checkpoint);
      return loop;
    }
    const { contract, demonstrations, config, seed } = options;
    const observation = observationOf(contract);
    const numbers = demonstrations.map(({ observations, length }) => numbersOf(observation, observations, length + 1));
    const numbersEach = observation.reduce(
      (sum, { shape, dtype }) => sum + (dtype === 'float32' ? shapeSize(shape) : 0),
      0,
    );
    const common = {
      observation,
      actionSize: contract.action.length,
      normalisation:
        options.normalisation === 'none'
          ? identityNormalisation(numbersEach)
          : normalisationOf(joined(numbers), numbersEach),
      seed,
    };
    const learner = await Learner.create({ ...common, config, ...engineOf(options) });
    for (const episode of demonstrations) learner.addDemonstration(episode);
    if (config.warmStartUpdates > 0)
      learner.warmStart(
        await behaviouralCloning({
          ...common,
          episodes: demonstrations,
          settings: cloningSettingsOf(config),
          updates: config.warmStartUpdates,
        }),
      );
    return new SegmentTrainer(options, learner, warn);
  }

  /** Where a learner node begins; once, before anything else. */
  async start(): Promise<LearningStart> {
    const standing = { segments: this.#version, episodes: this.#episodes, commands: joined(this.#commands) };
    const { updates, transitions, expertTransitions: demonstrations } = this.#learner;
    this.#latest = this.#driving ?? (await this.#encode());
    return {
      version: this.#told,
      updates,
      transitions,
      demonstrations,
      metrics: {},
      seconds: 0,
      bundle: this.#latest,
      standing,
    };
  }

  /** Whether a segment was added whose policy is not told yet. */
  get open(): boolean {
    return this.#version > this.#told;
  }

  /** Whole updates that are due. */
  get due(): number {
    // A person may have driven from the start: there is nothing yet to tell the demonstrations from.
    if (this.#learner.transitions === 0) return 0;
    return Math.floor(this.#owed + 1e-9);
  }

  add(segment: Segment): void {
    const { observation, action } = this.#options.contract;
    const row = (data: Float32Array, i: number, size: number): Float32Array => data.subarray(i * size, (i + 1) * size);
    let refused = 0;
    for (let i = 0; i < segment.length; i++) {
      const transition = {
        observation: row(segment.observations, i, observation.length),
        action: row(segment.actions, i, action.length),
        nextObservation: row(segment.nextObservations, i, observation.length),
        terminated: segment.terminated[i] === 1,
      };
      // What a person showed is no data of the policy, too: the critic would be told to like and to dislike it.
      if (segment.demonstrated[i] !== 1) this.#learner.addTransition(transition);
      else if (!this.#learner.addExpertTransition(transition)) refused++;
    }
    if (refused > 0)
      this.#warn(`${refused} steps of takeovers do not fit beside the demonstrations any more and are left out`);
    const end = segment.ended.lastIndexOf(1) + 1;
    if (end > 0) this.#commands = [];
    this.#commands.push(segment.commands.slice(end * action.length));
    for (const ended of segment.ended) this.#episodes += ended;
    this.#owed += segment.length * this.#options.updatesPerTransition;
    this.#version++;
    this.#driving = this.#latest;
    this.#metrics.clear();
    this.#counted = 0;
  }

  /** Makes at most `most` of the updates that are due. Throws DIVERGED. */
  async update(most: number): Promise<void> {
    const count = Math.min(most, this.due);
    if (count === 0) return;
    const start = process.hrtime.bigint();
    const metrics = await this.#learner.update(count);
    this.#seconds += Number(process.hrtime.bigint() - start) / 1e9;
    this.#owed -= count;
    this.#counted += count;
    for (const [name, value] of Object.entries(metrics))
      this.#metrics.set(name, (this.#metrics.get(name) ?? 0) + value * count);
  }

  /** Where learning stands once a segment's updates are made, with its policy as a bundle. */
  async progress(): Promise<LearningProgress> {
    const metrics: Metrics = Object.fromEntries([...this.#metrics].map(([name, sum]) => [name, sum / this.#counted]));
    const { updates, transitions, expertTransitions: demonstrations } = this.#learner;
    const seconds = this.#seconds;
    this.#seconds = 0;
    this.#latest = await this.#encode();
    this.#told = this.#version;
    return { version: this.#version, updates, transitions, demonstrations, metrics, seconds, bundle: this.#latest };
  }

  async #encode(): Promise<PolicyBundle> {
    const { contract, seed, updatesPerTransition } = this.#options;
    const { updates, transitions, expertTransitions } = this.#learner;
    return await encodeBundle({
      policy: this.#learner.policyFunction(),
      contract,
      version: this.#version,
      training: {
        ...this.#summary,
        algorithm: 'iq-learn',
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

  /** True after every so many segments, once their updates are made. */
  get checkpointDue(): boolean {
    const { checkpoint } = this.#options;
    return checkpoint !== undefined && this.#version > 0 && this.#version % checkpoint.everySegments === 0;
  }

  /** Writes a generation and gives its number. */
  save(): number {
    const { meta, arrays } = this.#learner.checkpoint();
    const loop: LoopMeta = {
      version: this.#version,
      owed: this.#owed,
      metrics: Object.fromEntries(this.#metrics),
      counted: this.#counted,
      episodes: this.#episodes,
      summary: this.#summary,
      driving: this.#driving?.manifest ?? '',
    };
    return saveCheckpoint(folderOf(this.#options), {
      meta: { ...meta, loop },
      arrays: {
        ...arrays,
        'loop.commands': joined(this.#commands),
        'loop.driving': this.#driving?.model ?? new Uint8Array(),
      },
    });
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
    const meta = checkpoint.meta.loop as LoopMeta | undefined;
    const { 'loop.commands': commands, 'loop.driving': model } = checkpoint.arrays;
    if (meta === undefined || !(commands instanceof Float32Array) || !(model instanceof Uint8Array))
      throw new IqLearnError('CORRUPT_DATA', 'the checkpoint was not written by a learner node', {
        expected: "entries 'loop', 'loop.commands' and 'loop.driving'",
        remedy: 'resume it with the command that wrote it',
      });
    this.#version = meta.version;
    this.#told = Math.max(0, meta.version - 1);
    this.#owed = meta.owed;
    this.#metrics.clear();
    for (const [name, sum] of Object.entries(meta.metrics)) this.#metrics.set(name, sum);
    this.#counted = meta.counted;
    this.#episodes = meta.episodes;
    this.#commands = [commands];
    this.#summary = meta.summary;
    this.#driving = meta.version > 0 ? { model, manifest: meta.driving } : undefined;
  }
}

function folderOf({ checkpoint }: LearningOptions): string {
  if (checkpoint === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', 'there is no folder for checkpoints', {
      remedy: 'give one to save or resume',
    });
  return checkpoint.folder;
}

function engineOf({
  executor,
  threads,
  eagerBackend,
}: LearningOptions): Pick<LearnerOptions, 'executor' | 'threads' | 'eagerBackend'> {
  return {
    ...(executor === undefined ? {} : { executor }),
    ...(threads === undefined ? {} : { threads }),
    ...(eagerBackend === undefined ? {} : { eagerBackend }),
  };
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const array of arrays) {
    all.set(array, offset);
    offset += array.length;
  }
  return all;
}
