import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import { blockInputs, type Random } from '../../common/index.js';
import type { ArrayRecord, TensorRecord, TensorSpec } from '../../engine/index.js';
import type { Agent, RewardFunction, Spaces } from '../agent.js';
import { actorLoss, entropyOf } from '../losses/actor.js';
import { temperatureGradient } from '../losses/temperature.js';
import { actionValues, smallest } from '../networks/critics.js';
import { type Blocks, concatBlocks, ObservationEncoder } from '../networks/encoders.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { gaussianPolicy } from '../networks/policies.js';
import { policyGaussian, type Sample, sampleAction } from '../networks/squashed-gaussian.js';
import { adam } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import { polyak } from '../optimiser/polyak.js';
import { linearFall } from '../optimiser/schedules.js';
import type { actorSettings, criticSettings, gaussianSettings, networkSettings } from './shared-settings.js';

/** The settings of SAC's networks and optimisers, whatever its critic learns from. */
export type ActorCriticSettings = z.output<
  z.ZodObject<typeof networkSettings & typeof gaussianSettings & typeof criticSettings & typeof actorSettings>
>;

type Parts = readonly tf.Tensor[];

const vector = (size: number): TensorSpec => ({ shape: [size], dtype: 'float32' });
export const matrix = (rows: number, columns: number): TensorSpec => ({ shape: [rows, columns], dtype: 'float32' });

/**
 * What SAC and IQ-Learn with SAC have in common: a squashed Gaussian actor, stacked critics, the actor's and the
 * temperature's updates, and the bookkeeping of state. The critic's update is each agent's own.
 */
export class ActorCritic {
  readonly #settings: ActorCriticSettings;
  readonly #spaces: Spaces;
  readonly #encoder: ObservationEncoder;
  readonly #actor: Layout;
  readonly #critic: Layout;

  /** Actor [o → hidden → 2a] (mean, then log σ before it is squashed); critics [o + a → hidden → 1], stacked. */
  constructor(settings: ActorCriticSettings, spaces: Spaces) {
    const { action } = spaces;
    const encoder = new ObservationEncoder(spaces.observation);
    this.#encoder = encoder;
    this.#settings = settings;
    this.#spaces = spaces;
    this.#actor = encoder.layout(mlpLayout([encoder.width, ...settings.hiddenSizes, 2 * action]));
    this.#critic = encoder.layout(mlpLayout([encoder.width + action, ...settings.hiddenSizes, 1], settings.critics));
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
      ...blockInputs('observations', observation, rows),
      actions: matrix(rows, action),
      ...blockInputs('nextObservations', observation, rows),
      continues: matrix(rows, 1),
      noise: matrix(rows, action),
      nextNoise: matrix(rows, action),
      criticAdam: vector(2),
      actorAdam: vector(2),
      ...(this.#settings.learnTemperature ? { temperatureAdam: vector(2) } : {}),
    };
  }

