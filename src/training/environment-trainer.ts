import {
  type BlockArray,
  blockArray,
  blockValues,
  copyObservation,
  entryNames,
  IqLearnError,
  type ObservationSpec,
  type PerBlock,
  perBlock,
  Random,
  type RandomState,
} from '../common/index.js';
import type { Device } from '../engine/index.js';
import { Actor, Learner, type Metrics } from '../learning/index.js';
import type { Checkpoint } from '../platform/index.js';
import type { Environment } from '../simulation/index.js';
import { PendingUpdates, updateTelling } from './contract.js';
import { chosenAction, explorationNoise, inTaskUnits, randomAction } from './environment-actions.js';
import { taskExploration, taskSeed } from './seeds.js';

export interface EnvironmentTrainerOptions {
  /** As `startLearner` gives it. */
  readonly learner: Learner;
  readonly environment: Environment;
  readonly seed: number;
  /** Uniformly random actions before the policy is asked. */
  readonly randomSteps: number;
  /** Updates for each environment step once learning has begun. */
  readonly updatesPerStep: number;
  /** Environment steps before the first update. */
  readonly updateAfter: number;
  /** Is told when learning was taken back because it diverged. */
  readonly warn?: ((message: string) => void) | undefined;
}

interface TrainingMeta {
  readonly seed: number;
  readonly steps: number;
  readonly episode: number;
  readonly episodeReturn: number;
  readonly episodeLength: number;
  readonly randomSteps: number;
  readonly updatesPerStep: number;
  readonly updateAfter: number;
  readonly pendingUpdates: number;
  readonly exploration: RandomState;
}

/** An episode that ended during training. */
export interface EpisodeEnd {
  readonly episode: number;
  readonly return: number;
  readonly length: number;
  readonly terminated: boolean;
}

/**
 * Environment and learner in one loop, one step after the other: the reference for figures (return against steps)
 * and the trainer of experts. Robots learn through the nodes instead, where learning and control are separate loops.
 * Its checkpoint holds learner, environment and generators: a resumed run equals an uninterrupted one bit for bit.
 */
export class EnvironmentTrainer {
  readonly learner: Learner;
  readonly #environment: Environment;
  readonly #options: Omit<EnvironmentTrainerOptions, 'learner' | 'environment'>;
  readonly #actor: Actor;
  #exploration: Random;
  #observation: PerBlock<BlockArray>;
  /** The actions of the episode so far, of an environment that has no snapshots. */
  readonly #actions: Float32Array[] = [];
  #steps = 0;
  #episode = 0;
  #return = 0;
  #length = 0;
  #pendingUpdates = new PendingUpdates();

  private constructor(options: EnvironmentTrainerOptions, actor: Actor, observation: PerBlock<BlockArray>) {
    this.learner = options.learner;
    this.#environment = options.environment;
    this.#options = options;
    this.#actor = actor;
    this.#exploration = taskExploration(options.seed);
    this.#observation = observation;
  }

  static async create(options: EnvironmentTrainerOptions): Promise<EnvironmentTrainer> {
    const { learner, environment, seed } = options;
    const actor = await Actor.create(learner.actingPolicy());
    const first = await environment.reset(taskSeed(seed, 0));
    return new EnvironmentTrainer(options, actor, copyObservation(environment.observation, first));
  }

  /** Environment steps made. */
  get steps(): number {
    return this.#steps;
  }

