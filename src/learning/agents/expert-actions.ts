import * as tf from '@tensorflow/tfjs';
import { IqLearnError, type Random } from '../../common/index.js';
import type { ArrayRecord, TensorRecord, TensorSpec } from '../../engine/index.js';
import type { Agent, Spaces } from '../agent.js';
import { imageNumbers } from '../networks/convolution.js';
import { perceptron } from '../networks/mlp.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { adam, adamCoefficients } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';

/** The settings that say where the actions of the demonstrations come from. */
export interface ExpertActionSettings {
  readonly expertActions: 'shown' | 'policy' | 'inverse-dynamics';
  readonly inverseDynamicsLearningRate: number;
  readonly hiddenSizes: readonly number[];
  readonly online: boolean;
}

/** The one-hot vector of the largest entry of each row: [rows, n] → [rows, n], numbers. */
export const oneHotOfLargest = (x: tf.Tensor): tf.Tensor =>
  tf.cast(tf.oneHot(tf.argMax(x, -1) as tf.Tensor1D, x.shape[1]!), 'float32');

/** One update on a batch: the next state, and the metrics. */
type Update = (batch: TensorRecord) => { readonly state: TensorRecord; readonly outputs: TensorRecord };

/**
 * The actions of the demonstrations' rows, for learning from demonstrations whose actions nobody has seen:
 *
 * - `shown`: as they were recorded.
 * - `policy`: the policy's own, a ~ π(·|s_E) (Garg et al. 2021, §5.4). The next state of a row belongs to the action that
 *   was not seen, so the recovered reward of these rows is biased.
 * - `inverse-dynamics`: those that a model says led from s to s′ (Torabi et al. 2018; Al-Hafez et al. 2023 in this place).
 *   The model [s, s′ − s → hidden → a], in which images and their changes pass convolutions, is learned from the policy's own steps, whose actions are known, in the same update.
 */
export class ExpertActions {
  readonly #given: ExpertActionSettings;
  readonly #rows: Agent['rows'];
  readonly #layout: Layout;
  /** How many numbers of an observation, from its beginning, are images. */
  readonly #pixels: number;
  readonly #discrete: boolean;

  /** Throws INVALID_CONFIG where actions that were not shown are to be learned offline: only own steps tell of them. */
  constructor(given: ExpertActionSettings, spaces: Spaces, rows: Agent['rows'], discrete: boolean) {
    if (given.expertActions !== 'shown' && !given.online)
      throw new IqLearnError('INVALID_CONFIG', 'the actions of demonstrations cannot be found out offline', {
        found: `expertActions ${given.expertActions} with online false`,
        expected: 'steps of its own, whose actions the learner knows',
        remedy: 'set online to true, or expertActions to shown',
      });
    this.#given = given;
    this.#rows = rows;
    this.#discrete = discrete;
    const images = spaces.images ?? [];
    this.#pixels = imageNumbers(images);
    this.#layout = mlpLayout([2 * spaces.observation, ...given.hiddenSizes, spaces.action], 0, [...images, ...images]);
  }

