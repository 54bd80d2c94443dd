import { describe, expect, it } from 'vitest';
import {
  type Block,
  blockValues,
  checkObservationSpec,
  describeObservation,
  type ObservationSpec,
  observationArrays,
  perBlock,
  vectorObservation,
} from '#src/common/index.js';

const state: Block = { name: 'state', shape: [2], dtype: 'float32', normalise: 'standard' };
const camera: Block = { name: 'camera', shape: [1, 1, 3], dtype: 'uint8', normalise: 'unit' };
const two: ObservationSpec = [state, camera];
const bad = (found: RegExp): unknown =>
  expect.objectContaining({ code: 'INVALID_ARGUMENT', found: expect.stringMatching(found) });

describe('an observation', () => {
  it('of named numbers is one block, state', () => {
    expect(vectorObservation(2)).toEqual([state]);
    expect(describeObservation(two)).toBe('state float32[2], camera uint8[1, 1, 3]');
    expect(checkObservationSpec(two)).toBe(two);
  });

  it.each<[string, ObservationSpec, RegExp]>([
    ['no block', [], /no block/],
    ['a name twice', [state, state], /'state' twice/],
    ['a name with a dot', [{ ...state, name: 'a.b' }], /'a\.b'/],
    ['no axis', [{ ...state, shape: [] }], /shape \[\] of state/],
    ['an axis of 0', [{ ...state, shape: [2, 0] }], /shape \[2, 0\]/],
    ['half an axis', [{ ...state, shape: [0.5] }], /shape \[0\.5\]/],
    ['another type', [{ ...state, dtype: 'float64' as 'float32' }], /float64/],
    [
      'bytes that are to be standardised',
      [{ ...camera, normalise: 'standard' }],
      /'standard' of the uint8 block camera/,
    ],
    ['numbers that are to be divided by 255', [{ ...state, normalise: 'unit' }], /'unit' of the float32 block state/],
  ])('with %s is refused', (_, spec, found) => {
    expect(() => checkObservationSpec(spec)).toThrow(bad(found));
  });

  it('of one block is an array, of several a record by name, whatever the order of the names', () => {
    const vector = [1, 2];
    expect(blockValues([state], vector, 'observation')).toEqual([vector]);
    expect(blockValues([state], { state: vector }, 'observation')).toEqual([vector]);
    const values = blockValues(two, { camera: [1, 2, 3], state: vector }, 'observation');
    expect(values).toEqual([vector, [1, 2, 3]]);
    expect(perBlock(two, values)).toEqual({ state: vector, camera: [1, 2, 3] });
    expect(perBlock([state], [vector])).toBe(vector);
  });

  it('that lacks a block, has another, or gives no names is refused', () => {
    expect(() => blockValues(two, { state: [1, 2] }, 'observation')).toThrow(bad(/^state$/));
    expect(() => blockValues(two, { state: [1], camera: [1], lidar: [1] }, 'observation')).toThrow(bad(/lidar/));
    expect(() => blockValues(two, [1, 2], 'observation')).toThrow(bad(/without a name/));
    expect(() => blockValues<readonly number[]>([state], {}, 'observation')).toThrow(bad(/no block/));
  });

  it.each<[string, number[], number[], RegExp]>([
    ['a short vector', [1], [1, 2, 3], /1 numbers/],
    ['a number that is not finite', [1, Number.NaN], [1, 2, 3], /NaN at index 1/],
    ['a number beyond float32', [1e39, 1], [1, 2, 3], /1e\+39 at index 0/],
    ['a byte above 255', [1, 2], [1, 256, 3], /256 at index 1/],
    ['a byte below 0', [1, 2], [1, 2, -1], /-1 at index 2/],
    ['half a byte', [1, 2], [0.5, 2, 3], /0\.5 at index 0/],
    ['a short image', [1, 2], [1], /1 numbers/],
  ])('with %s is refused', (_, numbers, bytes, found) => {
    expect(() => observationArrays(two, { state: numbers, camera: bytes }, 'observation')).toThrow(bad(found));
  });

  it('with whole bytes and finite numbers is taken as it is', () => {
    const arrays = observationArrays(two, { state: [1, -0], camera: Uint8Array.of(0, 1, 255) }, 'observation');
    expect(arrays).toEqual([[1, -0], Uint8Array.of(0, 1, 255)]);
  });
});
