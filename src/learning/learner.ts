import { IqLearnError, Random, type RandomState } from '../common/index.js';
import { type ArrayRecord, compile, type EagerBackend, type Executable } from '../engine/index.js';
import type { Checkpoint } from '../platform/index.js';
import type { Objective } from './actor-critic.js';
import { adamCoefficients } from './adam.js';
import { type Algorithm, type AlgorithmSizes, actorCritic, softQ } from './algorithm.js';
import type { LearnerConfig } from './config.js';
import type { Episode } from './data/episode.js';
import { type Normalisation, normalise } from './data/normalisation.js';
import { type BufferContents, type BufferRow, ReplayBuffer } from './data/replay-buffer.js';
import type { PolicyFunction } from './policy-function.js';
import { RewardModel } from './reward.js';

/**
 * One step of the learning policy: a buffer's row, but with observations in the robot's units and the action in [−1, 1]
 * that was executed. The reward is needed by the `sac` objective only.
 */
export type LearnerTransition = BufferRow;

export interface LearnerOptions {
  readonly objective: Objective;
  readonly config: LearnerConfig;
  readonly observationSize: number;
  /** Dimensions of a continuous action, or the number of discrete ones. */
  readonly actionSize: number;
  /** Actions are one-hot and the learner is soft-Q. */
  readonly discrete?: boolean;
  /** Applied to every observation before the networks; part of every policy function. */
  readonly normalisation: Normalisation;
  readonly seed: number;
  readonly executor?: 'onnx' | 'eager';
  readonly threads?: number;
  /** Of the eager executor; `auto` if not given. */
  readonly eagerBackend?: EagerBackend;
}

export type Metrics = Readonly<Record<string, number>>;

interface LearnerMeta {
  readonly objective: Objective;
  readonly config: LearnerConfig;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly discrete: boolean;
  readonly seed: number;
  readonly updates: number;
  readonly sampling: RandomState;
  readonly noise: RandomState;
  readonly expert: { cursor: number; added: number };
  readonly policy: { cursor: number; added: number };
}

/**
 * Learning with SAC (continuous actions) or soft-Q (discrete): holds networks, optimizers, buffers and generators, and
 * advances them by whole updates. `iq` learns from demonstrations (IQ-Learn); `sac` from rewards (to make experts).
 *
 * `update` blocks its thread for the time of the computation: a learner belongs in a worker.
 * The same seed and the same calls give the same parameters bit for bit on a CPU.
 */
export class Learner {
  readonly objective: Objective;
  readonly config: LearnerConfig;
  readonly algorithm: Algorithm;
  readonly normalisation: Normalisation;
  readonly #options: LearnerOptions;
  readonly #executable: Executable;
  readonly #sizes: AlgorithmSizes;
  readonly #expert: ReplayBuffer;
  readonly #policy: ReplayBuffer;
  readonly #inputs: Record<string, Float32Array>;
  readonly #firstStates: Float32Array[] = [];
  #sampling: Random;
  #noise: Random;
  #updates = 0;
  #rewards: RewardModel | undefined;

