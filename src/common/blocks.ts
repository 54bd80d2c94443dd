import { IqLearnError } from './errors.js';

/**
 * How the numbers of a block reach a network: `standard` subtracts the mean and divides by the standard deviation of
 * the demonstrations, number by number; `unit` divides bytes by 255; `none` leaves them as they are.
 */
export type BlockNormalisation = 'standard' | 'unit' | 'none';

/** One array of an observation: a vector of named numbers, an image, a map. */
export interface Block {
  /** Letters, digits and underscores; unlike the names of the other blocks. */
  readonly name: string;
  /** Sizes of the axes, row-major: [17] for a vector of 17 numbers, [84, 84, 3] for a colour image. */
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'uint8';
  readonly normalise: BlockNormalisation;
  /** What its numbers stand for, where name and shape do not say it: `depth 0.3 to 5 m`. A policy holds for this alone. */
  readonly meaning?: string | undefined;
}

/** The blocks of an observation, in order. A robot that is described by named numbers has one block, `state`. */
export type ObservationSpec = readonly Block[];

/** The array that holds a block's numbers (or those of several observations, one after the other). */
export type BlockArray = Float32Array | Uint8Array;

/**
 * A value for every block of an observation: the value itself where there is one block, else a record by the names of
 * the blocks. (gymnasium does the same with its Box and Dict spaces.)
 */
export type PerBlock<T> = T | Readonly<Record<string, T>>;

/** One observation; see {@link PerBlock}. */
export type Observation = PerBlock<ArrayLike<number>>;

/** The only block of robots and tasks that are described by named numbers. */
export const STATE_BLOCK = 'state';

/** The observation that is one vector of `size` numbers, the block `state`. */
export function vectorObservation(size: number, normalise: 'standard' | 'none' = 'standard'): ObservationSpec {
  return [{ name: STATE_BLOCK, shape: [size], dtype: 'float32', normalise }];
}