  /** Learning rates by the program's input; the actor's is 0 until the critic has had its head start. */
  learningRates(horizon: number): Agent['learningRates'] {
    const { actorLearningRate, criticLearningRate, temperatureLearningRate } = this.#settings;
    const { actorDelay, learningRateFloor } = this.#settings;
    const fall = (update: number): number => linearFall(update, horizon, learningRateFloor);
    return {
      criticAdam: (update) => criticLearningRate * fall(update),
      actorAdam: (update) => (update > actorDelay ? actorLearningRate * fall(update) : 0),
      ...(this.#settings.learnTemperature ? { temperatureAdam: () => temperatureLearningRate } : {}),
    };
  }

  /** T as a tensor [1]. */
  temperature(state: TensorRecord): tf.Tensor {
    const { learnTemperature, temperature } = this.#settings;
    return learnTemperature ? tf.exp(state.temperature!) : tf.tensor1d([temperature]);
  }

  /** One action of the actor for every observation, with its log-probability. */
  sample(actor: Parts, observations: Blocks, noise: tf.Tensor): Sample {
    const { features, rest } = this.#encoder.encode(actor, observations);
    return sampleAction(policyGaussian(rest, features, this.#settings.logStdRange), noise);
  }

  /** The blocks of observations among the inputs of the program. */
  blocks(prefix: string, inputs: TensorRecord): Blocks {
    return this.#encoder.blocks(prefix, inputs);
  }

  actorOf(flat: tf.Tensor): Parts {
    return splitParameters(flat, this.#actor);
  }

  criticOf(flat: tf.Tensor): Parts {
    return splitParameters(flat, this.#critic);
  }

  /** Q of observations and actions, [critics, rows, 1]. */
  values(critic: Parts, observations: Blocks, actions: tf.Tensor): tf.Tensor {
    const { features, rest } = this.#encoder.encode(critic, observations);
    return actionValues(rest, this.#settings.critics, features, actions);
  }

  /** V(s) = Q(s, ã) − T log π(ã|s) with one action ã of the policy and the smallest of the critics' values, [rows, 1]. */
  softValue(critic: Parts, observations: Blocks, { action, logProbability }: Sample, T: tf.Tensor): tf.Tensor {
    return tf.sub(smallest(this.values(critic, observations, action)), tf.mul(logProbability, T));
  }

  /** Q(s, a) and V(s̃) = Q(s̃, ã) − T log π(ã|s̃) in one pass of the critics; each critic keeps its own. */
  valuesWithSoft(
    critic: Parts,
    observations: Blocks,
    actions: tf.Tensor,
    states: Blocks,
    { action, logProbability }: Sample,
    temperature: tf.Tensor,
  ): { readonly q: tf.Tensor; readonly v: tf.Tensor } {
    const both = this.values(critic, concatBlocks(observations, states), tf.concat([actions, action], 0));
    const [q, fresh] = tf.split(both, [actions.shape[0]!, action.shape[0]!], 1) as [tf.Tensor, tf.Tensor];
    return { q, v: tf.sub(fresh, tf.mul(tf.expandDims(logProbability, 0), temperature)) };
  }

  /**
   * The critic's step. `loss` is given the critic's parameters and y = γ (1 − d) V(s′), whose V comes from `bootstrap`:
   * of the target critic, or of the critic itself (then the gradient flows through y, too).
   */
  updateCritic<Aux extends Readonly<Record<string, tf.Tensor>>>(
    state: TensorRecord,
    inputs: TensorRecord,
    bootstrap: (critic: Parts) => tf.Tensor,
    loss: (critic: Parts, y: tf.Tensor) => { readonly loss: tf.Tensor } & Aux,
  ): { readonly next: Record<string, tf.Tensor>; readonly parts: Parts; readonly values: { loss: tf.Tensor } & Aux } {
    const { targetNetwork, gamma, tau } = this.#settings;
    const discounts = tf.mul(inputs.continues!, gamma);
    const y = (critic: Parts): tf.Tensor => tf.mul(discounts, bootstrap(critic));
    const target = targetNetwork ? y(this.criticOf(state.target!)) : undefined;
    const { gradients, values } = gradientsOf(this.criticOf(state.critic!), (parts) => loss(parts, target ?? y(parts)));
    const { parameters, m, v } = adam(
      { parameters: state.critic!, m: state.criticM!, v: state.criticV! },
      joinParameters(gradients),
      inputs.criticAdam!,
    );
    return {
      next: {
        critic: parameters,
        criticM: m,
        criticV: v,
        ...(targetNetwork ? { target: polyak(state.target!, parameters, tau) } : {}),
      },
      parts: this.criticOf(parameters),
      values,
    };
  }

  /** The actor's step: min E[T log π(ã|s) − Q(s, ã)] over all rows of the batch, Q of the updated critic. */
  updateActor(state: TensorRecord, inputs: TensorRecord, critic: Parts, temperature: tf.Tensor) {
    const observations = this.blocks('observations', inputs);
    const { gradients, values } = gradientsOf(this.actorOf(state.actor!), (actor) => {
      const { action, logProbability } = this.sample(actor, observations, inputs.noise!);
      const q = smallest(this.values(critic, observations, action));
      return { loss: actorLoss(logProbability, q, temperature), entropy: entropyOf(logProbability) };
    });
    const { parameters, m, v } = adam(
      { parameters: state.actor!, m: state.actorM!, v: state.actorV! },
      joinParameters(gradients),
      inputs.actorAdam!,
    );
    const rate = this.#settings.actorAveraging;
    const next: Record<string, tf.Tensor> = { actor: parameters, actorM: m, actorV: v };
    if (rate > 0) next.average = polyak(state.average!, parameters, rate);
    return { next, values };
  }

  /** The step of a learned temperature towards the target entropy; nothing where it is fixed. */
  updateTemperature(state: TensorRecord, inputs: TensorRecord, temperature: tf.Tensor, entropy: tf.Tensor) {
    const next: Record<string, tf.Tensor> = {};
    if (!this.#settings.learnTemperature) return next;
    const target = this.#settings.targetEntropy ?? -this.#spaces.action;
    const [m, v] = tf.split(state.temperatureMoments as tf.Tensor1D, 2) as [tf.Tensor, tf.Tensor];
    const gradient = temperatureGradient(temperature, entropy, target);
    const updated = adam({ parameters: state.temperature!, m, v }, gradient, inputs.temperatureAdam!);
    next.temperature = updated.parameters;
    next.temperatureMoments = tf.concat1d([updated.m as tf.Tensor1D, updated.v as tf.Tensor1D]);
    return next;
  }

  /** The parts of an {@link Agent} that follow from the networks alone. */
  agent(): Pick<Agent, 'actionClip' | 'initialState' | 'deployed' | 'policy' | 'warmStart'> {
    const { actorAveraging, actionClip, logStdRange } = this.#settings;
    const deployed = actorAveraging > 0 ? 'average' : 'actor';
    return {
      actionClip,
      initialState: (random) => this.initialState(random),
      deployed: [deployed],
      policy: (state, normalisation) =>
        gaussianPolicy({
          encoder: this.#encoder,
          layout: this.#actor,
          parameters: state[deployed] as Float32Array,
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
    const { learnTemperature, gamma } = this.#settings;
    return {
      entries: ['actor', 'critic', ...(learnTemperature ? ['temperature'] : [])],
      recover: (state, { observations, actions, nextObservations, continues, noise }, samples) => {
        const rows = actions.shape[0]!;
        const critic = this.criticOf(state.critic!);
        const q = smallest(this.values(critic, observations, actions));
        const repeated = nextObservations.map((block) => tf.tile(block, [samples, ...block.shape.slice(1).fill(1)]));
        const next = this.sample(this.actorOf(state.actor!), repeated, noise);
        const values = this.softValue(critic, repeated, next, this.temperature(state));
        const v = tf.reshape(tf.mean(tf.reshape(values, [samples, rows]), 0), [rows, 1]);
        return tf.sub(q, tf.mul(tf.mul(continues, gamma), v));
      },
    };
  }
}