  /** One environment step and the updates it is due. Metrics are those of the last update, if any. */
  async step(): Promise<{ readonly metrics: Metrics | undefined; readonly episode: EpisodeEnd | undefined }> {
    const { randomSteps, updateAfter, updatesPerStep, seed, warn = () => {} } = this.#options;
    const environment = this.#environment;
    const action =
      this.#steps < randomSteps
        ? randomAction(environment, this.#exploration)
        : chosenAction(
            environment,
            await this.#actor.act(this.#observation, explorationNoise(environment, this.#exploration)),
          );
    const result = await environment.step(inTaskUnits(environment, action));
    if (environment.snapshot === undefined) this.#actions.push(action);
    const next = copyObservation(environment.observation, result.observation);
    this.learner.addTransition({
      observation: this.#observation,
      action,
      nextObservation: next,
      terminated: result.terminated,
      reward: result.reward,
    });
    this.#observation = next;
    this.#steps++;
    this.#return += result.reward;
    this.#length++;
    let episode: EpisodeEnd | undefined;
    if (result.terminated || result.truncated) {
      episode = {
        episode: this.#episode,
        return: this.#return,
        length: this.#length,
        terminated: result.terminated,
      };
      this.#episode++;
      this.#return = 0;
      this.#length = 0;
      this.#actions.length = 0;
      const first = await environment.reset(taskSeed(seed, this.#episode));
      this.#observation = copyObservation(environment.observation, first);
    }
    let metrics: Metrics | undefined;
    if (this.#steps > updateAfter) {
      this.#pendingUpdates.pay(1, updatesPerStep);
      const due = this.#pendingUpdates.whole;
      this.#pendingUpdates.made(due);
      if (due > 0) {
        metrics = await updateTelling(this.learner, due, warn);
        this.#actor.load(this.learner.actingPolicy());
      }
    }
    return { metrics, episode };
  }

  /** Everything that `resume` needs to go on as if nothing had happened. */
  async checkpoint(): Promise<Checkpoint> {
    const learner = this.learner.checkpoint();
    const { seed, randomSteps, updatesPerStep, updateAfter } = this.#options;
    const meta: TrainingMeta = {
      seed,
      randomSteps,
      updatesPerStep,
      updateAfter,
      steps: this.#steps,
      episode: this.#episode,
      episodeReturn: this.#return,
      episodeLength: this.#length,
      pendingUpdates: this.#pendingUpdates.count,
      exploration: this.#exploration.state,
    };
    return {
      meta: { ...learner.meta, training: meta },
      arrays: {
        ...learner.arrays,
        ...(await this.#environmentState()),
        ...observationEntries(this.#environment.observation, this.#observation),
      },
    };
  }

  /** The environment's snapshot, or else the actions of the episode, which lead to the same state again. */
  async #environmentState(): Promise<Checkpoint['arrays']> {
    const state = await this.#environment.snapshot?.();
    if (state !== undefined) return { 'environment.state': state };
    const actions = new Float32Array(this.#actions.length * this.#environment.actionRange.size);
    this.#actions.forEach((action, t) => {
      actions.set(action, t * action.length);
    });
    return { 'environment.actions': actions };
  }

  /**
   * Brings the environment back to where the checkpoint was taken. Throws CORRUPT_DATA where the checkpoint has neither
   * a snapshot nor actions, UNSUPPORTED where the same seed and actions do not lead to the same observation again.
   */
  async #restoreEnvironment({ arrays }: Checkpoint): Promise<void> {
    const environment = this.#environment;
    const { 'environment.state': state, 'environment.actions': actions } = arrays;
    if (state instanceof Float64Array && environment.restore !== undefined) {
      await environment.reset(0);
      await environment.restore(state);
      return;
    }
    if (!(actions instanceof Float32Array)) throw notOfTraining();
    let observation = await environment.reset(taskSeed(this.#options.seed, this.#episode));
    const { size } = environment.actionRange;
    for (let from = 0; from < actions.length; from += size) {
      const action = actions.slice(from, from + size);
      ({ observation } = await environment.step(inTaskUnits(environment, action)));
      this.#actions.push(action);
    }
    const { observation: spec } = environment;
    const saved = blockValues(spec, this.#observation, 'observation');
    const repeated = blockValues(spec, copyObservation(spec, observation), 'observation');
    if (repeated.some((values, block) => values.some((value, i) => value !== saved[block]![i])))
      throw new IqLearnError('UNSUPPORTED', 'the training cannot go on in the middle of an episode', {
        found: 'an environment that does not repeat an episode: same seed and actions, another observation',
        expected: 'an environment with snapshots, or a deterministic one',
        remedy: 'start the training again',
      });
  }

  /** Goes on where `checkpoint` was taken, on a fresh environment of the same task. */
  static async resume(
    checkpoint: Checkpoint,
    environment: Environment,
    options: { readonly device?: Device; readonly threads?: number; readonly warn?: (message: string) => void } = {},
  ): Promise<EnvironmentTrainer> {
    const meta = checkpoint.meta.training as TrainingMeta | undefined;
    const observation = observationFrom(environment.observation, checkpoint.arrays);
    if (meta === undefined || observation === undefined) throw notOfTraining();
    const { warn, ...engine } = options;
    const learner = await Learner.resume(checkpoint, engine);
    const actor = await Actor.create(learner.actingPolicy());
    const training = new EnvironmentTrainer({ ...meta, learner, environment, warn }, actor, observation);
    training.#exploration = Random.fromState(meta.exploration);
    training.#steps = meta.steps;
    training.#episode = meta.episode;
    training.#return = meta.episodeReturn;
    training.#length = meta.episodeLength;
    training.#pendingUpdates = new PendingUpdates(meta.pendingUpdates);
    await training.#restoreEnvironment(checkpoint);
    return training;
  }

  async dispose(): Promise<void> {
    await this.#actor.dispose();
    await this.learner.dispose();
  }
}

/** The observation that training is at, as entries of a checkpoint. */
function observationEntries(spec: ObservationSpec, observation: PerBlock<BlockArray>): Checkpoint['arrays'] {
  const names = entryNames('environment.observation', spec);
  return Object.fromEntries(blockValues(spec, observation, 'observation').map((array, i) => [names[i]!, array]));
}

/** The inverse of {@link observationEntries}; undefined where a block has no entry of its type and size. */
function observationFrom(spec: ObservationSpec, arrays: Checkpoint['arrays']): PerBlock<BlockArray> | undefined {
  const names = entryNames('environment.observation', spec);
  const blocks = spec.flatMap((block, i) => {
    const [array, empty] = [arrays[names[i]!], blockArray(block)];
    return array?.constructor === empty.constructor && array.length === empty.length ? [array as BlockArray] : [];
  });
  return blocks.length === spec.length ? perBlock(spec, blocks) : undefined;
}

function notOfTraining(): IqLearnError {
  return new IqLearnError('CORRUPT_DATA', 'the checkpoint holds no training on a task', {
    expected: "entries 'training', 'environment.observation', and 'environment.state' or 'environment.actions'",
    remedy: 'resume it with the command that wrote it',
  });
}
