import { describe, expect, it } from 'vitest';
import { DivergenceGuard } from '#src/learning/divergence-guard.js';

const state = (x: number) => ({ actor: Float32Array.of(x) });

describe('the guard against divergence', () => {
  it('lets one bad batch pass, and finds a mean that stays beyond its limits', () => {
    const guard = new DivergenceGuard({ q: [-10, 10] });
    for (let i = 0; i < 100; i++) expect(guard.after({ q: 1 })).toBeUndefined();
    expect(guard.after({ q: 300 })).toBeUndefined();
    for (let i = 0; i < 100; i++) expect(guard.after({ q: 1 })).toBeUndefined();
    let found: string | undefined;
    let updates = 0;
    for (; found === undefined; updates++) found = guard.after({ q: 50 });
    expect(updates).toBeLessThan(20);
    expect(found).toMatch(/train\/q = 1\d\.\d on average, beyond 10\.0/);
  });

  it('finds what is not finite at once, and metrics without limits are not its business', () => {
    const guard = new DivergenceGuard({ q: [-10, 10] });
    expect(guard.after({ critic_loss: 1e30, q: 0 })).toBeUndefined();
    expect(guard.after({ critic_loss: Number.NaN, q: 0 })).toBe('train/critic_loss = NaN');
  });

  it('keeps a state every thousand updates, but none of which a metric is near its limits', () => {
    const guard = new DivergenceGuard({ q: [-10, 10] });
    const kept: number[] = [];
    for (let update = 0; update < 4000; update++) {
      guard.before(update, () => {
        kept.push(update);
        return state(update);
      });
      guard.after({ q: update >= 1900 && update < 2500 ? 8 : 0 });
    }
    expect(kept.slice(0, 2)).toEqual([0, 1000]);
    expect(kept[2]).toBeGreaterThan(2500);
    expect(kept[2]).toBeLessThan(2600);
    expect(guard.back(4000, 'a reason')).toEqual(state(kept.at(-1)!));
  });

  it('gives up where going back three times has not helped, and says so', () => {
    const guard = new DivergenceGuard();
    guard.before(0, () => state(7));
    for (const [i, rates] of [0.25, 0.0625, 0.015625].entries()) {
      expect(guard.back(10 * (i + 1), 'train/q = NaN')).toEqual(state(7));
      expect(guard.rates).toBe(rates);
    }
    expect(guard.rollbacks).toHaveLength(3);
    expect(guard.rollbacks[2]).toEqual({ at: 30, to: 0, reason: 'train/q = NaN', rates: 0.015625 });
    expect(() => guard.back(40, 'train/q = NaN')).toThrow(/train\/q = NaN after 40 updates, 3 times before/);
  });

  it('goes on from what it saved', () => {
    const guard = new DivergenceGuard({ q: [-10, 10] });
    guard.before(0, () => state(3));
    guard.after({ q: 4 });
    guard.back(5, 'a reason');
    guard.after({ q: 6 });
    const { meta, good } = guard.save();
    const other = new DivergenceGuard({ q: [-10, 10] });
    other.restore(JSON.parse(JSON.stringify(meta)), good);
    expect(other.save()).toEqual(guard.save());
    expect(other.rates).toBe(0.25);
  });
});
