import {
  type BlockArray,
  blockValues,
  entryNames,
  type Observation,
  type ObservationSpec,
  type Random,
} from '../../common/index.js';
import type { BatchRows } from '../agent.js';
import type { FairBuffers } from './fair-buffers.js';
import type { ReplayBuffer } from './replay-buffer.js';

/** Where the rows of a batch come from. */
export interface BatchSources {
  readonly policy: Pick<FairBuffers, 'sample' | 'drawsAbsorbing'>;
  readonly expert: ReplayBuffer;
  /** The first states of the demonstrations, normalised. */
  readonly firstStates: readonly Observation[];
}

/** The generators that a batch draws from: one for its rows, one for all noise. */
export interface BatchRandom {
  readonly sampling: Random;
  readonly noise: Random;
}

/** The arrays that hold the inputs of a program. */
export type InputArrays = Readonly<Record<string, Float32Array | Uint8Array>>;

/**
 * Fills the inputs of a program with a batch: policy rows, then expert rows, initial states where the program has an
 * input for them, noise on the numbers of the observations, and the standard normal noise of sampled actions. The order
 * of the draws is part of what a seed means: it must not change.
 */
export function fillBatch(
  inputs: InputArrays,
  spec: ObservationSpec,
  rows: BatchRows,
  sources: BatchSources,
  { sampling, noise }: BatchRandom,
  observationNoise: number,
): void {
  const { policy, expert } = sources;
  const numbers = (name: string): Float32Array | undefined => inputs[name] as Float32Array | undefined;
  const observations = arraysOf(inputs, 'observations', spec)!;
  const nextObservations = arraysOf(inputs, 'nextObservations', spec);
  const target = {
    observations: recordOf(spec, observations),
    actions: numbers('actions')!,
    nextObservations: nextObservations && recordOf(spec, nextObservations),
    continues: numbers('continues'),
    rewards: numbers('rewards'),
  };
  if (rows.policy > 0) policy.sample(rows.policy, sampling, target);
  if (rows.expert > 0) expert.sample(rows.expert, sampling, target, rows.policy);
  if (inputs.absorbing !== undefined) {
    const zeroed = [...observations, target.actions, ...(nextObservations ?? []), target.continues!];
    drawAbsorbing(inputs.absorbing, zeroed, 0, rows.policy, policy, sampling);
    drawAbsorbing(inputs.absorbing, zeroed, rows.policy, rows.expert, expert, sampling);
  }
  const initial = arraysOf(inputs, 'initialObservations', spec);
  if (initial !== undefined) {
    sampleInitial(spec, initial, rows, sources, sampling);
    fillNormal(noise, numbers('initialNoise'));
  }
  if (observationNoise > 0)
    for (const values of [...observations, ...(nextObservations ?? [])])
      if (values instanceof Float32Array)
        for (let i = 0; i < values.length; i++) values[i]! += observationNoise * noise.normal();
  fillNormal(noise, numbers('noise'));
  fillNormal(noise, numbers('nextNoise'));
  const { mixing, gumbel } = inputs;
  if (mixing !== undefined) for (let i = 0; i < mixing.length; i++) mixing[i] = noise.uniform();
  if (gumbel !== undefined)
    for (let i = 0; i < gumbel.length; i++)
      gumbel[i] = -Math.log(-Math.log(Math.max(noise.uniform(), Number.MIN_VALUE)));
}

/**
 * Replaces rows of a batch by the row that leads from the absorbing state to itself, as often as the buffer draws it: the
 * rows' numbers are set to 0, and no transition of its own continues.
 */
function drawAbsorbing(
  absorbing: Float32Array | Uint8Array,
  zeroed: readonly BlockArray[],
  offset: number,
  count: number,
  buffer: Pick<ReplayBuffer, 'drawsAbsorbing'>,
  random: Random,
): void {
  for (let row = offset; row < offset + count; row++) {
    const drawn = buffer.drawsAbsorbing(random);
    absorbing[row] = drawn ? 1 : 0;
    if (!drawn) continue;
    for (const values of zeroed) {
      const width = values.length / absorbing.length;
      values.fill(0, row * width, (row + 1) * width);
    }
  }
}

function fillNormal(random: Random, out: Float32Array | undefined): void {
  if (out !== undefined) random.fillNormal(out);
}

/** The arrays of the blocks of the inputs with this prefix, in order; undefined where the program has none. */
function arraysOf(inputs: InputArrays, prefix: string, spec: ObservationSpec): BlockArray[] | undefined {
  const arrays = entryNames(prefix, spec).map((name) => inputs[name]);
  return arrays[0] === undefined ? undefined : (arrays as BlockArray[]);
}

const recordOf = (spec: ObservationSpec, arrays: readonly BlockArray[]): Record<string, BlockArray> =>
  Object.fromEntries(spec.map(({ name }, i) => [name, arrays[i]!]));

/** Draws initial states uniformly with replacement: from the first states, or from all states of the demonstrations. */
function sampleInitial(
  spec: ObservationSpec,
  out: readonly BlockArray[],
  { expert: count, initialStates }: BatchRows,
  { expert, firstStates }: BatchSources,
  random: Random,
): void {
  const target = recordOf(spec, out);
  for (let row = 0; row < count; row++) {
    if (initialStates === 'all') expert.copyObservation(random.integer(expert.size), target, row);
    else {
      const state = blockValues<ArrayLike<number>>(spec, firstStates[random.integer(firstStates.length)]!, 'state');
      state.forEach((values, i) => {
        out[i]!.set(values, row * values.length);
      });
    }
  }
}
