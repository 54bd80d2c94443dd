import {
  type BlockArray,
  blockValues,
  type Observation,
  type ObservationSpec,
  type PerBlock,
  perBlock,
  shapeSize,
} from '../../common/index.js';

/** An episode as learning takes it: n steps, n + 1 observations in the robot's units, actions in [−1, 1]. */
export interface Episode {
  readonly length: number;
  /** [(n + 1) × o] row-major, of each block of the observation. */
  readonly observations: PerBlock<BlockArray>;
  /** [n × a] row-major; one-hot where actions are discrete. */
  readonly actions: Float32Array;
  /** The last next-observation is a true terminal state. */
  readonly terminated: boolean;
}

/** Observation `t` of rows of observations, as views. */
export function observationAt(spec: ObservationSpec, rows: PerBlock<BlockArray>, t: number): Observation {
  const [only] = spec;
  if (spec.length === 1 && ArrayBuffer.isView(rows)) {
    const size = shapeSize(only!.shape);
    return (rows as BlockArray).subarray(t * size, (t + 1) * size);
  }
  const views = blockValues(spec, rows, 'episode').map((array, i) => {
    const size = shapeSize(spec[i]!.shape);
    return array.subarray(t * size, (t + 1) * size);
  });
  return perBlock<ArrayLike<number>>(spec, views);
}

/** The numbers of all float32 blocks of the first `count` observations, a row for each observation. */
export function numbersOf(spec: ObservationSpec, rows: PerBlock<BlockArray>, count: number): Float32Array {
  const blocks = blockValues(spec, rows, 'episode');
  const sizes = spec.map(({ shape, dtype }) => (dtype === 'float32' ? shapeSize(shape) : 0));
  const width = sizes.reduce((sum, size) => sum + size, 0);
  const numbers = new Float32Array(count * width);
  for (let t = 0; t < count; t++) {
    let offset = t * width;
    sizes.forEach((size, i) => {
      numbers.set(blocks[i]!.subarray(t * size, (t + 1) * size), offset);
      offset += size;
    });
  }
  return numbers;
}
