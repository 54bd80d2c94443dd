import { IqLearnError, Random } from '../common/index.js';
import { compile } from '../engine/index.js';
import { adamCoefficients } from './adam.js';
import { type CloningLoss, cloningLayout, cloningProgram, initialCloningState } from './behavioural-cloning.js';
import { type LearnerConfig, learnerConfig } from './config.js';
import type { Episode } from './data/episode.js';
import { type Normalisation, normalisationOf, normalise } from './data/normalisation.js';
import { actorPolicy, type PolicyFunction } from './policy-function.js';

export interface CloningOptions {
  readonly episodes: readonly Episode[];
  readonly observationSize: number;
  readonly actionSize: number;
  readonly seed: number;
  /** Network sizes and action clip; the learner's defaults otherwise. */
  readonly config?: LearnerConfig;
  readonly normalisation?: Normalisation;
  readonly loss?: CloningLoss;
  /** Updates in all. */
  readonly updates?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly onProgress?: (update: number, loss: number) => void;
}

/**
 * Behavioural cloning of the demonstrations with the actor network of SAC: the baseline every imitation is
 * compared with. Deterministic in its seed.
 */
export async function behaviouralCloning(options: CloningOptions): Promise<PolicyFunction> {
  const { episodes, observationSize: o, actionSize: a, loss = 'mse' } = options;
  const config = options.config ?? learnerConfig();
  const rows = options.batchSize ?? 256;
  const updates = options.updates ?? 5000;
  const total = episodes.reduce((sum, episode) => sum + episode.length, 0);
  if (total === 0)
    throw new IqLearnError('INVALID_ARGUMENT', 'nothing to clone', {
      found: `${episodes.length} episodes without a step`,
      expected: 'at least one demonstration',
    });
  const states = new Float32Array(total * o);
  const actions = new Float32Array(total * a);
  let filled = 0;
  for (const episode of episodes) {
    states.set(episode.observations.subarray(0, episode.length * o), filled * o);
    actions.set(episode.actions.subarray(0, episode.length * a), filled * a);
    filled += episode.length;
  }
  const clip = config.actionClip;
  for (let i = 0; i < actions.length; i++) actions[i] = Math.min(clip, Math.max(-clip, actions[i]!));
  const normalisation = options.normalisation ?? normalisationOf(states, o);
  for (let t = 0; t < total; t++) {
    const row = states.subarray(t * o, (t + 1) * o);
    normalise(normalisation, row, row);
  }

  const sizes = { observation: o, action: a, rows };
  const layout = cloningLayout(config.hiddenSizes, sizes);
  const executable = await compile(cloningProgram(config.hiddenSizes, config.logStdRange, loss, sizes), {
    executor: 'onnx',
    initialState: initialCloningState(layout, Random.derive(options.seed, 'cloning parameters')),
  });
  try {
    const random = Random.derive(options.seed, 'cloning batches');
    const inputs = {
      observations: new Float32Array(rows * o),
      actions: new Float32Array(rows * a),
      actorAdam: new Float32Array(2),
    };
    for (let update = 1; update <= updates; update++) {
      for (let row = 0; row < rows; row++) {
        const t = random.integer(total);
        inputs.observations.set(states.subarray(t * o, (t + 1) * o), row * o);
        inputs.actions.set(actions.subarray(t * a, (t + 1) * a), row * a);
      }
      // The rate falls linearly: the last updates average the noise of the batches out.
      const rate = (options.learningRate ?? 1e-3) * (1 - (0.9 * update) / updates);
      const { step, epsilon } = adamCoefficients(update, rate);
      inputs.actorAdam[0] = step;
      inputs.actorAdam[1] = epsilon;
      const { metrics } = await executable.run(inputs);
      if (!Number.isFinite(metrics![0]))
        throw new IqLearnError('DIVERGED', 'behavioural cloning diverged', {
          found: `loss ${metrics![0]} after ${update} updates`,
          expected: 'finite numbers',
          remedy: 'check the demonstrations, lower the learning rate',
        });
      if (update % 500 === 0) options.onProgress?.(update, metrics![0]!);
    }
    return actorPolicy({
      layout,
      parameters: executable.readState().actor as Float32Array,
      normalisation,
      logStdRange: config.logStdRange,
      actionSize: a,
    });
  } finally {
    await executable.dispose();
  }
}
