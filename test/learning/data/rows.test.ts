import { describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import { FairBuffers } from '#src/learning/data/fair-buffers.js';
import { type Normalisation, normalise, normaliseRows } from '#src/learning/data/normalisation.js';
import type { NumberRows } from '#src/learning/data/observation-rows.js';
import { ReplayBuffer } from '#src/learning/data/replay-buffer.js';

const [O, A] = [3, 2];
const make = (capacity: number): ReplayBuffer => new ReplayBuffer(capacity, vectorObservation(O), A);

/** Rows of a robot that drives: most begin with the observation that the one before ended with. */
function driven(count: number, random: Random): NumberRows {
  const rows = {
    observations: random.fillNormal(new Float32Array(count * O)),
    actions: random.fillNormal(new Float32Array(count * A)),
    nextObservations: random.fillNormal(new Float32Array(count * O)),
    terminated: Uint8Array.from({ length: count }, () => (random.integer(10) === 0 ? 1 : 0)),
  };
  for (let i = 1; i < count; i++)
    if (random.integer(8) > 0) rows.observations.set(rows.nextObservations.subarray((i - 1) * O, i * O), i * O);
  // Zero and minus zero are different observations.
  rows.observations[0] = -0;
  rows.nextObservations[O * (count - 1)] = 0;
  return rows;
}

function oneByOne(buffers: FairBuffers, rows: NumberRows, from: number, to: number, robot: string): void {
  for (let i = from; i < to; i++)
    buffers.add(
      {
        observation: rows.observations.subarray(i * O, (i + 1) * O),
        action: rows.actions.subarray(i * A, (i + 1) * A),
        nextObservation: rows.nextObservations.subarray(i * O, (i + 1) * O),
        terminated: rows.terminated[i] === 1,
        reward: 0,
      },
      robot,
    );
}

describe('transitions that are added as rows', () => {
  it('leave the buffers as they are after adding them one by one, whatever their number and the capacity', () => {
    const random = new Random(5);
    for (let round = 0; round < 40; round++) {
      const capacity = 2 + random.integer(200);
      const [one, many] = [new FairBuffers(capacity, ['a', 'b'], make), new FairBuffers(capacity, ['a', 'b'], make)];
      for (let batch = 0; batch < 6; batch++) {
        const count = 1 + random.integer(90);
        const rows = driven(count, random);
        const [from, robot] = [random.integer(count), random.integer(2) === 0 ? 'a' : 'b'];
        oneByOne(one, rows, from, count, robot);
        many.addRows(rows, from, count, robot);
        expect(many.contents()).toEqual(one.contents());
        expect(many.drawsAbsorbing(new Random(round))).toBe(one.drawsAbsorbing(new Random(round)));
      }
    }
  });

  it('are normalised as each of them is, and not at all where a number is not finite', () => {
    const random = new Random(6);
    const by: Normalisation = { mean: Float32Array.of(0, 0.3, -2), scale: Float32Array.of(0.001, 1, 7) };
    const { observations, nextObservations } = driven(50, random);
    observations.set([1e30, Number.NEGATIVE_INFINITY, -0]);
    // The same number, but for its sign: not copied.
    nextObservations[3 * O] = 0;
    observations.set(nextObservations.subarray(3 * O, 4 * O), 4 * O);
    observations[4 * O] = -0;
    const [before, after] = [new Float32Array(51 * O), new Float32Array(51 * O)];
    const one = (rows: Float32Array, i: number): Float32Array =>
      normalise(by, rows.subarray(i * O, (i + 1) * O), new Float32Array(O));
    expect(normaliseRows(by, observations, nextObservations, before, after)).toBe(true);
    for (let i = 0; i < 50; i++) {
      expect(before.subarray(i * O, (i + 1) * O)).toEqual(one(observations, i));
      expect(after.subarray(i * O, (i + 1) * O)).toEqual(one(nextObservations, i));
    }
    for (const rows of [observations, nextObservations]) {
      const was = rows[20]!;
      rows[20] = Number.NaN;
      expect(normaliseRows(by, observations, nextObservations, before, after)).toBe(false);
      rows[20] = was;
    }
  });
});
