import { describe, expect, it } from 'vitest';
import { Lease } from '#src/nodes/kit/lease.js';
import type { Logger } from '#src/platform/index.js';

describe('fault F35: the lease of a robot', () => {
  it('is held by the activation with the higher epoch, and by the higher name where epochs are equal', () => {
    const lease = new Lease('b', 10n);
    expect(lease.judge('a', 11n)).toBe('higher');
    expect(lease.judge('c', 9n)).toBe('lower');
    expect(lease.judge('a', 10n)).toBe('lower');
    expect(lease.judge('c', 10n)).toBe('higher');
  });

  it('of any two claims exactly one yields', () => {
    for (const [a, b] of [
      [new Lease('a', 1n), new Lease('b', 1n)],
      [new Lease('a', 2n), new Lease('b', 1n)],
      [new Lease('a', 1n), new Lease('a', 2n)],
    ] as const) {
      const claims = [a.judge(b.holder, b.epoch), b.judge(a.holder, a.epoch)];
      expect(claims.filter((claim) => claim === 'higher')).toHaveLength(1);
    }
  });

  it('knows its own messages, also those of an activation before; a later one under its name is another node', () => {
    const lease = new Lease('a', 10n);
    expect(lease.judge('a', 10n)).toBe('own');
    expect(lease.judge('a', 9n)).toBe('own');
    expect(lease.judge('a', 11n)).toBe('higher');
  });

  it('logs an older claim once, and yields to a newer one', () => {
    const lease = new Lease('a', 10n);
    const errors: string[] = [];
    const logger = { error: (message: string) => errors.push(message) } as unknown as Logger;
    expect([1n, 1n, 2n].map((epoch) => lease.yieldsTo('b', epoch, 'learner', logger))).toEqual([false, false, false]);
    expect(errors).toEqual(Array.from({ length: 2 }, () => expect.stringMatching(/another learner .* has to yield/)));
    expect(lease.yieldsTo('b', 11n, 'learner', logger)).toBe(true);
    expect(errors).toHaveLength(2);
  });
});
