// Longer than 300 lines: everything that SAC and IQ-Learn have in common is read here in one place, so that the two
// agents' files differ in what is their own.
import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { Random } from '../../common/index.js';
import type { ArrayRecord, TensorRecord, TensorSpec } from '../../engine/index.js';
import type { Agent, RewardFunction, Spaces } from '../agent.js';
import type { Absorbing } from '../losses/absorbing.js';
import { actorLoss, cloningLoss, entropyOf } from '../losses/actor.js';
import { gradientPenalty } from '../losses/gradient-penalty.js';
import { type Rows, rowsOf } from '../losses/rows.js';
import { temperatureGradient } from '../losses/temperature.js';
import { actionValues, overCritics } from '../networks/critics.js';
import { perceptron } from '../networks/mlp.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { gaussianPolicy } from '../networks/policies.js';
import { type Gaussian, policyGaussian, type Sample, sampleAction } from '../networks/squashed-gaussian.js';
import { adam, adamCoefficients } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import { polyak } from '../optimiser/polyak.js';
import { type Fall, linearFall } from '../optimiser/schedules.js';
import { criticStep, discounted } from './critic-step.js';
import type { actorSettings, criticSettings, gaussianSettings, networkSettings } from './shared-settings.js';

/** The settings of SAC's networks and optimisers, whatever its critic learns from. */
export type ActorCriticSettings = z.output<
  z.ZodObject<typeof networkSettings & typeof gaussianSettings & typeof criticSettings & typeof actorSettings>
>;

type Parts = readonly tf.Tensor[];

/** Rows of states: observations [rows, o], and where the absorbing state is learned, 1 for the rows that are in it. */
export interface States {
  readonly observations: tf.Tensor;
  /** [rows, 1]. */
  readonly absorbing?: tf.Tensor;
}

/** States in which V is taken, with one action of the policy in each. */
export interface Valued {
  readonly states: States;
  readonly sample: Sample;
}

const vector = (size: number): TensorSpec => ({ shape: [size], dtype: 'float32' });
export const matrix = (rows: number, columns: number): TensorSpec => ({ shape: [rows, columns], dtype: 'float32' });

/** What the critics see of states: observations, and the entry that says whether they are absorbing. */
export const entriesOf = ({ observations, absorbing }: States): tf.Tensor =>
  absorbing === undefined ? observations : tf.concat([observations, absorbing], 1);

/**
 * Policy rows and as many expert rows of a batch; where there are no policy rows (offline), the expert's in the place of
 * both, moved on by one row, so that points between demonstrations are taken.
 */
export function halves(rows: tf.Tensor, expertRows: number): [tf.Tensor, tf.Tensor] {
  const policyRows = rows.shape[0]! - expertRows;
  if (policyRows > 0) return tf.split(rows, [policyRows, expertRows], 0) as [tf.Tensor, tf.Tensor];
  if (expertRows === 1) return [rows, rows];
  const [first, rest] = tf.split(rows, [1, expertRows - 1], 0) as [tf.Tensor, tf.Tensor];
  return [tf.concat([rest, first], 0), rows];
}

/**
 * Entropy of each dimension of the action below which a policy has collapsed: every action lies so near a limit
 * (|tanh⁻¹ a| > 6, with the smallest deviation) that the actor has no gradient left. Demonstrators that often drive at
 * the limits give −2 to −8.
 */
const COLLAPSED = -15;

/**
 * What SAC and IQ-Learn with SAC have in common: a squashed Gaussian actor, stacked critics, the actor's and the
 * temperature's updates, and the bookkeeping of state. The critic's update is each agent's own.
 */
export class ActorCritic {
  readonly #settings: ActorCriticSettings;
  readonly #spaces: Spaces;
  readonly #actor: Layout;
  readonly #critic: Layout;
  readonly #absorbing: Absorbing;

  /**
   * Actor [o → hidden → 2a] (mean, then log σ before it is squashed); critics [o (+ 1) + a → hidden → 1], stacked, with
   * one more entry where the absorbing state is learned.
   */
  constructor(settings: ActorCriticSettings, spaces: Spaces, absorbing: Absorbing = { value: 0 }) {
    const { observation, action, images } = spaces;
    this.#absorbing = absorbing;
    const state = observation + (absorbing === 'learned' ? 1 : 0);
    this.#settings = settings;
    this.#spaces = spaces;
    this.#actor = mlpLayout([observation, ...settings.hiddenSizes, 2 * action], 0, images);
    this.#critic = mlpLayout([state + action, ...settings.hiddenSizes, 1], settings.critics, images);
  }

