import { describe, expect, test } from 'vitest';
import { ManualClock, WallClock, wallClockNs } from '#src/common/clock.js';

/** A wall clock over a system whose whole milliseconds and steady clock a test moves. */
function made(startMs: number) {
  const steady = new ManualClock(7_000_000_123n);
  const system = { ms: startMs };
  const wall = new WallClock({ steady, nowMs: () => Math.floor(system.ms), fineMs: () => startMs });
  return {
    wall,
    system,
    advance(ms: number) {
      steady.advanceMs(ms);
      system.ms += ms;
    },
  };
}

describe('the time of day', () => {
  test('is finer than a millisecond: a command is stamped after the state that came in the same one', () => {
    const { wall, advance } = made(1_700_000_000_000.25);
    expect(wall.nowNs()).toBe(1_700_000_000_000_250_000n);
    advance(0.5);
    expect(wall.nowNs()).toBe(1_700_000_000_000_750_000n);
    advance(2);
    expect(wall.nowNs()).toBe(1_700_000_000_002_750_000n);
  });

  test('stays in the millisecond of the system: when it is set, and when it runs faster or slower than the steady clock', () => {
    const { wall, system, advance } = made(1_700_000_000_000.25);
    wall.nowNs();
    for (const step of [3_600_000, -7_200_000, 0.9, -0.9]) {
      system.ms += step;
      expect(wall.nowNs() / 1_000_000n).toBe(BigInt(Math.floor(system.ms)));
      advance(0.01);
      expect(wall.nowNs() / 1_000_000n).toBe(BigInt(Math.floor(system.ms)));
    }
  });

  test('of this computer agrees with Date.now() and never goes back', () => {
    let last = 0n;
    for (let i = 0; i < 20_000; i++) {
      const before = Date.now();
      const now = wallClockNs();
      expect(Number(now / 1_000_000n)).toBeGreaterThanOrEqual(before);
      expect(Number(now / 1_000_000n)).toBeLessThanOrEqual(Date.now());
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});
