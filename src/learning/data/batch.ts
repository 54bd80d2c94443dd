import type { Random } from '../../common/index.js';
import type { BatchRows } from '../agent.js';
import type { ReplayBuffer } from './replay-buffer.js';

/** Where the rows of a batch come from. */
export interface BatchSources {
  readonly policy: ReplayBuffer;
  readonly expert: ReplayBuffer;
  /** The first states of the demonstrations, normalised. */
  readonly firstStates: readonly Float32Array[];
}

/** The generators that a batch draws from: one for its rows, one for all noise. */
export interface BatchRandom {
  readonly sampling: Random;
  readonly noise: Random;
}

/**
 * Fills the inputs of a program with a batch: policy rows, then expert rows, initial states where the program has an
 * input for them, noise on the observations, and the standard normal noise of sampled actions. The order of the draws
 * is part of what a seed means: it must not change.
 */
export function fillBatch(
  inputs: Readonly<Record<string, Float32Array>>,
  rows: BatchRows,
  { policy, expert, firstStates }: BatchSources,
  { sampling, noise }: BatchRandom,
  observationNoise: number,
): void {
  const { observations, actions, nextObservations, continues, rewards } = inputs;
  const target = { observations: observations!, actions: actions!, nextObservations, continues, rewards };
  if (rows.policy > 0) policy.sample(rows.policy, sampling, target);
  if (rows.expert > 0) expert.sample(rows.expert, sampling, target, rows.policy);
  if (inputs.absorbing !== undefined) {
    drawAbsorbing(inputs, 0, rows.policy, policy, sampling);
    drawAbsorbing(inputs, rows.policy, rows.expert, expert, sampling);
  }
  if (inputs.initialObservations !== undefined) {
    sampleInitial(inputs.initialObservations, rows.initialStates === 'all' ? expert : firstStates, sampling);
    if (inputs.initialNoise !== undefined) noise.fillNormal(inputs.initialNoise);
  }
  if (observationNoise > 0)
    for (const values of [observations, nextObservations])
      if (values !== undefined) for (let i = 0; i < values.length; i++) values[i]! += observationNoise * noise.normal();
  if (inputs.noise !== undefined) noise.fillNormal(inputs.noise);
  if (inputs.nextNoise !== undefined) noise.fillNormal(inputs.nextNoise);
  if (inputs.mixing !== undefined) for (let i = 0; i < inputs.mixing.length; i++) inputs.mixing[i] = noise.uniform();
}

/**
 * Replaces rows of a batch by the row that leads from the absorbing state to itself, as if the buffer held one of these
 * for every terminal transition: observations and actions 0, and no transition of its own that continues.
 */
function drawAbsorbing(
  inputs: Readonly<Record<string, Float32Array>>,
  offset: number,
  count: number,
  { size, terminals }: ReplayBuffer,
  random: Random,
): void {
  const { observations, actions, nextObservations, continues, absorbing } = inputs;
  const rows = absorbing!.length;
  for (let row = offset; row < offset + count; row++) {
    const drawn = terminals > 0 && random.integer(size + terminals) >= size;
    absorbing![row] = drawn ? 1 : 0;
    if (!drawn) continue;
    for (const values of [observations!, actions!, nextObservations!, continues!]) {
      const width = values.length / rows;
      values.fill(0, row * width, (row + 1) * width);
    }
  }
}

/** Draws initial states uniformly with replacement: from first states, or from all states of a buffer. */
function sampleInitial(out: Float32Array, from: ReplayBuffer | readonly Float32Array[], random: Random): void {
  const states = 'sample' in from ? from.contents().observations : undefined;
  const count = 'sample' in from ? from.size : from.length;
  const size = 'sample' in from ? states!.length / count : from[0]!.length;
  for (let row = 0; row < out.length / size; row++) {
    const i = random.integer(count);
    out.set(states?.subarray(i * size, (i + 1) * size) ?? (from as readonly Float32Array[])[i]!, row * size);
  }
}
