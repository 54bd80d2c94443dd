import type { LearnerSettings } from '../../learning/index.js';

/**
 * Learner settings of tasks that last a few seconds and have a goal: a horizon of two seconds (gamma), an actor that
 * starts from behavioural cloning and is averaged, learning rates that fall to nearly nothing.
 * docs/decisions/0007 has what each of them is worth.
 */
export const GOAL_TASK: LearnerSettings = {
  agent: 'iq-sac',
  hiddenSizes: [128, 128],
  batchSize: 128,
  bufferSize: 200_000,
  gamma: 0.95,
  // The algorithm as it was when these tasks were tuned: the agent's defaults, made for robots that fall, came later.
  layerNorm: false,
  beta1: 0.9,
  regMult: 0.5,
  valueTerm: 'value',
  absorbing: 'zero',
  temperature: 0.01,
  actorLearningRate: 3e-5,
  warmStartUpdates: 5000,
  actorDelay: 1000,
  actorAveraging: 5e-4,
  learningRateFloor: 0.05,
};
