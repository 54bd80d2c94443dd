// A learning algorithm of one's own: cloning that minimises the absolute error instead of the squared one. An agent says
// its settings, the rows that its batch needs, its update as a pure function with named outputs, and its policy.
import * as tf from '@tensorflow/tfjs';
import { vectorObservation } from 'iq_learn/common';
import * as learning from 'iq_learn/learning';
import { z } from 'zod';

const ROWS = 64; // of one batch
const array = (...shape: number[]) => ({ shape, dtype: 'float32' }) as const;

const absoluteCloning = learning.defineAgent({
  summary: "regresses the expert's actions by their absolute error",
  actions: 'continuous',
  settings: { rate: z.number().gt(0).default(3e-3).describe("Adam's learning rate.") },
  create({ rate }, { observation, action }) {
    const layout = learning.mlpLayout([observation, 32, 2 * action]);
    const flat = array(layout.size);
    return {
      rows: { policy: 0, expert: ROWS, initialStates: 'first', rewards: false },
      actionClip: 0.999,
      adam: { adam: (update) => learning.adamCoefficients(update, rate) },
      program: {
        name: 'absolute_cloning_update',
        state: { actor: flat, m: flat, v: flat },
        inputs: { observations: array(ROWS, observation), actions: array(ROWS, action), adam: array(2) },
        step(state, batch) {
          const { gradients, values } = learning.gradientsOf(
            learning.splitParameters(state.actor!, layout),
            (parts) => {
              const { mean } = learning.policyGaussian(parts, batch.observations!, [-5, 2]);
              return { loss: tf.mean(tf.abs(tf.sub(tf.tanh(mean), batch.actions!))) };
            },
          );
          const flat = { parameters: state.actor!, m: state.m!, v: state.v! };
          const { parameters, ...moments } = learning.adam(flat, learning.joinParameters(gradients), batch.adam!);
          return { state: { actor: parameters, ...moments }, outputs: { absolute_error: values.loss } };
        },
      },
      initialState(random) {
        const actor = learning.initialParameters(layout, random);
        return { actor, m: new Float32Array(layout.size), v: new Float32Array(layout.size) };
      },
      deployed: ['actor'],
      policy(parameters, normalisation) {
        const network = { layout, parameters, logStdRange: [-5, 2] } as const;
        return learning.gaussianPolicy({ ...network, normalisation, actionSize: action });
      },
    };
  },
});
learning.registerAgent('absolute-cloning', absoluteCloning);
const observations = Float32Array.from({ length: 201 }, (_, t) => Math.sin(t / 9));
const actions = observations.slice(0, -1).map((x) => 0.8 * x);
const config = learning.learnerConfig({ agent: 'absolute-cloning' });
const normalisation = learning.normalisationOf(observations, 1);
const options = { observation: vectorObservation(1), actionSize: 1, normalisation, seed: 1 };
const learner = await learning.Learner.create({ config, ...options });
learner.addDemonstration({ length: 200, observations, actions, terminated: false });
for (let i = 0; i < 5; i++) console.log(`after ${learner.updates} updates:`, await learner.update(100));
await learner.dispose();