  /** The program's state: flat vectors of parameters and Adam's moments. */
  get state(): Record<string, TensorSpec> {
    const { targetNetwork, learnTemperature, actorAveraging } = this.#settings;
    const [actor, critic] = [vector(this.#actor.size), vector(this.#critic.size)];
    return {
      actor,
      actorM: actor,
      actorV: actor,
      critic,
      criticM: critic,
      criticV: critic,
      ...(targetNetwork ? { target: critic } : {}),
      ...(learnTemperature ? { temperature: vector(1), temperatureMoments: vector(2) } : {}),
      ...(actorAveraging > 0 ? { average: actor } : {}),
    };
  }

  initialState(random: Random): ArrayRecord {
    const { targetNetwork, learnTemperature, temperature, actorAveraging } = this.#settings;
    const actor = initialParameters(this.#actor, random);
    const critic = initialParameters(this.#critic, random);
    return {
      actor,
      actorM: new Float32Array(actor.length),
      actorV: new Float32Array(actor.length),
      critic,
      criticM: new Float32Array(critic.length),
      criticV: new Float32Array(critic.length),
      ...(targetNetwork ? { target: critic.slice() } : {}),
      ...(learnTemperature
        ? { temperature: Float32Array.of(Math.log(temperature)), temperatureMoments: new Float32Array(2) }
        : {}),
      ...(actorAveraging > 0 ? { average: actor.slice() } : {}),
    };
  }

  /** The program's inputs that both algorithms have, for a batch of `rows` rows. */
  inputs(rows: number): Record<string, TensorSpec> {
    const { observation, action } = this.#spaces;
    return {
      observations: matrix(rows, observation),
      actions: matrix(rows, action),
      nextObservations: matrix(rows, observation),
      continues: matrix(rows, 1),
      ...(this.#absorbing === 'learned' ? { absorbing: matrix(rows, 1) } : {}),
      noise: matrix(rows, action),
      nextNoise: matrix(rows, action),
      criticAdam: vector(2),
      actorAdam: vector(2),
      ...(this.#settings.learnTemperature ? { temperatureAdam: vector(2) } : {}),
    };
  }

  /** Adam's coefficients by the program's input; the actor's rate is 0 until the critic has had its head start. */
  coefficients(fall: Fall): Agent['adam'] {
    const { actorLearningRate, criticLearningRate, temperatureLearningRate, beta1 } = this.#settings;
    const { actorDelay, learningRateFloor, learnTemperature } = this.#settings;
    const factor = (update: number): number => linearFall(update, fall, learningRateFloor);
    return {
      criticAdam: (t) => adamCoefficients(t, criticLearningRate * factor(t), beta1),
      actorAdam: (t) => adamCoefficients(t, t > actorDelay ? actorLearningRate * factor(t) : 0, beta1),
      ...(learnTemperature ? { temperatureAdam: (t) => adamCoefficients(t, temperatureLearningRate, beta1) } : {}),
    };
  }

  /** The states in which a batch's actions were taken. */
  statesOf({ observations, absorbing }: TensorRecord): States {
    return this.#states(observations!, absorbing);
  }

  /** The states that a batch's actions led to: a true terminal leads to the absorbing state. */
  nextStatesOf({ nextObservations, continues }: TensorRecord): States {
    return this.#states(nextObservations!, this.#absorbing === 'learned' ? tf.sub(1, continues!) : undefined);
  }

  /** States that are certainly not absorbing. */
  liveStates(observations: tf.Tensor): States {
    return this.#states(
      observations,
      this.#absorbing === 'learned' ? tf.zeros([observations.shape[0]!, 1]) : undefined,
    );
  }

  #states(observations: tf.Tensor, absorbing: tf.Tensor | undefined): States {
    if (absorbing === undefined) return { observations };
    return { observations: tf.mul(observations, tf.sub(1, absorbing)), absorbing };
  }

  /** T as a tensor [1]. */
  temperature(state: TensorRecord): tf.Tensor {
    const { learnTemperature, temperature } = this.#settings;
    return learnTemperature ? tf.exp(state.temperature!) : tf.tensor1d([temperature]);
  }

  /** One action of the actor for every state, with its log-probability; in the absorbing state both are 0. */
  sample(actor: Parts, states: States, noise: tf.Tensor): Sample {
    return this.#sampleOf(this.#gaussian(actor, states), states, noise);
  }

  #gaussian(actor: Parts, { observations }: States): Gaussian {
    return policyGaussian(actor, observations, this.#settings.logStdRange);
  }

  #sampleOf(gaussian: Gaussian, { absorbing }: States, noise: tf.Tensor): Sample {
    const sample = sampleAction(gaussian, noise);
    if (absorbing === undefined) return sample;
    const live = tf.sub(1, absorbing);
    return { action: tf.mul(sample.action, live), logProbability: tf.mul(sample.logProbability, live) };
  }

  actorOf(flat: tf.Tensor): Parts {
    return splitParameters(flat, this.#actor);
  }

  criticOf(flat: tf.Tensor): Parts {
    return splitParameters(flat, this.#critic);
  }

  /** Q of states and actions, [critics, rows, 1]. */
  values(critic: Parts, states: States, actions: tf.Tensor): tf.Tensor {
    return actionValues(critic, this.#settings, entriesOf(states), actions);
  }

  /** V(s) = Q(s, ã) − T log π(ã|s) with one action ã of the policy and one value of all critics, [rows, 1]. */
  softValue(critic: Parts, states: States, { action, logProbability }: Sample, T: tf.Tensor): tf.Tensor {
    return tf.sub(overCritics(this.values(critic, states, action), this.#settings), tf.mul(logProbability, T));
  }

  /**
   * The states of a value term and one action of the policy in each: the initial ones where the batch has them, else
   * these rows of its own. The actions are those that the actor's step takes in all of its states, sampled once.
   */
  valued(actor: Parts, batch: TensorRecord, rows: Rows): Valued {
    const { initialObservations, initialNoise, noise } = batch as Readonly<Record<string, tf.Tensor | undefined>>;
    if (initialObservations !== undefined) {
      const states = this.liveStates(initialObservations);
      return { states, sample: this.sample(actor, states, initialNoise!) };
    }
    const states = this.statesOf(batch);
    const { observations, absorbing } = states;
    const { action, logProbability } = this.sample(actor, states, noise!);
    const some = (x: tf.Tensor): tf.Tensor => rowsOf(x, rows, 0);
    return {
      states: { observations: some(observations), ...(absorbing && { absorbing: some(absorbing) }) },
      sample: { action: some(action), logProbability: some(logProbability) },
    };
  }

  /** Q(s, a) and V(s̃) = Q(s̃, ã) − T log π(ã|s̃) in one pass of the critics; each critic keeps its own. */
  valuesWithSoft(
    critic: Parts,
    states: States,
    actions: tf.Tensor,
    { states: valued, sample: { action, logProbability } }: Valued,
    temperature: tf.Tensor,
  ): { readonly q: tf.Tensor; readonly v: tf.Tensor } {
    const both = actionValues(
      critic,
      this.#settings,
      tf.concat([entriesOf(states), entriesOf(valued)], 0),
      tf.concat([actions, action], 0),
    );
    const [q, fresh] = tf.split(both, [actions.shape[0]!, action.shape[0]!], 1) as [tf.Tensor, tf.Tensor];
    return { q, v: tf.sub(fresh, tf.mul(tf.expandDims(logProbability, 0), temperature)) };
  }

  /**
   * The critic's step. `loss` is given the critic's parameters and y = γ (1 − d) V(s′), whose V comes from `bootstrap`:
   * of the target critic, or of the critic itself (then the gradient flows through y, too). After a true terminal
   * (d = 1) the value of the absorbing state takes the place of V(s′).
   */
  updateCritic<Aux extends Readonly<Record<string, tf.Tensor>>>(
    state: TensorRecord,
    inputs: TensorRecord,
    bootstrap: (critic: Parts) => tf.Tensor,
    loss: (critic: Parts, y: tf.Tensor) => { readonly loss: tf.Tensor } & Aux,
  ): { readonly next: Record<string, tf.Tensor>; readonly parts: Parts; readonly values: { loss: tf.Tensor } & Aux } {
    const y = (critic: Parts): tf.Tensor => this.#discounted(bootstrap(critic), inputs.continues!);
    const step = criticStep(this.#critic, this.#settings, state, inputs.criticAdam!, y, loss);
    return { next: step.next, parts: this.criticOf(step.parameters), values: step.values };
  }

  #discounted(v: tf.Tensor, continues: tf.Tensor): tf.Tensor {
    return discounted(v, continues, this.#settings.gamma, this.#absorbing);
  }

  /** The gradient penalty of Q on points (s, a) between expert rows and policy rows of a batch; see gradient-penalty.ts. */
  penalty(critic: Parts, states: States, actions: tf.Tensor, mixing: tf.Tensor): tf.Tensor {
    const { critics, layerNorm } = this.#settings;
    const inputs = tf.concat([entriesOf(states), actions], 1);
    const [policy, expert] = halves(inputs, mixing.shape[0]!);
    return gradientPenalty((x) => perceptron(critic, x, layerNorm), critics, expert, policy, mixing);
  }

  /**
   * The actor's step: min E[T log π(ã|s) − Q(s, ã)] over all rows but absorbing ones, Q of the updated critic. With
   * `shown`, the error of the policy's mean action in these rows, in which a demonstrator acted, is added by its weight.
   */
  updateActor(
    state: TensorRecord,
    inputs: TensorRecord,
    critic: Parts,
    temperature: tf.Tensor,
    shown?: { readonly rows: Rows; readonly weight: number },
  ) {
    const states = this.statesOf(inputs);
    const live = states.absorbing && tf.sub(1, states.absorbing);
    const { beta1 } = this.#settings;
    const { gradients, values } = gradientsOf(this.actorOf(state.actor!), (actor) => {
      const gaussian = this.#gaussian(actor, states);
      const { action, logProbability } = this.#sampleOf(gaussian, states, inputs.noise!);
      const q = overCritics(this.values(critic, states, action), this.#settings);
      const soft = actorLoss(logProbability, q, temperature, live);
      const entropy = entropyOf(logProbability, live);
      if (shown === undefined) return { loss: soft, entropy };
      const some = (x: tf.Tensor): tf.Tensor => rowsOf(x, shown.rows, 0);
      const cloning = cloningLoss(some(gaussian.mean), some(inputs.actions!), live && some(live));
      return { loss: tf.add(soft, tf.mul(cloning, shown.weight)), entropy };
    });
    const { parameters, m, v } = adam(
      { parameters: state.actor!, m: state.actorM!, v: state.actorV! },
      joinParameters(gradients),
      inputs.actorAdam!,
      beta1,
    );
    const rate = this.#settings.actorAveraging;
    const next: Record<string, tf.Tensor> = { actor: parameters, actorM: m, actorV: v };
    if (rate > 0) next.average = polyak(state.average!, parameters, rate);
    return { next, values };
  }

  /** The step of a learned temperature towards the target entropy; nothing where it is fixed. */
  updateTemperature(state: TensorRecord, inputs: TensorRecord, temperature: tf.Tensor, entropy: tf.Tensor) {
    const next: Record<string, tf.Tensor> = {};
    const { learnTemperature, beta1 } = this.#settings;
    if (!learnTemperature) return next;
    const target = this.#settings.targetEntropy ?? -this.#spaces.action;
    const [m, v] = tf.split(state.temperatureMoments as tf.Tensor1D, 2) as [tf.Tensor, tf.Tensor];
    const gradient = temperatureGradient(temperature, entropy, target);
    const updated = adam({ parameters: state.temperature!, m, v }, gradient, inputs.temperatureAdam!, beta1);
    next.temperature = updated.parameters;
    next.temperatureMoments = tf.concat1d([updated.m as tf.Tensor1D, updated.v as tf.Tensor1D]);
    return next;
  }

  /** The parts of an {@link Agent} that follow from the networks alone. */
  agent(): Pick<Agent, 'actionClip' | 'initialState' | 'limits' | 'deployed' | 'acting' | 'policy' | 'warmStart'> {
    const { actorAveraging, actionClip, logStdRange } = this.#settings;
    return {
      actionClip,
      limits: { entropy: [COLLAPSED * this.#spaces.action, Number.POSITIVE_INFINITY] },
      initialState: (random) => this.initialState(random),
      deployed: [actorAveraging > 0 ? 'average' : 'actor'],
      acting: ['actor'],
      policy: (parameters, normalisation) =>
        gaussianPolicy({
          layout: this.#actor,
          parameters,
          normalisation,
          logStdRange,
          actionSize: this.#spaces.action,
        }),
      warmStart: (state, actor) => ({
        ...state,
        actor,
        ...(state.average === undefined ? {} : { average: actor }),
      }),
    };
  }

  /** The recovered reward r(s, a, s′) = Q(s, a) − γ (1 − d) V(s′), with the temperature as it is in the state. */
  reward(): RewardFunction {
    const { learnTemperature } = this.#settings;
    return {
      entries: ['actor', 'critic', ...(learnTemperature ? ['temperature'] : [])],
      recover: (state, { observations, actions, nextObservations, continues, noise }, samples) => {
        const rows = observations.shape[0]!;
        const critic = this.criticOf(state.critic!);
        const q = overCritics(this.values(critic, this.liveStates(observations), actions), this.#settings);
        const repeated = this.nextStatesOf({
          nextObservations: tf.tile(nextObservations, [samples, 1]),
          continues: tf.tile(continues, [samples, 1]),
        });
        const next = this.sample(this.actorOf(state.actor!), repeated, noise);
        const values = this.softValue(critic, repeated, next, this.temperature(state));
        const v = tf.reshape(tf.mean(tf.reshape(values, [samples, rows]), 0), [rows, 1]);
        return tf.sub(q, this.#discounted(v, continues));
      },
    };
  }
}
