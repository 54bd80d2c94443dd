import {
  blockValues,
  IqLearnError,
  type Observation,
  type ObservationSpec,
  perBlock,
  shapeSize,
} from '../../common/index.js';
import { copyNumbers, sameNumbers } from './observation-rows.js';

/**
 * x ↦ (x − mean)/scale, number by number; it travels with the policy. Mean and scale are those of the numbers of all
 * float32 blocks of an observation, in the order of the blocks; bytes have none.
 */
export interface Normalisation {
  readonly mean: Float32Array;
  readonly scale: Float32Array;
}

/** Features that hardly vary in the demonstrations keep their unit: dividing by their deviation would blow up noise. */
const SMALLEST_SCALE = 1e-3;

/** Normalised values are clipped to ± this: a fall must not show networks what no demonstration comes near. */
export const NORMALISED_LIMIT = 30;

/** The normalisation that gives the rows [n, size] mean 0 and deviation 1. */
export function normalisationOf(rows: Float32Array, size: number): Normalisation {
  const n = rows.length / size;
  if (n < 1 || !Number.isInteger(n))
    throw new IqLearnError('INVALID_ARGUMENT', 'cannot normalise by these observations', {
      found: `${rows.length} numbers`,
      expected: `at least one row of ${size}`,
    });
  const mean = new Float32Array(size);
  const scale = new Float32Array(size);
  for (let k = 0; k < size; k++) {
    let sum = 0;
    for (let i = k; i < rows.length; i += size) sum += rows[i]!;
    const centre = sum / n;
    let squares = 0;
    for (let i = k; i < rows.length; i += size) squares += (rows[i]! - centre) ** 2;
    const deviation = Math.sqrt(squares / n);
    mean[k] = centre;
    scale[k] = deviation > SMALLEST_SCALE ? deviation : 1;
  }
  return { mean, scale };
}

export function identityNormalisation(size: number): Normalisation {
  return { mean: new Float32Array(size), scale: new Float32Array(size).fill(1) };
}

/** Writes the normalised `values` to `out` and returns it. */
export function normalise(by: Normalisation, values: ArrayLike<number>, out: Float32Array): Float32Array {
  for (let k = 0; k < out.length; k++) {
    const x = (values[k]! - by.mean[k]!) / by.scale[k]!;
    out[k] = Math.min(NORMALISED_LIMIT, Math.max(-NORMALISED_LIMIT, x));
  }
  return out;
}

/** The row of numbers that begins at `first`, normalised, to the same place of `out`; false where one is not a number. */
function normaliseRow({ mean, scale }: Normalisation, rows: Float32Array, out: Float32Array, first: number): boolean {
  for (let k = 0; k < mean.length; k++) {
    const x = (rows[first + k]! - mean[k]!) / scale[k]!;
    if (x >= -NORMALISED_LIMIT && x <= NORMALISED_LIMIT) out[first + k] = x;
    else if (Number.isNaN(x)) return false;
    else out[first + k] = x > 0 ? NORMALISED_LIMIT : -NORMALISED_LIMIT;
  }
  return true;
}

/**
 * Observations row after row, and what followed on each, normalised into arrays that are at least as long; false where a
 * number is not finite afterwards. A row that is what followed on the one before, as in an episode, is copied from there.
 */
export function normaliseRows(
  by: Normalisation,
  observations: Float32Array,
  nextObservations: Float32Array,
  out: Float32Array,
  nextOut: Float32Array,
): boolean {
  const size = by.mean.length;
  for (let first = 0; first < observations.length; first += size) {
    const before = first - size;
    if (before >= 0 && sameNumbers(nextObservations, before, observations, first, size))
      copyNumbers(nextOut, before, out, first, size);
    else if (!normaliseRow(by, observations, out, first)) return false;
    if (!normaliseRow(by, nextObservations, nextOut, first)) return false;
  }
  return true;
}

const isVector = (observation: Observation): observation is ArrayLike<number> => ArrayBuffer.isView(observation);

/** An observation with its numbers normalised; bytes, and arrays of a wrong length, are left as they are. */
export function normaliseObservation(by: Normalisation, spec: ObservationSpec, observation: Observation): Observation {
  const [only] = spec;
  if (spec.length === 1 && only!.dtype === 'float32' && isVector(observation))
    return observation.length === by.mean.length
      ? normalise(by, observation, new Float32Array(by.mean.length))
      : observation;
  let offset = 0;
  const values = blockValues<ArrayLike<number>>(spec, observation, 'observation').map((array, i) => {
    const { shape, dtype } = spec[i]!;
    const size = shapeSize(shape);
    if (dtype !== 'float32') return array;
    const part = { mean: by.mean.subarray(offset, offset + size), scale: by.scale.subarray(offset, offset + size) };
    offset += size;
    return array.length === size ? normalise(part, array, new Float32Array(size)) : array;
  });
  return perBlock(spec, values);
}
