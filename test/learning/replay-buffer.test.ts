import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
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
  const made = new ReplayBuffer(capacity, 2, 1);
  for (let n = 0; n < rows; n++) made.add(row(n));
  return made;
};
const target = (rows: number): Record<keyof BatchTarget, Float32Array> => ({
  observations: new Float32Array(2 * rows),
  actions: new Float32Array(rows),
  nextObservations: new Float32Array(2 * rows),
  continues: new Float32Array(rows),
  rewards: new Float32Array(rows),
});

describe('the replay buffer', () => {
  it('is a ring: what is new goes over what is oldest', () => {
    const ring = buffer(4, 3);
    expect([ring.size, ring.added]).toEqual([3, 3]);
    for (let n = 3; n < 6; n++) ring.add(row(n));
    expect([ring.size, ring.added]).toEqual([4, 6]);
    const { observations, actions, nextObservations, continues, rewards, cursor, added } = ring.contents();
    expect([...observations]).toEqual([4, 4.25, 5, 5.25, 2, 2.25, 3, 3.25]);
    expect([...actions]).toEqual([-4, -5, -2, -3]);
    expect([...nextObservations]).toEqual([5, 5.25, 6, 6.25, 3, 3.25, 4, 4.25]);
    expect([...continues]).toEqual([1, 1, 1, 0]);
    expect([...rewards]).toEqual([0.5, 0.625, 0.25, 0.375]);
    expect([cursor, added]).toEqual([2, 6]);
  });

  it('has no reward where none was given', () => {
    const { reward: _, ...unrewarded } = row(1);
    const held = buffer(1);
    held.add(unrewarded);
    expect(held.contents().rewards[0]).toBeNaN();
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
    for (const array of Object.values(batch)) array.fill(99);
    const arrays = { ...batch };
    held.sample(5, new Random(1), batch, 3);
    expect(Object.entries(batch).every(([name, array]) => array === arrays[name as keyof typeof arrays])).toBe(true);
    const drawn = new Set<number>();
    for (let i = 0; i < 10; i++) {
      const n = -batch.actions[i]!;
      const inside = i >= 3 && i < 8;
      if (inside) drawn.add(n);
      expect([...batch.observations.subarray(2 * i, 2 * i + 2)]).toEqual(inside ? [n, n + 0.25] : [99, 99]);
      expect([...batch.nextObservations.subarray(2 * i, 2 * i + 2)]).toEqual(inside ? [n + 1, n + 1.25] : [99, 99]);
      expect(batch.continues[i]).toBe(inside ? Number(n % 3 !== 0) : 99);
      expect(batch.rewards[i]).toBe(inside ? n / 8 : 99);
    }
    expect(drawn.size).toBeGreaterThan(1);
    // A copy: what is added later leaves the batch alone.
    const before = batch.observations.slice();
    for (let n = 100; n < 108; n++) held.add(row(n));
    expect(batch.observations).toEqual(before);
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

  it('refuses contents of another shape', () => {
    const saved = structuredClone(buffer(8, 8).contents());
    const mismatch = expect.objectContaining({ code: 'MISMATCH' });
    expect(() => buffer(4).restore(saved)).toThrow(mismatch);
    expect(() => new ReplayBuffer(8, 3, 1).restore(saved)).toThrow(mismatch);
    expect(() => new ReplayBuffer(8, 2, 2).restore(saved)).toThrow(mismatch);
    expect(() => buffer(8).restore({ ...saved, cursor: 8 })).toThrow(mismatch);
    expect(() => buffer(8).restore({ ...saved, rewards: saved.rewards.subarray(1) })).toThrow(mismatch);
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
