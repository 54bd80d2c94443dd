import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { Random } from '../../common/index.js';
import type { ArrayRecord, TensorRecord, TensorSpec } from '../../engine/index.js';
import type { Agent, RewardFunction, Spaces } from '../agent.js';
import type { Absorbing } from '../losses/absorbing.js';
import { gradientPenalty } from '../losses/gradient-penalty.js';
import { allActionValues, overCritics, softMaximum } from '../networks/critics.js';
import { perceptron } from '../networks/mlp.js';
import { initialParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { softQPolicy } from '../networks/policies.js';
import { adamCoefficients } from '../optimiser/adam.js';
import { polyak } from '../optimiser/polyak.js';
import { type Fall, linearFall } from '../optimiser/schedules.js';
import { halves, matrix } from './actor-critic.js';
import { clipped, criticStep, discounted } from './critic-step.js';
import { oneHotOfLargest } from './expert-actions.js';
import type { criticAveragingSetting, criticSettings, networkSettings, temperatureSetting } from './shared-settings.js';

/** The settings of the networks and the optimiser of soft Q-learning, whatever its critic learns from. */
export type SoftQSettings = z.output<
  z.ZodObject<
    typeof networkSettings & typeof criticSettings & typeof temperatureSetting & typeof criticAveragingSetting
  >
>;

type Parts = readonly tf.Tensor[];

/** Q(s, a) of the one-hot actions: [critics, rows, n] and [rows, n] → [critics, rows, 1]. */
const chosen = (all: tf.Tensor, actions: tf.Tensor): tf.Tensor =>
  tf.sum(tf.mul(all, tf.expandDims(actions, 0)), -1, true);

/**
 * V(s) of Q(s, ·): the soft maximum, or in the absorbing state Q of the first action, for there is nothing to choose.
 * [critics, rows, n] and 1 for absorbing rows [rows, 1] → [critics, rows, 1].
 */
function softValue(all: tf.Tensor, temperature: number, absorbing: tf.Tensor | undefined): tf.Tensor {
  const v = softMaximum(all, temperature);
  if (absorbing === undefined) return v;
  const flag = tf.expandDims(absorbing, 0);
  const [first] = tf.split(all, [1, all.shape[2]! - 1], 2) as [tf.Tensor, tf.Tensor];
  return tf.add(tf.mul(v, tf.sub(1, flag)), tf.mul(first, flag));
}

/** What the critics see of states: with one more entry where the absorbing state is learned, all others 0 in it. */
const entriesOf = (observations: tf.Tensor, absorbing: tf.Tensor | undefined): tf.Tensor =>
  absorbing === undefined ? observations : tf.concat([tf.mul(observations, tf.sub(1, absorbing)), absorbing], 1);

/**
 * What all agents with soft Q-learning for discrete actions have in common: stacked critics Q(s, ·), from which the
 * policy softmax(Q/T) and the value V(s) = T log Σ_a exp(Q(s, a)/T) follow, the critics' update, and the bookkeeping of
 * state. There is no actor. What the critics learn from is each agent's own.
 */
export class SoftQCritic {
  readonly #settings: SoftQSettings;
  readonly #spaces: Spaces;
  readonly #layout: Layout;
  readonly #absorbing: Absorbing;

  /** Critics [o (+ 1) → hidden → actions], stacked, with one more entry where the absorbing state is learned. */
  constructor(settings: SoftQSettings, spaces: Spaces, absorbing: Absorbing = { value: 0 }) {
    this.#settings = settings;
    this.#spaces = spaces;
    this.#absorbing = absorbing;
    const entries = spaces.observation + (absorbing === 'learned' ? 1 : 0);
    this.#layout = mlpLayout([entries, ...settings.hiddenSizes, spaces.action], settings.critics, spaces.images);
  }

  /** The program's state: flat vectors of parameters and Adam's moments. */
  get state(): Record<string, TensorSpec> {
    const flat: TensorSpec = { shape: [this.#layout.size], dtype: 'float32' };
    return Object.fromEntries(['critic', 'criticM', 'criticV', ...this.#copies].map((name) => [name, flat]));
  }

  /** The program's inputs for a batch of `rows` rows. */
  inputs(rows: number): Record<string, TensorSpec> {
    const { observation, action } = this.#spaces;
    return {
      observations: matrix(rows, observation),
      actions: matrix(rows, action),
      nextObservations: matrix(rows, observation),
      continues: matrix(rows, 1),
      ...(this.#absorbing === 'learned' ? { absorbing: matrix(rows, 1) } : {}),
      criticAdam: { shape: [2], dtype: 'float32' },
    };
  }

  /** The entries of the state that are moving copies of the critics. */
  get #copies(): string[] {
    const { targetNetwork, criticAveraging } = this.#settings;
    return [...(targetNetwork ? ['target'] : []), ...(criticAveraging > 0 ? ['average'] : [])];
  }

  /** The parts of an {@link Agent} that follow from the critics alone. */
  agent(fall: Fall): Pick<Agent, 'adam' | 'initialState' | 'deployed' | 'acting' | 'policy'> {
    const { criticLearningRate, learningRateFloor, beta1, criticAveraging, temperature } = this.#settings;
    return {
      adam: {
        criticAdam: (t) => adamCoefficients(t, criticLearningRate * linearFall(t, fall, learningRateFloor), beta1),
      },
      initialState: (random) => this.#initialState(random),
      deployed: [criticAveraging > 0 ? 'average' : 'critic'],
      acting: ['critic'],
      policy: (parameters, normalisation) =>
        softQPolicy({
          layout: this.#layout,
          parameters,
          absorbingEntry: this.#absorbing === 'learned',
          form: this.#settings,
          temperature,
          normalisation,
          actions: this.#spaces.action,
        }),
    };
  }

  #initialState(random: Random): ArrayRecord {
    const critic = initialParameters(this.#layout, random);
    return {
      critic,
      criticM: new Float32Array(critic.length),
      criticV: new Float32Array(critic.length),
      ...Object.fromEntries(this.#copies.map((name) => [name, critic.slice()])),
    };
  }

  /** Q(s, a) and V(s) of a batch's rows, each [critics, rows, 1]. */
  values(parts: Parts, { observations, actions, absorbing }: TensorRecord) {
    const all = allActionValues(parts, this.#settings, entriesOf(observations!, absorbing));
    return { q: chosen(all, actions!), v: softValue(all, this.#settings.temperature, absorbing) };
  }

  /** One action of softmax(Q/T) for every row, one-hot: the largest of Q/T + `gumbel`, of the mean of the critics. */
  sample(flat: tf.Tensor, { observations, absorbing, gumbel }: TensorRecord): tf.Tensor {
    const all = allActionValues(this.criticOf(flat), this.#settings, entriesOf(observations!, absorbing));
    const preferences = tf.add(tf.div(tf.mean(all, 0), this.#settings.temperature), gumbel!);
    return oneHotOfLargest(preferences);
  }

  /** V(s₀) of states that are certainly not absorbing, [critics, rows, 1]. */
  valueOf(parts: Parts, observations: tf.Tensor): tf.Tensor {
    const flag = this.#absorbing === 'learned' ? tf.zeros([observations.shape[0]!, 1]) : undefined;
    const all = allActionValues(parts, this.#settings, entriesOf(observations, flag));
    return softMaximum(all, this.#settings.temperature);
  }

  /**
   * The critics' step. `loss` is given their parameters and y = γ (1 − d) V(s′), [rows, 1], whose V is one value of all
   * target critics, or of the critics themselves (then the gradient flows through y, too), clipped to ±`bound`. After a
   * true terminal (d = 1) the value of the absorbing state takes the place of V(s′).
   */
  update<Aux extends Readonly<Record<string, tf.Tensor>>>(
    state: TensorRecord,
    batch: TensorRecord,
    bound: number,
    loss: (critic: Parts, y: tf.Tensor) => { readonly loss: tf.Tensor } & Aux,
  ): { readonly next: Record<string, tf.Tensor>; readonly values: { loss: tf.Tensor } & Aux } {
    const { criticAveraging } = this.#settings;
    const y = (parts: Parts): tf.Tensor => this.#discounted(parts, batch, bound);
    const { next, parameters, values } = criticStep(this.#layout, this.#settings, state, batch.criticAdam!, y, loss);
    if (criticAveraging > 0) next.average = polyak(state.average!, parameters, criticAveraging);
    return { next, values };
  }

  /** y = γ (1 − d) V(s′) of a batch's rows, [rows, 1]. */
  #discounted(parts: Parts, { nextObservations, continues }: TensorRecord, bound: number): tf.Tensor {
    const { gamma, temperature } = this.#settings;
    const next = this.#absorbing === 'learned' ? tf.sub(1, continues!) : undefined;
    const all = allActionValues(parts, this.#settings, entriesOf(nextObservations!, next));
    const v = overCritics(clipped(softValue(all, temperature, next), bound), this.#settings);
    return discounted(v, continues!, gamma, this.#absorbing);
  }

  /** The gradient penalty of V on states between expert rows and policy rows of a batch; see gradient-penalty.ts. */
  penalty(parts: Parts, { observations, absorbing }: TensorRecord, mixing: tf.Tensor): tf.Tensor {
    const { critics, layerNorm, temperature } = this.#settings;
    const [policy, expert] = halves(entriesOf(observations!, absorbing), mixing.shape[0]!);
    const v = (x: tf.Tensor): tf.Tensor => softMaximum(perceptron(parts, x, layerNorm), temperature);
    return gradientPenalty(v, critics, expert, policy, mixing);
  }

  criticOf(flat: tf.Tensor): Parts {
    return splitParameters(flat, this.#layout);
  }

  /** The recovered reward r(s, a, s′) = Q(s, a) − γ (1 − d) V(s′). */
  reward(): RewardFunction {
    return {
      entries: ['critic'],
      recover: (state, { observations, actions, nextObservations, continues }) => {
        const critic = this.criticOf(state.critic!);
        const absorbing = this.#absorbing === 'learned' ? tf.zeros([observations.shape[0]!, 1]) : undefined;
        const { q } = this.values(critic, { observations, actions, ...(absorbing === undefined ? {} : { absorbing }) });
        const y = this.#discounted(critic, { nextObservations, continues }, Number.POSITIVE_INFINITY);
        return tf.sub(overCritics(q, this.#settings), y);
      },
    };
  }
}
