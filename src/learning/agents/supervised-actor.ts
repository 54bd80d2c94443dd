import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { TensorRecord, TensorSpec } from '../../engine/index.js';
import type { Agent, Spaces } from '../agent.js';
import { initialParameters, joinParameters, type Layout, splitParameters } from '../networks/parameters.js';
import { adam, adamCoefficients } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import { type Fall, linearFall } from '../optimiser/schedules.js';
import { matrix } from './actor-critic.js';
import { learningRate } from './shared-settings.js';

/** The rate at which an actor is fitted to given actions, and how it falls. */
export const supervisedSettings = {
  learningRate: learningRate(1e-3).describe("Adam's learning rate."),
  learningRateFloor: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe('The learning rate falls linearly to this fraction over `decayUpdates` updates.'),
};

export interface SupervisedActor {
  /** Of the program. */
  readonly name: string;
  readonly layout: Layout;
  readonly settings: { readonly batchSize: number } & z.output<z.ZodObject<typeof supervisedSettings>>;
  readonly spaces: Spaces;
  readonly fall: Fall;
  /** The scalar loss of the actor's parameters on a batch of demonstrated steps. */
  readonly loss: (actor: readonly tf.Tensor[], batch: TensorRecord) => tf.Tensor;
}

/** What agents have in common that fit an actor to demonstrated actions: everything but the loss and the policy. */
export function supervisedActor({
  name,
  layout,
  settings,
  spaces,
  fall,
  loss,
}: SupervisedActor): Pick<Agent, 'rows' | 'adam' | 'program' | 'initialState' | 'deployed'> {
  const { batchSize, learningRate, learningRateFloor } = settings;
  const flat: TensorSpec = { shape: [layout.size], dtype: 'float32' };
  return {
    rows: { policy: 0, expert: batchSize, initialStates: 'first', rewards: false },
    adam: {
      // The falling rate averages the noise of the last batches out.
      actorAdam: (t) => adamCoefficients(t, learningRate * linearFall(t, fall, learningRateFloor)),
    },
    program: {
      name,
      state: { actor: flat, actorM: flat, actorV: flat },
      inputs: {
        observations: matrix(batchSize, spaces.observation),
        actions: matrix(batchSize, spaces.action),
        actorAdam: { shape: [2], dtype: 'float32' },
      },
      step(state, batch) {
        const { gradients, values } = gradientsOf(splitParameters(state.actor!, layout), (parts) => ({
          loss: loss(parts, batch),
        }));
        const { parameters, m, v } = adam(
          { parameters: state.actor!, m: state.actorM!, v: state.actorV! },
          joinParameters(gradients),
          batch.actorAdam!,
        );
        return { state: { actor: parameters, actorM: m, actorV: v }, outputs: { actor_loss: values.loss } };
      },
    },
    initialState(random) {
      const actor = initialParameters(layout, random);
      return { actor, actorM: new Float32Array(actor.length), actorV: new Float32Array(actor.length) };
    },
    deployed: ['actor'],
  };
}
