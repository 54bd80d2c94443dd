import { IqLearnError, Random, type RandomState } from '../common/index.js';
import type { Device } from '../engine/index.js';
import { Actor, Learner, type Metrics } from '../learning/index.js';
import type { Checkpoint } from '../platform/index.js';
import type { Environment } from '../simulation/index.js';

export interface EnvironmentTrainerOptions {
  readonly learner: Learner;
  readonly environment: Environment;
  readonly seed: number;
  /** Uniformly random actions before the policy is asked. */
  readonly randomSteps: number;
  /** Updates for each environment step once learning has begun. */
  readonly updatesPerStep: number;
  /** Environment steps before the first update. */
  readonly updateAfter: number;
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
  readonly owed: number;
  readonly exploration: RandomState;
}

/** An episode that ended during training. */
export interface EpisodeEnd {
  readonly episode: number;
  readonly return: number;
  readonly length: number;
  readonly terminated: boolean;
}

/** The seed of episode `episode` of a run. */
export const episodeSeed = (seed: number, episode: number): number =>
  Random.derive(seed, `episode ${episode}`).uint32();

/** [−1, 1] → units. */
function scaled(action: ArrayLike<number>, { actionLow, actionHigh }: Environment): Float64Array {
  const out = new Float64Array(actionLow.length);
  for (let k = 0; k < out.length; k++)
    out[k] = actionLow[k]! + 0.5 * (Math.min(1, Math.max(-1, action[k]!)) + 1) * (actionHigh[k]! - actionLow[k]!);
  return out;
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
  #observation: Float32Array;
  #steps = 0;
  #episode = 0;
  #return = 0;
  #length = 0;
  #owed = 0;

  private constructor(options: EnvironmentTrainerOptions, actor: Actor) {
    this.learner = options.learner;
    this.#environment = options.environment;
    this.#options = options;
    this.#actor = actor;
    this.#exploration = Random.derive(options.seed, 'exploration');
    this.#observation = new Float32Array(0);
  }

  static async create(options: EnvironmentTrainerOptions): Promise<EnvironmentTrainer> {
    const training = new EnvironmentTrainer(options, await Actor.create(options.learner.policyFunction()));
    training.#observation = Float32Array.from(options.environment.reset(episodeSeed(options.seed, 0)));
    return training;
  }

  /** Environment steps made. */
  get steps(): number {
    return this.#steps;
  }

  /** One environment step and the updates it is due. Metrics are those of the last update, if any. */
  async step(): Promise<{ readonly metrics: Metrics | undefined; readonly episode: EpisodeEnd | undefined }> {
    const { randomSteps, updateAfter, updatesPerStep, seed } = this.#options;
    const a = this.#environment.actionLow.length;
    let action: Float32Array;
    if (this.#steps < randomSteps) {
      action = Float32Array.from({ length: a }, () => this.#exploration.uniform(-1, 1));
    } else {
      action = await this.#actor.act(this.#observation, this.#exploration.fillNormal(new Float32Array(a)));
    }
    const result = this.#environment.step(scaled(action, this.#environment));
    const next = Float32Array.from(result.observation);
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
      this.#observation = Float32Array.from(this.#environment.reset(episodeSeed(seed, this.#episode)));
    }
    let metrics: Metrics | undefined;
    if (this.#steps > updateAfter) {
      this.#owed += updatesPerStep;
      const due = Math.floor(this.#owed);
      this.#owed -= due;
      if (due > 0) {
        metrics = await this.learner.update(due);
        this.#actor.load(this.learner.policyFunction());
      }
    }
    return { metrics, episode };
  }

  checkpoint(): Checkpoint {
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
      owed: this.#owed,
      exploration: this.#exploration.state,
    };
    return {
      meta: { ...learner.meta, training: meta },
      arrays: {
        ...learner.arrays,
        'environment.state': this.#environment.snapshot(),
        'environment.observation': this.#observation,
      },
    };
  }

  /** Goes on where `checkpoint` was taken, on a fresh environment of the same task. */
  static async resume(
    checkpoint: Checkpoint,
    environment: Environment,
    options: { readonly device?: Device; readonly threads?: number } = {},
  ): Promise<EnvironmentTrainer> {
    const meta = checkpoint.meta.training as TrainingMeta | undefined;
    const state = checkpoint.arrays['environment.state'];
    const observation = checkpoint.arrays['environment.observation'];
    if (meta === undefined || !(state instanceof Float64Array) || !(observation instanceof Float32Array))
      throw new IqLearnError('CORRUPT_DATA', 'the checkpoint holds no training on a task', {
        expected: "entries 'training', 'environment.state' and 'environment.observation'",
        remedy: 'resume it with the command that wrote it',
      });
    const learner = await Learner.resume(checkpoint, options);
    const training = new EnvironmentTrainer(
      { ...meta, learner, environment },
      await Actor.create(learner.policyFunction()),
    );
    environment.reset(0);
    environment.restore(state);
    training.#exploration = Random.fromState(meta.exploration);
    training.#observation = observation;
    training.#steps = meta.steps;
    training.#episode = meta.episode;
    training.#return = meta.episodeReturn;
    training.#length = meta.episodeLength;
    training.#owed = meta.owed;
    return training;
  }

  async dispose(): Promise<void> {
    await this.#actor.dispose();
    await this.learner.dispose();
  }
}

/** Returns of whole episodes under a policy's deterministic action, seeds from `seed` up. */
export async function evaluateOnTask(
  policy: Pick<Actor, 'act'>,
  environment: Environment,
  options: { readonly episodes: number; readonly seed: number },
): Promise<{ readonly return: number; readonly length: number }[]> {
  const results: { return: number; length: number }[] = [];
  for (let i = 0; i < options.episodes; i++) {
    let observation = environment.reset(options.seed + i);
    let total = 0;
    for (let length = 1; ; length++) {
      const result = environment.step(scaled(await policy.act(observation), environment));
      total += result.reward;
      observation = result.observation;
      if (result.terminated || result.truncated) {
        results.push({ return: total, length });
        break;
      }
    }
  }
  return results;
}
