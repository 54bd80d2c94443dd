// Longer than 300 lines: filling, running, publishing and saving share the learner's private state, and are short apart.
import {
  type BlockArray,
  blockArray,
  IqLearnError,
  joinVectors,
  type Observation,
  type ObservationSpec,
  type PerBlock,
  Random,
} from '../common/index.js';
import { type ArrayRecord, compile, type Device, type Executable } from '../engine/index.js';
import { type Checkpoint, MetricMeans } from '../platform/index.js';
import type { PolicyFunction } from '../policy/index.js';
import type { Agent } from './agent.js';
import { fillBatch } from './data/batch.js';
import { type Episode, observationAt } from './data/episode.js';
import { FairBuffers, type RobotCount } from './data/fair-buffers.js';
import { type Normalisation, normaliseObservation, normaliseRows } from './data/normalisation.js';
import type { NumberRows } from './data/observation-rows.js';
import { type BufferRow, ReplayBuffer } from './data/replay-buffer.js';
import { DivergenceGuard, type Rollback } from './divergence-guard.js';
import { decodeLearner, encodeLearner } from './learner-checkpoint.js';
import { ObservationEncoder } from './networks/encoders.js';
import { linearFall } from './optimiser/schedules.js';
import { exportReward, type RewardExportOptions } from './reward-export.js';
import { RewardModel } from './reward-model.js';
import { agentDefinition, createAgent, fallOf, type LearnerConfig } from './settings.js';

/**
 * One step of the learning policy: a row of the replay buffer, but with observations in the robot's units and with the
 * action in [−1, 1] that was executed (one-hot where actions are discrete). The reward is needed by agents that learn
 * from rewards only.
 */
export type LearnerTransition = BufferRow;

/** Transitions row after row: the observations have a row of each block, the actions a row of numbers in [−1, 1]. */
export interface LearnerRows {
  readonly length: number;
  readonly observations: PerBlock<BlockArray>;
  readonly actions: Float32Array;
  readonly nextObservations: PerBlock<BlockArray>;
  /** 1 where the next observation is a true terminal state. */
  readonly terminated: Uint8Array;
}

export interface LearnerOptions {
  readonly config: LearnerConfig;
  /** The blocks of an observation. */
  readonly observation: ObservationSpec;
  /** Dimensions of a continuous action, or the number of discrete ones. */
  readonly actionSize: number;
  /** Applied to every observation before the networks; part of every policy function. */
  readonly normalisation: Normalisation;
  readonly seed: number;
  /** The robots of a fleet: each has its own part of the replay buffer. Without them there is one buffer. */
  readonly robots?: readonly string[];
  /** What updates run on: `cpu` by default, where the same seed gives the same bits. */
  readonly device?: Device;
  /** Threads on the CPU. */
  readonly threads?: number;
}

/** Means over updates by name, `train/…`. */
export type Metrics = Readonly<Record<string, number>>;

/** Demonstrations are few: what exceeds this many transitions is refused, never silently forgotten. */
const EXPERT_CAPACITY = 200_000;

/**
 * Learning with any {@link Agent}: holds the agent's state, the transitions and the random generators, and advances them
 * by whole updates, each of which fills a batch, runs the agent's program and reads its metrics.
 *
 * `update` blocks its thread for the time of the computation: a robot's learner runs in a process of its own.
 * The same seed and the same calls give the same parameters bit for bit on a CPU.
 */
export class Learner {
  readonly config: LearnerConfig;
  readonly normalisation: Normalisation;
  readonly #options: LearnerOptions;
  readonly #agent: Agent;
  readonly #executable: Executable;
  readonly #encoder: ObservationEncoder;
  readonly #observation: ObservationSpec;
  readonly #actionSize: number;
  readonly #expert: ReplayBuffer;
  readonly #policy: FairBuffers;
  /** Batches in the order of the next updates: as many as the executable is best given at once. */
  readonly #batches: readonly Record<string, Float32Array | Uint8Array>[];
  readonly #firstStates: Observation[] = [];
  #random: { sampling: Random; noise: Random };
  #updates = 0;
  readonly #guard: DivergenceGuard;
  #rewards: RewardModel | undefined;
  /** Observations and next observations of rows that are being added, normalised. */
  #normalised: readonly [Float32Array, Float32Array] = [new Float32Array(0), new Float32Array(0)];

