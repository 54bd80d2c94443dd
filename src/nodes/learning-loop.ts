import { IqLearnError } from '../common/index.js';
import {
  behaviouralCloning,
  type Checkpoint,
  type Episode,
  identityNormalisation,
  Learner,
  loadCheckpoint,
  type Metrics,
  normalisationOf,
  saveCheckpoint,
} from '../learning/index.js';
import { encodeBundle } from '../policy/index.js';
import type { LearningOptions, LearningProgress, Segment } from './learner-protocol.js';

interface LoopMeta {
  readonly version: number;
  readonly owed: number;
}

/**
 * A learner fed with segments of the policy's transitions: each is added whole and pays for its updates, so that the
 * result depends on the segments and their order alone, never on timing. Its checkpoint goes on bit for bit.
 */
export class LearningLoop {
  readonly #options: LearningOptions;
  #learner: Learner;
  #version = 0;
  /** Updates due; at most a fraction of one between segments. */
  #owed = 0;
  #metrics = new Map<string, number>();
  #counted = 0;
  #seconds = 0;

  private constructor(options: LearningOptions, learner: Learner) {
    this.#options = options;
    this.#learner = learner;
  }

  /** `warn` hears of checkpoints that are damaged and passed over. */
  static async create(options: LearningOptions, warn: (message: string) => void): Promise<LearningLoop> {
    if (options.resume === true) {
      const checkpoint = loadCheckpoint(folderOf(options), (problem) => warn(problem.message));
      const loop = new LearningLoop(options, await Learner.resume(checkpoint, engineOf(options)));
      loop.#restoreCounters(checkpoint);
      return loop;
    }
    const { contract, demonstrations, config, seed } = options;
    const o = contract.observation.length;
    const common = {
      config,
      observationSize: o,
      actionSize: contract.action.length,
      normalisation:
        options.normalisation === 'none'
          ? identityNormalisation(o)
          : normalisationOf(joined(demonstrations.map(({ observations }) => observations)), o),
      seed,
    };
    const learner = await Learner.create({ ...common, objective: 'iq', ...engineOf(options) });
    for (const episode of demonstrations) learner.addDemonstration(episode);
    if (config.warmStartUpdates > 0)
      learner.warmStart(
        await behaviouralCloning({ ...common, episodes: demonstrations, updates: config.warmStartUpdates }),
      );
    return new LearningLoop(options, learner);
  }

  /** Whole updates that are due. */
  get due(): number {
    return Math.floor(this.#owed + 1e-9);
  }

  add(segment: Segment): void {
    const { observation, action } = this.#options.contract;
    const row = (data: Float32Array, i: number, size: number): Float32Array => data.subarray(i * size, (i + 1) * size);
    for (let i = 0; i < segment.length; i++)
      this.#learner.addTransition({
        observation: row(segment.observations, i, observation.length),
        action: row(segment.actions, i, action.length),
        nextObservation: row(segment.nextObservations, i, observation.length),
        terminated: segment.terminated[i] === 1,
      });
    this.#owed += segment.length * this.#options.updatesPerTransition;
    this.#version++;
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

  /** Where learning stands, with the policy as a bundle; the metrics start afresh. */
  async progress(): Promise<LearningProgress> {
    const metrics: Metrics = Object.fromEntries([...this.#metrics].map(([name, sum]) => [name, sum / this.#counted]));
    const { contract, seed, updatesPerTransition, summary } = this.#options;
    const { updates, transitions, expertTransitions } = this.#learner;
    const bundle = await encodeBundle({
      policy: this.#learner.policyFunction(),
      contract,
      version: this.#version,
      training: {
        ...summary,
        algorithm: 'iq-learn',
        seed,
        updates,
        transitions,
        expert_transitions: expertTransitions,
        updates_per_transition: updatesPerTransition,
      },
    });
    const progress = { version: this.#version, updates, transitions, metrics, seconds: this.#seconds, bundle };
    this.#metrics = new Map();
    this.#counted = 0;
    this.#seconds = 0;
    return progress;
  }

  recoverRewards(episode: Episode): Promise<Float32Array> {
    return this.#learner.recoverRewards(episode);
  }

  /** True after every so many segments, once their updates are made. */
  get checkpointDue(): boolean {
    const { checkpoint } = this.#options;
    return checkpoint !== undefined && this.#version > 0 && this.#version % checkpoint.everySegments === 0;
  }

  /** Writes a generation and gives its number. */
  save(): number {
    const { meta, arrays } = this.#learner.checkpoint();
    const loop: LoopMeta = { version: this.#version, owed: this.#owed };
    return saveCheckpoint(folderOf(this.#options), { meta: { ...meta, loop }, arrays });
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
    if (meta === undefined)
      throw new IqLearnError('CORRUPT_DATA', 'the checkpoint was not written by a learner node', {
        expected: "an entry 'loop'",
        remedy: 'resume it with the command that wrote it',
      });
    this.#version = meta.version;
    this.#owed = meta.owed;
    this.#metrics.clear();
    this.#counted = 0;
  }
}

function folderOf({ checkpoint }: LearningOptions): string {
  if (checkpoint === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', 'there is no folder for checkpoints', {
      remedy: 'give one to save or resume',
    });
  return checkpoint.folder;
}

function engineOf({ executor, threads }: LearningOptions): { executor?: 'onnx' | 'eager'; threads?: number } {
  return { ...(executor === undefined ? {} : { executor }), ...(threads === undefined ? {} : { threads }) };
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
