import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ActionRange, vectorObservation } from '#src/common/index.js';
import type { Environment } from '#src/simulation/index.js';
import { npzEpisodes } from '#src/training/index.js';
import { npzOf } from './npz.js';

const folder = mkdtempSync(join(tmpdir(), 'npz-episodes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const unused = (): never => {
  throw new Error('reading a file needs no step');
};
/** Two observations; two actions within −2…2 and 0…10. */
const continuous: Environment = {
  observation: vectorObservation(2),
  actionRange: new ActionRange([-2, 0], [2, 10]),
  reset: unused,
  step: unused,
};
const discrete: Environment = { ...continuous, actionRange: new ActionRange([0, 0, 0], [1, 1, 1]), discrete: true };

const observations = [
  [0, 1],
  [2, 3],
  [4, 5],
];
function fileOf(actions: readonly number[][], terminated = true): string {
  const file = join(folder, 'demonstrations.npz');
  writeFileSync(
    file,
    npzOf(
      [
        { observations, actions: [...actions] },
        { observations, actions: [...actions] },
      ],
      terminated,
    ),
  );
  return file;
}

describe('npzEpisodes', () => {
  it('maps continuous actions from their limits to −1…1 and keeps the observations and how an episode ended', () => {
    const file = fileOf([
      [-2, 10],
      [1, 5],
    ]);
    const expected = {
      length: 2,
      observations: Float32Array.of(0, 1, 2, 3, 4, 5),
      actions: Float32Array.of(-1, 1, 0.5, 0),
      terminated: true,
    };
    expect(npzEpisodes(file, continuous)).toEqual([expected, expected]);
    const cut = fileOf(
      [
        [0, 0],
        [0, 0],
      ],
      false,
    );
    expect(npzEpisodes(cut, continuous).map(({ terminated }) => terminated)).toEqual([false, false]);
  });

  it('takes discrete actions as indices and as one-hot vectors', () => {
    const oneHot = Float32Array.of(0, 0, 1, 1, 0, 0);
    expect(npzEpisodes(fileOf([[2], [0]]), discrete)[0]!.actions).toEqual(oneHot);
    expect(
      npzEpisodes(
        fileOf([
          [0, 0, 1],
          [1, 0, 0],
        ]),
        discrete,
      )[0]!.actions,
    ).toEqual(oneHot);
  });

  it('refuses demonstrations of an environment with other sizes or other actions', () => {
    const mismatch = expect.objectContaining({ code: 'MISMATCH' });
    expect(() => npzEpisodes(fileOf([[0], [0]]), continuous)).toThrow(mismatch);
    expect(() =>
      npzEpisodes(
        fileOf([
          [0, 0],
          [0, 0],
        ]),
        { ...continuous, observation: vectorObservation(3) },
      ),
    ).toThrow(mismatch);
    for (const index of [3, -1, 0.5]) expect(() => npzEpisodes(fileOf([[index], [0]]), discrete)).toThrow(mismatch);
  });
});