  private constructor(options: LearnerOptions, encoder: ObservationEncoder, agent: Agent, executable: Executable) {
    const { config, seed, actionSize } = options;
    this.#options = options;
    this.config = config;
    this.normalisation = options.normalisation;
    this.#agent = agent;
    this.#encoder = encoder;
    this.#observation = encoder.spec;
    this.#actionSize = actionSize;
    this.#executable = executable;
    this.#guard = new DivergenceGuard(agent.limits);
    this.#expert = new ReplayBuffer(agent.rows.expert > 0 ? EXPERT_CAPACITY : 1, encoder.spec, actionSize);
    this.#policy = new FairBuffers(
      agent.rows.policy > 0 ? config.bufferSize : 1,
      options.robots ?? [],
      (capacity) => new ReplayBuffer(capacity, encoder.spec, actionSize),
    );
    const { streams } = agentDefinition(config);
    this.#random = {
      sampling: Random.derive(seed, `${streams}batches`),
      noise: Random.derive(seed, `${streams}noise`),
    };
    this.#batches = Array.from({ length: executable.batches }, () =>
      Object.fromEntries(
        Object.entries(executable.inputs).map(([name, { shape, dtype }]) => [
          name,
          blockArray({ shape, dtype: dtype === 'uint8' ? dtype : 'float32' }),
        ]),
      ),
    );
  }

  /** Compiles the agent's program with random parameters. Throws UNAVAILABLE where the device cannot be used. */
  static async create(options: LearnerOptions): Promise<Learner> {
    const { config, seed, device = 'cpu', threads } = options;
    const encoder = new ObservationEncoder(options.observation);
    const agent = encoder.agent(
      createAgent(config, { observation: encoder.width, action: options.actionSize, images: encoder.images }),
    );
    const executable = await compile(agent.program, {
      device,
      initialState: agent.initialState(Random.derive(seed, `${agentDefinition(config).streams}parameters`)),
      ...(threads === undefined ? {} : { threads }),
    });
    return new Learner(options, encoder, agent, executable);
  }

  /** Updates made. */
  get updates(): number {
    return this.#updates;
  }

  /** Transitions of the policy ever added. */
  get transitions(): number {
    return this.#policy.added;
  }

  /** Transitions of each robot. */
  get robots(): readonly RobotCount[] {
    return this.#policy.counts;
  }

  /** Expert transitions held. */
  get expertTransitions(): number {
    return this.#expert.size;
  }

  /** Adds a demonstration. Continuous actions are clipped to ±actionClip. Throws INVALID_ARGUMENT on bad numbers. */
  addDemonstration({ length, observations, actions, terminated }: Episode): void {
    const [spec, a] = [this.#observation, this.#actionSize];
    if (this.#expert.added + length > this.#expert.capacity)
      throw new IqLearnError('INVALID_ARGUMENT', 'too many demonstrations', {
        found: `${this.#expert.added + length} transitions`,
        expected: `at most ${this.#expert.capacity}`,
        remedy: 'subsample them',
      });
    for (let t = 0; t < length; t++) {
      const row = this.#row(
        {
          observation: observationAt(spec, observations, t),
          action: actions.subarray(t * a, (t + 1) * a),
          nextObservation: observationAt(spec, observations, t + 1),
          terminated: terminated && t === length - 1,
        },
        0,
      );
      this.#expert.add(row);
      if (t === 0) this.#firstStates.push(row.observation);
    }
  }

  /**
   * Adds a single step that an expert made, such as a person who took over from the policy; it starts no episode.
   * Returns false where the expert's buffer is full: earlier demonstrations stay. Throws INVALID_ARGUMENT on bad numbers.
   */
  addExpertTransition(transition: LearnerTransition): boolean {
    if (this.#expert.added >= this.#expert.capacity) return false;
    this.#expert.add(this.#row(transition, 0));
    return true;
  }

  /**
   * Adds a step of the policy to the replay buffer, to the part of its robot if that is named. Throws INVALID_ARGUMENT on
   * bad numbers and adds nothing.
   */
  addTransition(transition: LearnerTransition, robot = ''): void {
    if (this.#agent.rows.rewards && !Number.isFinite(transition.reward))
      throw new IqLearnError(
        'INVALID_ARGUMENT',
        `the agent ${this.config.agent} needs the reward of every transition`,
        {
          found: String(transition.reward),
          expected: 'a finite number',
        },
      );
    this.#policy.add(this.#row(transition, transition.reward ?? 0), robot);
  }

  /**
   * Adds transitions of the policy row after row, as {@link addTransition} does each; `robots` names the robot of each.
   * Those of one vector of numbers, which most robots have, go into the buffers without an object for each. Throws
   * INVALID_ARGUMENT on bad numbers; what comes before the bad one was added.
   */
  addTransitions(rows: LearnerRows, robots?: readonly string[]): void {
    const numbers = this.#numberRows(rows);
    for (let from = 0, to = 0; from < rows.length; from = to) {
      const robot = robots?.[from] ?? '';
      to = robots === undefined ? rows.length : from + 1;
      while (to < rows.length && robots![to] === robot) to++;
      if (numbers !== undefined) this.#policy.addRows(numbers, from, to, robot);
      else for (let row = from; row < to; row++) this.addTransition(this.#transitionAt(rows, row), robot);
    }
  }

  /** Transition `row` of rows, as views. */
  #transitionAt(rows: LearnerRows, row: number): LearnerTransition {
    return {
      observation: observationAt(this.#observation, rows.observations, row),
      action: rows.actions.subarray(row * this.#actionSize, (row + 1) * this.#actionSize),
      nextObservation: observationAt(this.#observation, rows.nextObservations, row),
      terminated: rows.terminated[row] === 1,
    };
  }

  /** The rows as the buffers hold them, where all is one vector of finite numbers and no agent needs rewards. */
  #numberRows({ length, observations, actions, nextObservations, terminated }: LearnerRows): NumberRows | undefined {
    const [only] = this.#observation;
    if (this.#observation.length !== 1 || only!.dtype !== 'float32' || this.#agent.rows.rewards) return undefined;
    const numbers = length * this.normalisation.mean.length;
    if (!(observations instanceof Float32Array && nextObservations instanceof Float32Array)) return undefined;
    if (observations.length !== numbers || nextObservations.length !== numbers) return undefined;
    if (actions.length !== length * this.#actionSize) return undefined;
    const [before, after] = this.#room(numbers);
    if (!normaliseRows(this.normalisation, observations, nextObservations, before, after)) return undefined;
    const clipped = this.#clipped(actions);
    return allFinite(clipped)
      ? { observations: before, actions: clipped, nextObservations: after, terminated }
      : undefined;
  }

  /** Two arrays of at least so many numbers, until the next call: the buffers copy what they take. */
  #room(numbers: number): readonly [Float32Array, Float32Array] {
    if (this.#normalised[0].length < numbers) this.#normalised = [new Float32Array(numbers), new Float32Array(numbers)];
    return this.#normalised;
  }

  /** A transition as the buffers hold it: observations normalised, actions clipped. */
  #row({ observation, action, nextObservation, terminated }: LearnerTransition, reward: number): BufferRow {
    return {
      observation: normaliseObservation(this.normalisation, this.#observation, observation),
      action: this.#clipped(action),
      nextObservation: normaliseObservation(this.normalisation, this.#observation, nextObservation),
      terminated,
      reward,
    };
  }

  /** A copy of the actions, within ±actionClip where they are continuous: their value before the tanh is finite then. */
  #clipped(action: ArrayLike<number>): Float32Array {
    const { actionClip: clip = Number.POSITIVE_INFINITY } = this.#agent;
    const clipped = new Float32Array(action.length);
    for (let i = 0; i < clipped.length; i++) clipped[i] = Math.min(clip, Math.max(-clip, action[i]!));
    return clipped;
  }

  /** How often learning was taken back because it diverged, and why. */
  get rollbacks(): readonly Rollback[] {
    return this.#guard.rollbacks;
  }

  /**
   * Makes `count` updates and gives the means of their metrics. Learning that diverges is taken back to its last good
   * state and goes on at a quarter of its rates ({@link rollbacks}); the metrics of that update are left out. Throws
   * INVALID_ARGUMENT without data to learn from, DIVERGED (naming the metric) where going back has not helped. On a GPU,
   * where metrics of several updates are fetched at once, divergence is found out after the last of these.
   */
  async update(count = 1): Promise<Metrics> {
    const { rows } = this.#agent;
    if ((rows.policy > 0 && this.#policy.size === 0) || (rows.expert > 0 && this.#expert.size === 0))
      throw new IqLearnError('INVALID_ARGUMENT', 'nothing to learn from', {
        found: `${this.#expert.size} expert and ${this.#policy.size} policy transitions`,
        expected: rows.policy > 0 && rows.expert > 0 ? 'some of both' : 'some',
        remedy: 'add demonstrations and transitions first',
      });
    const sums = new MetricMeans();
    for (let made = 0; made < count; ) {
      const batches = this.#batches.slice(0, count - made);
      this.#guard.before(this.#updates, () => this.#executable.readState());
      for (const [k, inputs] of batches.entries()) this.#fill(inputs, this.#updates + k + 1);
      const outputs = await this.#executable.runAll(batches);
      this.#updates += batches.length;
      made += batches.length;
      let wrong: string | undefined;
      for (let k = 0; k < batches.length && wrong === undefined; k++) {
        const metrics = Object.fromEntries(Object.entries(outputs.read(k)).map(([name, [value]]) => [name, value!]));
        wrong = this.#guard.after(metrics);
        if (wrong === undefined) sums.add(metrics);
      }
      if (wrong !== undefined) this.#executable.writeState(this.#guard.back(this.#updates, wrong));
    }
    return Object.fromEntries(Object.entries(sums.take()).map(([name, mean]) => [`train/${name}`, mean]));
  }

  /** Draws the batch of update `update`, from 1, and sets the coefficients of its optimisers. */
  #fill(inputs: Record<string, Float32Array | Uint8Array>, update: number): void {
    const { observationNoise, observationNoiseFloor } = this.config;
    const noise = observationNoise * linearFall(update, fallOf(this.config), observationNoiseFloor);
    const sources = { policy: this.#policy, expert: this.#expert, firstStates: this.#firstStates };
    fillBatch(inputs, this.#observation, this.#agent.rows, sources, this.#random, noise);
    for (const [input, coefficients] of Object.entries(this.#agent.adam)) {
      const { step, epsilon } = coefficients(update);
      inputs[input]![0] = step * this.#guard.rates;
      inputs[input]![1] = epsilon;
    }
  }

  /** The policy to deploy as it is now: its running average where the agent has one. A copy: later updates leave it. */
  policyFunction(): PolicyFunction {
    return this.#policyOf(this.#agent.deployed);
  }

  /**
   * The policy that acts while learning: the parameters themselves, never their running average. What the critic thinks
   * of the actor's latest actions is corrected only by seeing where they lead.
   */
  actingPolicy(): PolicyFunction {
    return this.#policyOf(this.#agent.acting ?? this.#agent.deployed);
  }

  #policyOf(entries: readonly string[]): PolicyFunction {
    const state = this.#executable.readState(entries);
    return this.#agent.policy(joinVectors(entries.map((entry) => state[entry] as Float32Array)), this.normalisation);
  }

  /**
   * Starts the actor from another policy of the same shape (behavioural cloning's). Call it before the first update, and
   * give the critic a head start by `actorDelay`. Throws UNSUPPORTED where the agent has no actor, MISMATCH where the
   * networks or the normalisation differ.
   */
  warmStart(policy: PolicyFunction): void {
    const { warmStart } = this.#agent;
    const state = this.#executable.readState();
    if (warmStart === undefined)
      throw new IqLearnError('UNSUPPORTED', `the agent ${this.config.agent} cannot start from a cloned policy`, {
        remedy: 'set warmStartUpdates to 0',
      });
    const own = this.policyFunction().constants;
    for (const name of ['observation_mean', 'observation_scale'])
      if (own[name]!.data.some((x, i) => x !== policy.constants[name]?.data[i]))
        throw new IqLearnError('MISMATCH', 'the policy to start from normalises its observations otherwise', {
          found: `another ${name}`,
          expected: "the learner's normalisation",
          remedy: 'clone the demonstrations with the normalisation of the learner',
        });
    const actor = policy.constants.actor?.data;
    if (actor === undefined || actor.length !== own.actor!.data.length)
      throw new IqLearnError('MISMATCH', 'the policy to start from has another network', {
        found: `${actor?.length ?? 'no'} actor parameters`,
        expected: `${own.actor!.data.length}`,
        remedy: 'use the same hidden sizes for both',
      });
    this.#executable.writeState(warmStart(state, actor));
  }

  /** A copy of networks, targets and moments by name. */
  parameters(): ArrayRecord {
    return this.#executable.readState();
  }

  /**
   * The recovered reward r(s, a, s′) = Q(s, a) − γ (1 − d) V(s′) along an episode (paper, Algorithm 2), with V as the mean
   * over `samples` actions of the policy. → [n]. Fit for comparisons and for use in the same dynamics only (paper §8).
   * Throws UNSUPPORTED where the agent recovers no reward.
   */
  async recoverRewards(episode: Episode, samples = 8): Promise<Float32Array> {
    const { reward, program } = this.#agent;
    if (reward === undefined)
      throw new IqLearnError('UNSUPPORTED', `the agent ${this.config.agent} recovers no reward`);
    if (this.#rewards?.samples !== samples) {
      await this.#rewards?.dispose();
      this.#rewards = await RewardModel.create(reward, program, this.#encoder, this.#actionSize, samples);
    }
    return this.#rewards.recover(
      this.#executable.readState(reward.entries),
      { ...episode, actions: this.#clipped(episode.actions) },
      this.normalisation,
      Random.derive(this.#options.seed, 'reward recovery'),
    );
  }

  /** The recovered reward as an ONNX file; see {@link exportReward}. Throws UNSUPPORTED where the agent recovers none. */
  exportReward(options: RewardExportOptions = {}): Promise<Uint8Array> {
    const { reward, program, actionClip } = this.#agent;
    if (reward === undefined)
      throw new IqLearnError('UNSUPPORTED', `the agent ${this.config.agent} recovers no reward`);
    const { observation, actionSize, normalisation, seed } = this.#options;
    const random = Random.derive(seed, 'reward recovery');
    const state = this.#executable.readState(reward.entries);
    return exportReward(
      { reward, program, state, observation, actionSize, actionClip, normalisation, random },
      options,
    );
  }

  /** The blocks of an observation. */
  get observation(): ObservationSpec {
    return this.#observation;
  }

  /** Dimensions of a continuous action, or the number of discrete ones. */
  get actionSize(): number {
    return this.#actionSize;
  }

  /** Whether actions are discrete: one-hot vectors. */
  get discrete(): boolean {
    return agentDefinition(this.config).actions === 'discrete';
  }

  /** Everything that `resume` needs to go on as if nothing had happened, bit for bit. */
  checkpoint(): Checkpoint {
    return encodeLearner({
      options: this.#options,
      updates: this.#updates,
      random: { sampling: this.#random.sampling.state, noise: this.#random.noise.state },
      state: this.#executable.readState(),
      expert: this.#expert.contents(),
      policy: this.#policy.contents(),
      firstStates: this.#firstStates,
      guard: this.#guard.save(),
    });
  }

  /** A learner that goes on where `checkpoint` was taken. Throws CORRUPT_DATA, MISMATCH. */
  static async resume(
    checkpoint: Checkpoint,
    options: Pick<LearnerOptions, 'device' | 'threads' | 'robots'> = {},
  ): Promise<Learner> {
    const saved = decodeLearner(checkpoint);
    const learner = await Learner.create({ ...saved.options, ...options });
    learner.#executable.writeState(saved.stateOf(Object.keys(learner.#executable.state)));
    learner.#expert.restore(saved.expert);
    learner.#policy.restore(saved.policy);
    learner.#random = {
      sampling: Random.fromState(saved.random.sampling),
      noise: Random.fromState(saved.random.noise),
    };
    learner.#updates = saved.updates;
    if (saved.guard !== undefined) learner.#guard.restore(saved.guard.meta, saved.guard.good);
    learner.#firstStates.push(...saved.firstStates);
    return learner;
  }

  async dispose(): Promise<void> {
    await this.#executable.dispose();
    await this.#rewards?.dispose();
  }
}

function allFinite(numbers: Float32Array): boolean {
  // Zero as long as every number is finite.
  let wrong = 0;
  for (let i = 0; i < numbers.length; i++) wrong += numbers[i]! - numbers[i]!;
  return wrong === 0;
}
