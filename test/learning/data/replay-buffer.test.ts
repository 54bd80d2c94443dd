import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, type BlockArray, Random, vectorObservation } from '#src/common/index.js';
import { type BatchTarget, type BufferRow, ReplayBuffer } from '#src/learning/data/replay-buffer.js';

const row = (n: number, change: Partial<BufferRow> = {}): BufferRow => ({
  observation: [n, n + 0.25],
  action: [-n],
  nextObservation: [n + 1, n + 1.25],
  terminated: n % 3 === 0,
  reward: n / 8,
  ...change,
});
const buffer = (capacity: number, rows = 0): ReplayBuffer => {
  const made = new ReplayBuffer(capacity, vectorObservation(2), 1);
  for (let n = 0; n < rows; n++) made.add(row(n));
  return made;
};
const target = (rows: number): BatchTarget & { rewards: Float32Array; observations: Float32Array } => ({
  observations: new Float32Array(2 * rows),
  actions: new Float32Array(rows),
  nextObservations: new Float32Array(2 * rows),
  continues: new Float32Array(rows),
  rewards: new Float32Array(rows),
});
const mismatch = expect.objectContaining({ code: 'MISMATCH' });

describe('the replay buffer', () => {
  it('is a ring: what is new goes over what is oldest', () => {
    const ring = buffer(4, 3);
    expect([ring.size, ring.added]).toEqual([3, 3]);
    for (let n = 3; n < 6; n++) ring.add(row(n));
    expect([ring.size, ring.added]).toEqual([4, 6]);
    const { counters, arrays } = ring.contents();
    expect(counters).toEqual({ cursor: 2, added: 6 });
    expect([...arrays['observations.state.0']!]).toEqual([2, 2.25, 3, 3.25, 4, 4.25, 5, 5.25, 6, 6.25]);
    expect([...arrays.rows!]).toEqual([2, 3, 0, 1]);
    expect([...arrays.actions!]).toEqual([-4, -5, -2, -3]);
    expect([...arrays.continues!]).toEqual([1, 1, 1, 0]);
    expect([...arrays.rewards!]).toEqual([0.5, 0.625, 0.25, 0.375]);
  });

  it('holds one observation for each transition of an episode and one more for its end', () => {
    const held = buffer(100, 0);
    for (let episode = 0; episode < 4; episode++) for (let n = 0; n < 25; n++) held.add(row(100 * episode + n));
    expect([held.size, held.observationsHeld]).toEqual([100, 104]);
    for (let n = 0; n < 25; n++) held.add(row(1000 + n));
    expect([held.size, held.observationsHeld]).toEqual([100, 104]);
    // What belongs to no neighbour is stored with both observations.
    for (let n = 0; n < 100; n++) held.add(row(2 * n));
    expect([held.size, held.observationsHeld]).toEqual([100, 200]);
    for (let n = 0; n < 100; n++) held.add(row(n));
    expect([held.size, held.observationsHeld]).toEqual([100, 101]);
  });

  it('takes memory for the observations that it holds, not for the most it could hold', () => {
    const camera: Block = { name: 'camera', shape: [32, 32, 3], dtype: 'uint8', normalise: 'unit' };
    const [n, image] = [2000, 32 * 32 * 3];
    const held = new ReplayBuffer(n, [camera], 2);
    const bookkeeping = (3 + 2) * 4 * n;
    expect(held.bytes).toBe(bookkeeping);
    const frame = (i: number): Uint8Array => new Uint8Array(image).fill(i % 251);
    for (let i = 0; i < 3 * n; i++)
      held.add({ observation: frame(i), action: [0, 0], nextObservation: frame(i + 1), terminated: false });
    expect(held.bytes - bookkeeping).toBeLessThan(1.1 * n * image);
    expect(held.bytes - bookkeeping).toBeGreaterThanOrEqual(n * image);
  });

  it('has no reward where none was given', () => {
    const { reward: _, ...unrewarded } = row(1);
    const held = buffer(1);
    held.add(unrewarded);
    expect(held.contents().arrays.rewards![0]).toBeNaN();
  });

  it.each([
    ['a part filled', 37, 37],
    ['full and overwritten', 50, 90],
  ])('samples uniformly: %s', (_, size, added) => {
    const held = buffer(50, added);
    const draws = 200 * size;
    const batch = target(draws);
    held.sample(draws, new Random(5), batch);
    const counts = new Map<number, number>();
    for (const action of batch.actions) counts.set(-action, (counts.get(-action) ?? 0) + 1);
    expect(counts.size).toBe(size);
    expect(Math.min(...counts.keys())).toBe(added - size);
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
    // Of size − 1 degrees of freedom: mean size − 1, deviation √(2 (size − 1)); both tails, for too even is not random.
    expect(Math.abs(chiSquare - (size - 1))).toBeLessThan(3 * Math.sqrt(2 * (size - 1)));
  });

  it('gathers whole rows into the given arrays from the offset, and touches nothing else', () => {
    const held = buffer(8, 8);
    const batch = target(10);
    const { observations, nextObservations } = batch as { observations: Float32Array; nextObservations: Float32Array };
    for (const array of Object.values(batch) as Float32Array[]) array.fill(99);
    held.sample(5, new Random(1), batch, 3);
    const drawn = new Set<number>();
    for (let i = 0; i < 10; i++) {
      const n = -batch.actions[i]!;
      const inside = i >= 3 && i < 8;
      if (inside) drawn.add(n);
      expect([...observations.subarray(2 * i, 2 * i + 2)]).toEqual(inside ? [n, n + 0.25] : [99, 99]);
      expect([...nextObservations.subarray(2 * i, 2 * i + 2)]).toEqual(inside ? [n + 1, n + 1.25] : [99, 99]);
      expect(batch.continues![i]).toBe(inside ? Number(n % 3 !== 0) : 99);
      expect(batch.rewards[i]).toBe(inside ? n / 8 : 99);
    }
    expect(drawn.size).toBeGreaterThan(1);
    // A copy: what is added later leaves the batch alone.
    const before = observations.slice();
    for (let n = 100; n < 108; n++) held.add(row(n));
    expect(observations).toEqual(before);
    held.copyObservation(3, observations, 9);
    expect([...observations.subarray(18)]).toEqual([103, 103.25]);
  });

  it('is gathered from without rewards where none are wanted', () => {
    const { rewards: _, ...batch } = target(3);
    buffer(4, 2).sample(3, new Random(1), batch);
    expect(batch.actions.every((action) => action === 0 || action === -1)).toBe(true);
  });

  it('draws the same rows from the same generator', () => {
    const [left, right] = [target(64), target(64)];
    buffer(50, 90).sample(64, new Random(9), left);
    buffer(50, 90).sample(64, new Random(9), right);
    expect(left).toEqual(right);
  });

  it.each([3, 8, 21])('restores what contents gave after %i rows, and goes on alike', (rows) => {
    const original = buffer(8, rows);
    original.add(row(50, { observation: [-0, 1e-45], reward: Number.NaN }));
    const saved = structuredClone(original.contents());
    const restored = buffer(8, 5);
    restored.restore(saved);
    expect(restored.contents()).toEqual(original.contents());
    for (const held of [original, restored]) for (let n = 60; n < 66; n++) held.add(row(n));
    expect(restored.contents()).toEqual(original.contents());
    const [left, right] = [target(20), target(20)];
    original.sample(20, new Random(2), left);
    restored.sample(20, new Random(2), right);
    expect(right).toEqual(left);
  });

  it('restores a checkpoint of version 0.1, where next observations were stored a second time', () => {
    for (const rows of [3, 8, 21]) {
      const now = buffer(8, rows);
      const n = now.size;
      const at = (slot: number): number => -now.contents().arrays.actions![slot]!;
      const { actions, continues, rewards } = now.contents().arrays;
      const old = {
        observations: Float32Array.from({ length: 2 * n }, (_, i) => at(i >> 1) + 0.25 * (i % 2)),
        nextObservations: Float32Array.from({ length: 2 * n }, (_, i) => at(i >> 1) + 1 + 0.25 * (i % 2)),
        actions: actions!,
        continues: continues!,
        rewards: rewards!,
      };
      const restored = buffer(8, 5);
      restored.restore({ counters: now.contents().counters, arrays: old });
      expect(restored.contents()).toEqual(now.contents());
      expect(restored.observationsHeld).toBe(n + 1);
      const short = { ...old, nextObservations: old.nextObservations.subarray(1) };
      expect(() => restored.restore({ counters: now.contents().counters, arrays: short })).toThrow(mismatch);
    }
  });

  it('refuses contents of another shape, and stays as it was', () => {
    const saved = structuredClone(buffer(8, 9).contents());
    const { counters, arrays } = saved;
    const other = (change: Record<string, Float32Array | Int32Array>) => ({
      counters,
      arrays: { ...arrays, ...change },
    });
    const held = buffer(8, 4);
    const before = structuredClone(held.contents());
    const observations = arrays['observations.state.0'] as Float32Array;
    for (const wrong of [
      { counters: { ...counters, cursor: 8 }, arrays },
      other({ rewards: (arrays.rewards as Float32Array).subarray(1) }),
      other({ rows: (arrays.rows as Int32Array).map((n) => n + 1) }),
      other({ rows: (arrays.rows as Int32Array).toReversed() }),
      other({ 'observations.state.0': observations.subarray(2) }),
      other({ 'observations.state.0': observations.subarray(1) }),
      { counters, arrays: Object.fromEntries(Object.entries(arrays).filter(([name]) => !/^obs/.test(name))) },
    ]) {
      expect(() => held.restore(wrong)).toThrow(mismatch);
      expect(held.contents()).toEqual(before);
    }
    expect(() => buffer(4).restore(saved)).toThrow(mismatch);
    expect(() => new ReplayBuffer(8, vectorObservation(3), 1).restore(saved)).toThrow(mismatch);
    expect(() => new ReplayBuffer(8, vectorObservation(2), 2).restore(saved)).toThrow(mismatch);
  });

  it.each<[string, Partial<BufferRow>]>([
    ['NaN in the observation', { observation: [0, Number.NaN] }],
    ['an infinite action', { action: [Number.POSITIVE_INFINITY] }],
    ['NaN in the next observation', { nextObservation: [Number.NaN, 0] }],
    ['a number beyond float32', { observation: [1e39, 0] }],
    ['a short observation', { observation: [0] }],
    ['a long action', { action: [0, 0] }],
    ['no next observation', { nextObservation: [] }],
  ])('refuses %s and stays as it was', (_, change) => {
    for (const rows of [0, 3, 6]) {
      const held = buffer(4, rows);
      const before = structuredClone(held.contents());
      expect(() => held.add(row(9, change))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      expect(held.contents()).toEqual(before);
    }
  });

  it('cannot be sampled while it is empty', () => {
    expect(() => buffer(4).sample(1, new Random(1), target(1))).toThrow(/empty/);
  });
});

/** A buffer that keeps both observations of every transition: what the other must be indistinguishable from. */
class NaiveBuffer {
  readonly #held: BufferRow[] = [];
  #added = 0;

  constructor(readonly capacity: number) {}

  add(added: BufferRow): void {
    this.#held[this.#added++ % this.capacity] = structuredClone(added);
  }

  sample(count: number, random: Random): BufferRow[] {
    return Array.from({ length: count }, () => this.#held[random.integer(this.#held.length)]!);
  }
}

describe('a buffer that stores observations once', () => {
  const spec: readonly Block[] = [
    { name: 'state', shape: [2], dtype: 'float32', normalise: 'standard' },
    { name: 'camera', shape: [1, 3], dtype: 'uint8', normalise: 'unit' },
  ];
  /** Few different values: observations are equal by chance, in one block or in both. */
  const observation = fc.record({
    state: fc.tuple(fc.constantFrom(0, -0, 1.5, 1e-45), fc.constantFrom(0, 2)).map((x) => Float32Array.from(x)),
    camera: fc.tuple(fc.constantFrom(0, 255), fc.constant(7), fc.constantFrom(1, 2)).map((x) => Uint8Array.from(x)),
  });
  const episode = fc.record({
    observations: fc.array(observation, { minLength: 2, maxLength: 12 }),
    /** The robot that this episode is of: those of several robots come interleaved. */
    robot: fc.integer({ min: 0, max: 2 }),
    /** A step that was lost: no transition reaches across it. */
    gap: fc.option(fc.integer({ min: 0, max: 10 }), { nil: -1 }),
    terminated: fc.boolean(),
  });
  type Episode = typeof episode extends fc.Arbitrary<infer T> ? T : never;

  const transitionsOf = ({ observations, gap, terminated }: Episode, first: number): BufferRow[] =>
    observations.slice(1).flatMap((next, t) =>
      t === gap
        ? []
        : [
            {
              observation: observations[t]!,
              action: [first + t],
              nextObservation: next,
              terminated: terminated && t === observations.length - 2,
              reward: first - t,
            },
          ],
    );

  /** The steps of every robot in order, those of different robots in turns. */
  const interleaved = (episodes: readonly Episode[]): BufferRow[] => {
    const robots = [0, 1, 2].map((robot) =>
      episodes.filter((each) => each.robot === robot).flatMap((each, i) => transitionsOf(each, 100 * robot + 20 * i)),
    );
    const rows: BufferRow[] = [];
    for (let t = 0; robots.some((steps) => t < steps.length); t++)
      for (const steps of robots) if (t < steps.length) rows.push(steps[t]!);
    return rows;
  };

  const batchOf = (rows: number) => ({
    observations: { state: new Float32Array(2 * rows), camera: new Uint8Array(3 * rows) },
    actions: new Float32Array(rows),
    nextObservations: { state: new Float32Array(2 * rows), camera: new Uint8Array(3 * rows) },
    continues: new Float32Array(rows),
    rewards: new Float32Array(rows),
  });
  const rowOf = (batch: ReturnType<typeof batchOf>, i: number): BufferRow => {
    const blocks = ({ state, camera }: Record<string, BlockArray>) => ({
      state: state!.slice(2 * i, 2 * i + 2),
      camera: camera!.slice(3 * i, 3 * i + 3),
    });
    return {
      observation: blocks(batch.observations),
      action: [batch.actions[i]!],
      nextObservation: blocks(batch.nextObservations),
      terminated: batch.continues[i] === 0,
      reward: batch.rewards[i]!,
    };
  };

  it('gives what a buffer gives that stores both: episodes of several robots, gaps, wrap-around, restored half-way', () => {
    fc.assert(
      fc.property(
        fc.array(episode, { minLength: 1, maxLength: 24 }),
        fc.constantFrom(1, 2, 3, 7, 20, 70),
        fc.boolean(),
        fc.nat(200),
        (episodes, capacity, inTurns, restoredAt) => {
          const rows = inTurns ? interleaved(episodes) : episodes.flatMap((each, i) => transitionsOf(each, 20 * i));
          let held = new ReplayBuffer(capacity, spec, 1);
          const naive = new NaiveBuffer(capacity);
          rows.forEach((each, n) => {
            held.add(each);
            naive.add(each);
            expect(held.observationsHeld).toBeLessThanOrEqual(2 * held.size);
            expect(held.observationsHeld).toBeGreaterThan(held.size);
            if (n === restoredAt) {
              const saved = structuredClone(held.contents());
              held = new ReplayBuffer(capacity, spec, 1);
              held.restore(saved);
              expect(held.contents()).toEqual(saved);
            }
            const batch = batchOf(3);
            held.sample(3, new Random(n), batch);
            naive.sample(3, new Random(n)).forEach((expected, i) => {
              expect(rowOf(batch, i)).toStrictEqual(expected);
            });
          });
        },
      ),
      { numRuns: 80 },
    );
  });

  it('joins pieces up to a size and gives larger ones as they lie, in the order of the rows', async () => {
    const { ObservationRows } = await import('#src/learning/data/observation-rows.js');
    // Rows so large that their chunks are small.
    const pixels = 8192;
    const [numbers, camera] = spec as [Block, Block];
    const rows = new ObservationRows([numbers, { ...camera, shape: [pixels] }], 200);
    const [first, last] = [300, 480];
    for (let n = 0; n <= last; n++) {
      rows.push([[n, -n], new Uint8Array(pixels).fill(n % 256)]);
      if (n >= last - first) rows.release(rows.after(rows.start, rows.held === last - first + 1 ? 0 : 1));
    }
    expect(rows.held).toBe(last - first + 1);
    for (const most of [1, 100, 1e9]) {
      const pieces = rows.pieces(0, most);
      expect(pieces.length).toBe(most === 1e9 ? 1 : pieces.length);
      const values = pieces.flatMap((piece) => [...piece]);
      expect(values).toEqual(Array.from({ length: last - first + 1 }, (_, i) => [first + i, -first - i]).flat());
    }
    expect(rows.pieces(1, 1).length).toBeGreaterThan(30);
    expect(rows.pieces(1, 1)[0]).toBeInstanceOf(Uint8Array);
  });
});