/** How many numbers an array of this shape holds. */
export function shapeSize(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** The bytes of one value of a block. */
export function blockBytes({ shape, dtype }: Pick<Block, 'shape' | 'dtype'>): number {
  return shapeSize(shape) * (dtype === 'uint8' ? 1 : 4);
}

/** A zeroed array for `count` values of a block. */
export function blockArray({ shape, dtype }: Pick<Block, 'shape' | 'dtype'>, count = 1): BlockArray {
  const size = count * shapeSize(shape);
  return dtype === 'uint8' ? new Uint8Array(size) : new Float32Array(size);
}

/** A spec in words for messages, e.g. `state float32[17], camera uint8[84, 84, 3]`. */
export function describeObservation(spec: ObservationSpec): string {
  return spec.map(({ name, shape, dtype }) => `${name} ${dtype}[${shape.join(', ')}]`).join(', ');
}

/** Throws INVALID_ARGUMENT where a spec has no block, a name twice, or a block that cannot be. Returns the spec. */
export function checkObservationSpec(spec: ObservationSpec): ObservationSpec {
  const refuse = (found: string, expected: string): never => {
    throw new IqLearnError('INVALID_ARGUMENT', 'the observation cannot be made of these blocks', { found, expected });
  };
  if (spec.length === 0) refuse('no block', 'at least one block');
  const names = new Set<string>();
  for (const { name, shape, dtype, normalise } of spec) {
    if (!/^[A-Za-z_]\w*$/.test(name)) refuse(`a block named '${name}'`, 'letters, digits and underscores');
    if (names.has(name)) refuse(`'${name}' twice`, 'names that differ');
    names.add(name);
    if (shape.length === 0 || !shape.every((n) => Number.isSafeInteger(n) && n > 0))
      refuse(`shape [${shape.join(', ')}] of ${name}`, 'one or more whole numbers above 0');
    if (dtype !== 'float32' && dtype !== 'uint8') refuse(`type ${String(dtype)} of ${name}`, 'float32 or uint8');
    const fit: readonly string[] = dtype === 'uint8' ? ['unit', 'none'] : ['standard', 'none'];
    if (!fit.includes(normalise))
      refuse(`normalisation '${normalise}' of the ${dtype} block ${name}`, `'${fit.join("' or '")}'`);
  }
  return spec;
}

/** Whether two observations have the same blocks in the same order: names, shapes and types. */
export function sameBlocks(a: ObservationSpec, b: ObservationSpec): boolean {
  return describeObservation(a) === describeObservation(b);
}

/** The name of each block's entry in the inputs of a program or model: `prefix` for one block, else `prefix_name`. */
export function entryNames(prefix: string, spec: ObservationSpec): string[] {
  return spec.length === 1 ? [prefix] : spec.map(({ name }) => `${prefix}_${name}`);
}

/** The inputs of a program or model for `rows` observations: [rows, …shape] for each block, under {@link entryNames}. */
export function blockInputs(
  prefix: string,
  spec: ObservationSpec,
  rows: number,
): Record<string, { readonly shape: readonly number[]; readonly dtype: Block['dtype'] }> {
  const names = entryNames(prefix, spec);
  return Object.fromEntries(spec.map(({ shape, dtype }, i) => [names[i]!, { shape: [rows, ...shape], dtype }]));
}

const isArray = (value: unknown): boolean => Array.isArray(value) || ArrayBuffer.isView(value);

/**
 * The values of a {@link PerBlock} in the order of the blocks. Throws INVALID_ARGUMENT where a block has no value, or
 * a value has no block. `what` names the whole in the message, e.g. `observation`.
 */
export function blockValues<T extends object>(spec: ObservationSpec, value: PerBlock<T>, what: string): T[] {
  if (isArray(value)) {
    if (spec.length === 1) return [value as T];
    throw new IqLearnError('INVALID_ARGUMENT', `the ${what} is one array`, {
      found: 'an array without a name',
      expected: `a record with an array for every block: ${describeObservation(spec)}`,
    });
  }
  const record = value as Readonly<Record<string, T>>;
  const values = spec.map(({ name }) => record[name]);
  const unknown = Object.keys(record).filter((name) => !spec.some((block) => block.name === name));
  if (unknown.length > 0 || values.includes(undefined))
    throw new IqLearnError('INVALID_ARGUMENT', `the ${what} has other blocks`, {
      found: Object.keys(record).join(', ') || 'no block',
      expected: describeObservation(spec),
    });
  return values as T[];
}

/** The inverse of {@link blockValues}: values in the order of the blocks as one value or a record by name. */
export function perBlock<T>(spec: ObservationSpec, values: readonly T[]): PerBlock<T> {
  return spec.length === 1 ? values[0]! : Object.fromEntries(spec.map(({ name }, i) => [name, values[i]!]));
}

/** A copy of an observation as arrays of its blocks' types. Throws INVALID_ARGUMENT where it has other blocks. */
export function copyObservation(spec: ObservationSpec, value: Observation): PerBlock<BlockArray> {
  const arrays = blockValues<ArrayLike<number>>(spec, value, 'observation');
  return perBlock<BlockArray>(
    spec,
    arrays.map((values, i) => (spec[i]!.dtype === 'uint8' ? Uint8Array.from(values) : Float32Array.from(values))),
  );
}

/**
 * Several observations as one array for each block, row after row. Throws INVALID_ARGUMENT where one has other blocks or
 * another number of numbers.
 */
export function stackObservations(spec: ObservationSpec, observations: readonly Observation[]): PerBlock<BlockArray> {
  const rows = spec.map((block) => blockArray(block, observations.length));
  const sizes = spec.map(({ shape }) => shapeSize(shape));
  observations.forEach((observation, row) => {
    blockValues<ArrayLike<number>>(spec, observation, 'observation').forEach((values, i) => {
      const size = sizes[i]!;
      if (values.length !== size)
        throw new IqLearnError('INVALID_ARGUMENT', `bad ${spec[i]!.name} of an observation`, {
          found: `${values.length} numbers`,
          expected: `${size}`,
        });
      rows[i]!.set(values, row * size);
    });
  });
  return perBlock<BlockArray>(spec, rows);
}

/**
 * The arrays of one observation in the order of the blocks, each checked: its length, finite float32 numbers or whole
 * numbers from 0 to 255. Throws INVALID_ARGUMENT.
 */
export function observationArrays(spec: ObservationSpec, value: Observation, what: string): ArrayLike<number>[] {
  const arrays = blockValues<ArrayLike<number>>(spec, value, what);
  arrays.forEach((values, i) => {
    const { name, shape, dtype } = spec[i]!;
    const whole = spec.length === 1 ? what : `${name} of the ${what}`;
    const size = shapeSize(shape);
    if (values.length !== size)
      throw new IqLearnError('INVALID_ARGUMENT', `bad ${whole}`, {
        found: `${values.length} numbers`,
        expected: `${size}`,
      });
    if (dtype === 'uint8') checkBytes(whole, values);
    else checkFinite(whole, values);
  });
  return arrays;
}

/** Throws INVALID_ARGUMENT, naming the first of `values` that is no finite float32 number. */
export function checkFinite(what: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(Math.fround(values[i]!)))
      throw new IqLearnError('INVALID_ARGUMENT', `bad ${what}`, {
        found: `${values[i]} at index ${i}`,
        expected: 'finite float32 numbers',
        remedy: 'drop the sample at its source',
      });
}

function checkBytes(what: string, values: ArrayLike<number>): void {
  if (values instanceof Uint8Array || values instanceof Uint8ClampedArray) return;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isInteger(value) || value < 0 || value > 255)
      throw new IqLearnError('INVALID_ARGUMENT', `bad ${what}`, {
        found: `${value} at index ${i}`,
        expected: 'whole numbers from 0 to 255',
        remedy: 'give the image as bytes',
      });
  }
}
