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
    const by: Normalisation = {
      mean: random.fillNormal(new Float32Array(O)),
      scale: Float32Array.of(0.001, 1, 7),
    };
    const rows = random.fillNormal(new Float32Array(50 * O));
    rows.set([1e30, Number.NEGATIVE_INFINITY, -0]);
    const all = normaliseRows(by, rows)!;
    for (let i = 0; i < 50; i++)
      expect(all.subarray(i * O, (i + 1) * O)).toEqual(
        normalise(by, rows.subarray(i * O, (i + 1) * O), new Float32Array(O)),
      );
    rows[20] = Number.NaN;
    expect(normaliseRows(by, rows)).toBeNull();
  });
});