  private constructor(options: LearnerOptions, sizes: AlgorithmSizes, algorithm: Algorithm, executable: Executable) {
    this.#options = options;
    this.objective = options.objective;
    this.config = options.config;
    this.algorithm = algorithm;
    this.normalisation = options.normalisation;
    this.#sizes = sizes;
    this.#executable = executable;
    const { observation, action } = sizes;
    this.#expert = new ReplayBuffer(options.objective === 'iq' ? EXPERT_CAPACITY : 1, observation, action);
    this.#policy = new ReplayBuffer(options.config.bufferSize, observation, action);
    this.#sampling = Random.derive(options.seed, 'batches');
    this.#noise = Random.derive(options.seed, 'noise');
    this.#inputs = Object.fromEntries(
      Object.entries(executable.inputs).map(([name, { shape }]) => [
        name,
        new Float32Array(shape.reduce((product, n) => product * n, 1)),
      ]),
    );
  }

  static async create(options: LearnerOptions): Promise<Learner> {
    const { objective, config } = options;
    const sizes: AlgorithmSizes = {
      observation: options.observationSize,
      action: options.actionSize,
      policyRows: objective === 'sac' || config.online ? config.batchSize : 0,
      expertRows: objective === 'iq' ? config.batchSize : 0,
    };
    if (options.discrete === true && objective === 'sac')
      throw new IqLearnError('UNSUPPORTED', 'SAC on rewards needs continuous actions', { found: 'discrete actions' });
    const algorithm = options.discrete === true ? softQ(config, sizes) : actorCritic(objective, config, sizes);
    const executable = await compile(algorithm.program, {
      executor: options.executor ?? 'onnx',
      initialState: algorithm.initialState(Random.derive(options.seed, 'parameters')),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.eagerBackend === undefined ? {} : { eagerBackend: options.eagerBackend }),
    });
    return new Learner(options, sizes, algorithm, executable);
  }

  /** Updates made. */
  get updates(): number {
    return this.#updates;
  }

  /** Transitions of the policy ever added. */
  get transitions(): number {
    return this.#policy.added;
  }

  /** Expert transitions held. */
  get expertTransitions(): number {
    return this.#expert.size;
  }

  /** Adds a demonstration. Expert actions are clipped to ±actionClip. Throws INVALID_ARGUMENT on bad numbers. */
  addDemonstration(episode: Episode): void {
    const { observation: o, action: a } = this.#sizes;
    if (this.#expert.added + episode.length > this.#expert.capacity)
      throw new IqLearnError('INVALID_ARGUMENT', 'too many demonstrations', {
        found: `${this.#expert.added + episode.length} transitions`,
        expected: `at most ${this.#expert.capacity}`,
        remedy: 'subsample them',
      });
    for (let t = 0; t < episode.length; t++) {
      const current = normalise(
        this.normalisation,
        episode.observations.subarray(t * o, (t + 1) * o),
        new Float32Array(o),
      );
      this.#expert.add({
        observation: current,
        action: this.#clipped(episode.actions.subarray(t * a, (t + 1) * a)),
        nextObservation: normalise(
          this.normalisation,
          episode.observations.subarray((t + 1) * o, (t + 2) * o),
          new Float32Array(o),
        ),
        terminated: episode.terminated && t === episode.length - 1,
        reward: 0,
      });
      if (t === 0) this.#firstStates.push(current);
    }
  }

  /**
   * Adds a single step that an expert made, as a person who took over from the policy: no start of an episode.
   * False where the expert's buffer is full: what was demonstrated before stays. Throws INVALID_ARGUMENT on bad numbers.
   */
  addExpertTransition(transition: LearnerTransition): boolean {
    if (this.#expert.added >= this.#expert.capacity) return false;
    this.#expert.add({ ...this.#normalised(transition), reward: 0 });
    return true;
  }

  /** Adds a step of the policy to the replay buffer. Throws INVALID_ARGUMENT on bad numbers and adds nothing. */
  addTransition(transition: LearnerTransition): void {
    if (this.objective === 'sac' && !Number.isFinite(transition.reward))
      throw new IqLearnError('INVALID_ARGUMENT', 'SAC needs the reward of every transition', {
        found: String(transition.reward),
        expected: 'a finite number',
      });
    this.#policy.add({ ...this.#normalised(transition), reward: transition.reward ?? 0 });
  }

  #normalised({ observation, action, nextObservation, terminated }: LearnerTransition): LearnerTransition {
    const { observation: o } = this.#sizes;
    return {
      observation: normalise(this.normalisation, observation, new Float32Array(o)),
      action: this.#clipped(action),
      nextObservation: normalise(this.normalisation, nextObservation, new Float32Array(o)),
      terminated,
    };
  }

  /**
   * Makes `count` updates and gives the means of their metrics. Throws INVALID_ARGUMENT without data to learn from,
   * DIVERGED (naming the metric) as soon as a metric is not finite.
   */
  async update(count = 1): Promise<Metrics> {
    if ((this.#sizes.policyRows > 0 && this.#policy.size === 0) || (this.objective === 'iq' && this.#expert.size === 0))
      throw new IqLearnError('INVALID_ARGUMENT', 'nothing to learn from', {
        found: `${this.#expert.size} expert and ${this.#policy.size} policy transitions`,
        expected: 'some of both',
        remedy: 'add demonstrations and transitions first',
      });
    const names = this.algorithm.metrics;
    const sums = new Float64Array(names.length);
    for (let i = 0; i < count; i++) {
      this.#fillInputs();
      const { metrics } = await this.#executable.run(this.#inputs);
      this.#updates++;
      for (let k = 0; k < sums.length; k++) {
        const value = metrics![k]!;
        if (!Number.isFinite(value))
          throw new IqLearnError('DIVERGED', 'learning diverged', {
            found: `${names[k]} = ${value} after ${this.#updates} updates`,
            expected: 'finite numbers',
            remedy: 'go back to the last checkpoint; lower the learning rates or raise the temperature',
          });
        sums[k]! += value;
      }
    }
    return Object.fromEntries(names.map((name, k) => [name, sums[k]! / Math.max(1, count)]));
  }

  /** The policy as it is now (its running average where `actorAveraging` is set). A copy: later updates leave it. */
  policyFunction(): PolicyFunction {
    return this.algorithm.policy(this.#executable.readState(this.algorithm.deployed), this.normalisation);
  }

  /**
   * Starts the actor from another policy of the same shape (behavioural cloning's). Call before the first update;
   * give the critic a head start by `actorDelay`. Throws MISMATCH where the networks or the normalisation differ.
   */
  warmStart(policy: PolicyFunction): void {
    const state = { ...this.#executable.readState() };
    const own = this.algorithm.policy(state, this.normalisation).constants;
    for (const name of ['observation_mean', 'observation_scale'])
      if (own[name]!.data.some((x, i) => x !== policy.constants[name]?.data[i]))
        throw new IqLearnError('MISMATCH', 'the policy to start from normalises its observations otherwise', {
          found: `another ${name}`,
          expected: "the learner's normalisation",
          remedy: 'clone the demonstrations with the normalisation of the learner',
        });
    const actor = policy.constants.actor?.data;
    if (actor === undefined || actor.length !== own.actor?.data.length)
      throw new IqLearnError('MISMATCH', 'the policy to start from has another network', {
        found: `${actor?.length ?? 'no'} actor parameters`,
        expected: `${own.actor?.data.length ?? 'no actor: soft-Q has none'}`,
        remedy: 'use the same hidden sizes for both',
      });
    this.#executable.writeState({
      ...state,
      actor,
      ...(state.average === undefined ? {} : { average: actor }),
    });
  }

  /** A copy of networks, targets and moments by name. */
  parameters(): ArrayRecord {
    return this.#executable.readState();
  }

  /**
   * The recovered reward r(s, a, s′) = Q(s, a) − γ (1 − d) V(s′) along an episode (paper Alg. 2), V by the mean over
   * `samples` actions of the policy. → [n]. Fit for comparing and for use in the same dynamics only (paper §8).
   */
  async recoverRewards(episode: Episode, samples = 8): Promise<Float32Array> {
    this.#rewards ??= await RewardModel.create(this.algorithm, this.#sizes, samples);
    return this.#rewards.recover(
      this.#executable.readState(this.algorithm.networks),
      { ...episode, actions: this.#clipped(episode.actions) },
      this.normalisation,
      Random.derive(this.#options.seed, 'reward recovery'),
    );
  }

  /** Everything that `resume` needs to go on as if nothing had happened, bit for bit. */
  checkpoint(): Checkpoint {
    const expert = this.#expert.contents();
    const policy = this.#policy.contents();
    const meta: LearnerMeta = {
      objective: this.objective,
      config: this.config,
      observationSize: this.#sizes.observation,
      actionSize: this.#sizes.action,
      discrete: this.#options.discrete ?? false,
      seed: this.#options.seed,
      updates: this.#updates,
      sampling: this.#sampling.state,
      noise: this.#noise.state,
      expert: { cursor: expert.cursor, added: expert.added },
      policy: { cursor: policy.cursor, added: policy.added },
    };
    const first = new Float32Array(this.#firstStates.length * this.#sizes.observation);
    this.#firstStates.forEach((state, i) => {
      first.set(state, i * this.#sizes.observation);
    });
    return {
      meta: { learner: meta },
      arrays: {
        ...prefixed('state.', this.#executable.readState()),
        ...prefixed('expert.', arraysOf(expert)),
        ...prefixed('policy.', arraysOf(policy)),
        'normalisation.mean': this.normalisation.mean,
        'normalisation.scale': this.normalisation.scale,
        firstStates: first,
      },
    };
  }

  /** A learner that goes on where `checkpoint` was taken. */
  static async resume(
    checkpoint: Checkpoint,
    options: Pick<LearnerOptions, 'executor' | 'threads' | 'eagerBackend'> = {},
  ): Promise<Learner> {
    const meta = checkpoint.meta.learner as LearnerMeta | undefined;
    if (meta === undefined)
      throw new IqLearnError('CORRUPT_DATA', 'the checkpoint holds no learner', { expected: "an entry 'learner'" });
    const array = (name: string): Float32Array => {
      const found = checkpoint.arrays[name];
      if (!(found instanceof Float32Array))
        throw new IqLearnError('CORRUPT_DATA', `the checkpoint lacks '${name}'`, {
          expected: 'a float32 array',
          remedy: 'resume from another checkpoint',
        });
      return found;
    };
    const learner = await Learner.create({
      objective: meta.objective,
      config: meta.config,
      observationSize: meta.observationSize,
      actionSize: meta.actionSize,
      discrete: meta.discrete,
      seed: meta.seed,
      normalisation: { mean: array('normalisation.mean'), scale: array('normalisation.scale') },
      ...options,
    });
    const names = Object.keys(learner.#executable.state);
    learner.#executable.writeState(Object.fromEntries(names.map((name) => [name, array(`state.${name}`)])));
    learner.#expert.restore(contentsOf('expert.', meta.expert, array));
    learner.#policy.restore(contentsOf('policy.', meta.policy, array));
    learner.#sampling = Random.fromState(meta.sampling);
    learner.#noise = Random.fromState(meta.noise);
    learner.#updates = meta.updates;
    const first = array('firstStates');
    for (let i = 0; i < first.length; i += meta.observationSize)
      learner.#firstStates.push(first.slice(i, i + meta.observationSize));
    return learner;
  }

  async dispose(): Promise<void> {
    await this.#executable.dispose();
    await this.#rewards?.dispose();
  }

  #fillInputs(): void {
    const { config } = this;
    const inputs = this.#inputs;
    const target = {
      observations: inputs.observations!,
      actions: inputs.actions!,
      nextObservations: inputs.nextObservations!,
      continues: inputs.continues!,
      rewards: inputs.rewards,
    };
    if (this.#sizes.policyRows > 0) this.#policy.sample(this.#sizes.policyRows, this.#sampling, target);
    if (this.#sizes.expertRows > 0)
      this.#expert.sample(this.#sizes.expertRows, this.#sampling, target, this.#sizes.policyRows);
    if (inputs.initialObservations !== undefined) {
      this.#sampleInitial(inputs.initialObservations);
      if (inputs.initialNoise !== undefined) this.#noise.fillNormal(inputs.initialNoise);
    }
    const t = this.#updates + 1;
    const falling = (floor: number): number => 1 - (1 - floor) * Math.min(1, t / config.decayUpdates);
    const noise = config.observationNoise * falling(config.observationNoiseFloor);
    if (noise > 0) {
      this.#blur(target.observations, noise);
      this.#blur(target.nextObservations, noise);
    }
    if (inputs.noise !== undefined) this.#noise.fillNormal(inputs.noise);
    if (inputs.nextNoise !== undefined) this.#noise.fillNormal(inputs.nextNoise);
    const decay = falling(config.learningRateFloor);
    setCoefficients(inputs.criticAdam, t, config.criticLearningRate * decay);
    const actorRate = t > config.actorDelay ? config.actorLearningRate * decay : 0;
    setCoefficients(inputs.actorAdam, t, actorRate);
    setCoefficients(inputs.temperatureAdam, t, config.temperatureLearningRate);
  }

  /** Continuous actions within ±actionClip, so that their value before the squashing is finite; a copy. */
  #clipped(action: ArrayLike<number>): Float32Array {
    const clip = this.algorithm.continuous ? this.config.actionClip : Number.POSITIVE_INFINITY;
    return Float32Array.from(action, (x) => Math.min(clip, Math.max(-clip, x)));
  }

  #blur(values: Float32Array, deviation: number): void {
    for (let i = 0; i < values.length; i++) values[i]! += deviation * this.#noise.normal();
  }

  #sampleInitial(out: Float32Array): void {
    const o = this.#sizes.observation;
    const all = this.#expert.contents().observations;
    const count = this.config.initialStates === 'all' ? this.#expert.size : this.#firstStates.length;
    for (let row = 0; row < out.length / o; row++) {
      const i = this.#sampling.integer(count);
      out.set(this.config.initialStates === 'all' ? all.subarray(i * o, (i + 1) * o) : this.#firstStates[i]!, row * o);
    }
  }
}

/** Demonstrations are few; what is beyond this many transitions is refused, never forgotten silently. */
const EXPERT_CAPACITY = 200_000;

function setCoefficients(out: Float32Array | undefined, t: number, learningRate: number): void {
  if (out === undefined) return;
  const { step, epsilon } = adamCoefficients(t, learningRate);
  out[0] = step;
  out[1] = epsilon;
}

function arraysOf({ cursor: _cursor, added: _added, ...arrays }: BufferContents): Record<string, Float32Array> {
  return arrays;
}

function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));
}

function contentsOf(
  prefix: string,
  counters: { cursor: number; added: number },
  array: (name: string) => Float32Array,
): BufferContents {
  return {
    observations: array(`${prefix}observations`),
    actions: array(`${prefix}actions`),
    nextObservations: array(`${prefix}nextObservations`),
    continues: array(`${prefix}continues`),
    rewards: array(`${prefix}rewards`),
    ...counters,
  };
}
