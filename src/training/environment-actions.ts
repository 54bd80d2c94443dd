import type { Random } from '../common/index.js';
import { type Environment, largestIndex } from '../simulation/index.js';

// How a policy's output becomes an action of an environment, for continuous and for discrete actions. A policy's output
// is a point in [−1, 1] per dimension, or, where actions are discrete, a preference per action, of which the largest wins.

/** The one-hot vector of length `n` whose entry `index` is 1. */
export function oneHot(n: number, index: number): Float32Array {
  const vector = new Float32Array(n);
  vector[index] = 1;
  return vector;
}

/** A uniformly random action as the learner takes it: in [−1, 1], or one-hot. */
export function randomAction({ actionRange: { size }, discrete }: Environment, random: Random): Float32Array {
  if (discrete === true) return oneHot(size, random.integer(size));
  return Float32Array.from({ length: size }, () => random.uniform(-1, 1));
}

/**
 * The noise that makes a policy's output a sample: standard normal, or, for discrete actions, of the Gumbel
 * distribution (the largest preference plus Gumbel noise is a sample of their softmax).
 */
export function explorationNoise({ actionRange, discrete }: Environment, random: Random): Float32Array {
  const noise = new Float32Array(actionRange.size);
  if (discrete !== true) return random.fillNormal(noise);
  for (let i = 0; i < noise.length; i++) noise[i] = -Math.log(-Math.log(Math.max(random.uniform(), Number.MIN_VALUE)));
  return noise;
}

/** The action that a policy's output means: as it is in [−1, 1], or the one-hot vector of the largest preference. */
export function chosenAction({ actionRange, discrete }: Environment, output: Float32Array): Float32Array {
  return discrete === true ? oneHot(actionRange.size, largestIndex(output)) : output;
}

/** An action as the environment takes it: [−1, 1] mapped onto the task's units; one-hot stays one-hot. */
export function inTaskUnits({ actionRange, discrete }: Environment, action: ArrayLike<number>): Float64Array {
  return discrete === true ? Float64Array.from(action) : actionRange.toUnits(action);
}