  get #learned(): boolean {
    return this.#given.expertActions === 'inverse-dynamics';
  }

  /** Entries of the program's state: the model and Adam's moments. */
  get state(): Record<string, TensorSpec> {
    const flat: TensorSpec = { shape: [this.#layout.size], dtype: 'float32' };
    return this.#learned ? { inverse: flat, inverseM: flat, inverseV: flat } : {};
  }

  /** Inputs of the program beside the agent's own. */
  get inputs(): Record<string, TensorSpec> {
    return this.#learned ? { inverseAdam: { shape: [2], dtype: 'float32' } } : {};
  }

  get adam(): Agent['adam'] {
    const { inverseDynamicsLearningRate: rate } = this.#given;
    return this.#learned ? { inverseAdam: (t) => adamCoefficients(t, rate) } : {};
  }

  initialState(random: Random): ArrayRecord {
    if (!this.#learned) return {};
    const inverse = initialParameters(this.#layout, random);
    return { inverse, inverseM: new Float32Array(inverse.length), inverseV: new Float32Array(inverse.length) };
  }

  /**
   * An agent's update on a batch whose expert rows have the actions that stand for the expert's, with the step of the
   * model. `sampled` gives an action of the policy for every row. In the absorbing state every action is 0.
   */
  update(state: TensorRecord, batch: TensorRecord, sampled: () => tf.Tensor, update: Update): ReturnType<Update> {
    const { expertActions } = this.#given;
    if (expertActions === 'shown') return update(batch);
    if (expertActions === 'policy') return update({ ...batch, actions: this.#replaced(batch, sampled()) });
    const { next, parts, loss } = this.#learn(state, batch);
    const actions = this.#replaced(batch, this.#squashed(this.#infer(parts, batch)));
    const made = update({ ...batch, actions });
    return { state: { ...made.state, ...next }, outputs: { ...made.outputs, inverse_dynamics_loss: loss } };
  }

  /** The batch's actions with others in the expert's rows. */
  #replaced({ actions, absorbing }: TensorRecord, others: tf.Tensor): tf.Tensor {
    const { policy, expert } = this.#rows;
    const [own] = tf.split(actions!, [policy, expert], 0) as [tf.Tensor, tf.Tensor];
    const live = absorbing === undefined ? others : tf.mul(others, tf.sub(1, absorbing));
    return tf.concat([own, tf.split(live, [policy, expert], 0)[1]!], 0);
  }

  /** What the model says of every row before it is squashed: [rows, a]. */
  #infer(parts: readonly tf.Tensor[], { observations, nextObservations }: TensorRecord): tf.Tensor {
    const change = tf.sub(nextObservations!, observations!);
    const pixels = this.#pixels;
    const numbers = observations!.shape[1]! - pixels;
    if (pixels === 0 || numbers === 0) return perceptron(parts, tf.concat([observations!, change], 1));
    // Images come first, those of the change among them, for these pass convolutions of their own.
    const [seen, said] = tf.split(observations!, [pixels, numbers], 1) as [tf.Tensor, tf.Tensor];
    const [moved, changed] = tf.split(change, [pixels, numbers], 1) as [tf.Tensor, tf.Tensor];
    return perceptron(parts, tf.concat([seen, moved, said, changed], 1));
  }

  /** The action that the model means: in (−1, 1), or one-hot where actions are discrete. */
  #squashed(raw: tf.Tensor): tf.Tensor {
    return this.#discrete ? oneHotOfLargest(raw) : tf.tanh(raw);
  }

  /** The model's step on the policy's rows: the squared error, or the likelihood where actions are discrete. */
  #learn(state: TensorRecord, batch: TensorRecord) {
    const { policy, expert } = this.#rows;
    const own = (x: tf.Tensor): tf.Tensor => tf.split(x, [policy, expert], 0)[0]!;
    const actions = own(batch.actions!);
    const live = batch.absorbing === undefined ? tf.ones([policy, 1]) : tf.sub(1, own(batch.absorbing));
    const rows = { observations: own(batch.observations!), nextObservations: own(batch.nextObservations!) };
    const { gradients, values } = gradientsOf(splitParameters(state.inverse!, this.#layout), (parts) => {
      const raw = this.#infer(parts, rows);
      const each = this.#discrete
        ? tf.neg(tf.sum(tf.mul(tf.logSoftmax(raw), actions), 1, true))
        : tf.mean(tf.square(tf.sub(tf.tanh(raw), actions)), 1, true);
      return { loss: tf.mean(tf.mul(each, live)) };
    });
    const updated = adam(
      { parameters: state.inverse!, m: state.inverseM!, v: state.inverseV! },
      joinParameters(gradients),
      batch.inverseAdam!,
    );
    return {
      next: { inverse: updated.parameters, inverseM: updated.m, inverseV: updated.v },
      parts: splitParameters(updated.parameters, this.#layout),
      loss: values.loss,
    };
  }
}
