import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
// The room's own part, below its face.
import { ControlTimer } from '#src/nodes/policy/control-timer.js';

const PERIOD_MS = 20;

/** A rhythm of 50 Hz on a clock that a test moves, with the times of its ticks. */
class Bench {
  readonly clock = new ManualClock();
  readonly ticks: { readonly ms: number; readonly missed: number }[] = [];
  whole = true;
  readonly rhythm = new ControlTimer({
    clock: this.clock,
    periodNs: BigInt(PERIOD_MS * 1e6),
    canTick: () => this.whole,
    tick: (missed) => this.ticks.push({ ms: this.ms, missed }),
  });

  get ms(): number {
    return Number(this.clock.nowNs()) / 1e6;
  }

  get times(): number[] {
    return this.ticks.map(({ ms }) => ms);
  }

  /** Time passes in steps of a tenth of a millisecond; what is said in them is heard. */
  async until(ms: number, said: Readonly<Record<string, (ms: number) => boolean>> = {}): Promise<void> {
    while (this.ms < ms - 1e-6) {
      this.clock.advanceMs(0.1);
      await vi.advanceTimersByTimeAsync(0.1);
      for (const [topic, speaks] of Object.entries(said))
        if (speaks(Math.round(this.ms * 10) / 10)) this.rhythm.received(topic);
    }
  }

  /** The event loop is blocked. */
  async block(ms: number): Promise<void> {
    this.clock.advanceMs(ms);
    await vi.advanceTimersByTimeAsync(ms);
  }
}

const every =
  (period: number, phase = 0) =>
  (ms: number): boolean =>
    Math.round((ms - phase) * 10) % Math.round(period * 10) === 0;

let bench: Bench;
beforeEach(() => {
  vi.useFakeTimers();
  bench = new Bench();
});
afterEach(() => {
  bench.rhythm.close();
  vi.useRealTimers();
});

describe('the rhythm of control', () => {
  it('answers state that comes at the rate at once, each once, whatever its phase', async () => {
    await bench.until(1007, { odom: every(20, 7) });
    const answered = bench.times.filter((ms) => every(20, 7)(ms));
    expect(answered.length).toBeGreaterThan(48);
    expect(bench.times.length - answered.length).toBeLessThanOrEqual(1); // before it found the phase
  });

  it('answers state that jitters by less than half a period at once', async () => {
    const jitter = (k: number): number => Math.round(((k * 7) % 10) - 5); // −5…4 ms
    const at = new Set(Array.from({ length: 50 }, (_, k) => 20 * (k + 1) + jitter(k)));
    await bench.until(1010, { odom: (ms) => at.has(ms) });
    expect(bench.times.filter((ms) => at.has(ms)).length).toBe(50);
    expect(bench.times.length).toBeLessThanOrEqual(51);
  });

  it('is not moved by state that is late for once: what jitters after it is answered at once', async () => {
    const at = new Set(Array.from({ length: 50 }, (_, k) => 20 * (k + 1) + (k % 10 === 4 ? 9 : k % 2 === 0 ? -4 : 3)));
    await bench.until(1010, { odom: (ms) => at.has(ms) });
    expect(bench.times.filter((ms) => at.has(ms)).length).toBe(50);
  });

  it('answers state that comes in time after some that was late, or with it', async () => {
    await bench.until(100, { odom: every(20) });
    const before = bench.times.length;
    await bench.block(32); // that of 120 ms is heard after what was due half a period later
    bench.rhythm.received('odom');
    await bench.until(160, { odom: every(20) });
    await bench.block(32); // those of 180 and 200 ms are heard together
    await bench.block(9);
    bench.rhythm.received('odom');
    bench.rhythm.received('odom');
    await bench.until(220, { odom: every(20) });
    const after = bench.times.slice(before).map((ms) => Math.round(ms));
    expect(after).toEqual([132, 132, 140, 160, 192, 201, 201, 220]);
  });

  it('follows a source that is a little faster or slower than described, without a beat', async () => {
    for (const period of [19.9, 20.1]) {
      const each = new Bench();
      await each.until(2000, { odom: every(period) });
      const answered = each.times.filter((ms) => every(period)(ms)).length;
      expect(answered).toBeGreaterThan(2000 / period - 3);
      each.rhythm.close();
    }
  });

  it('commands a robot with faster sensors no more often than its rate', async () => {
    for (const period of [2.5, 5, 8, 13]) {
      const each = new Bench();
      await each.until(2000, { imu: every(period) });
      expect(each.times.length).toBeLessThanOrEqual(102);
      expect(each.times.length).toBeGreaterThan(75);
      each.rhythm.close();
    }
  });

  it('goes on without state, at the rate, the first time half a period late', async () => {
    await bench.until(100, { odom: every(20) });
    const before = bench.times.length;
    await bench.until(400);
    const silent = bench.times.slice(before);
    expect(silent[0]! - 100).toBeLessThan(31.5);
    for (let i = 1; i < silent.length; i++) expect(Math.abs(silent[i]! - silent[i - 1]! - 20)).toBeLessThan(2);
    expect(bench.ticks.every(({ missed }) => missed === 0)).toBe(true);
  });

  it('waits for all topics of a cycle, whichever comes first', async () => {
    // The scan of a cycle is 2 ms behind its odometry; the first odometry is missed.
    await bench.until(500, { scan: every(20, 4), odom: (ms) => ms > 10 && every(20, 2)(ms) });
    const late = bench.times.filter((ms) => ms > 100);
    expect(late.length).toBeGreaterThan(18);
    for (const ms of late) expect(every(20, 4)(ms)).toBe(true);
  });

  it('does not wait for what speaks now and then, nor for who went silent', async () => {
    await bench.until(1000, { odom: every(20), goal: every(500) });
    expect(bench.times.filter((ms) => every(20)(ms)).length).toBeGreaterThan(45);
    const before = bench.times.length;
    await bench.until(2000, { odom: every(20, 3) });
    expect(bench.times.slice(before).filter((ms) => every(20, 3)(ms)).length).toBeGreaterThan(47);
  });

  it('does not answer state before what belongs to it has come', async () => {
    await bench.until(100, { odom: every(20) });
    bench.whole = false;
    await bench.until(122, { odom: every(20) });
    expect(bench.times).not.toContain(120);
    bench.whole = true;
    bench.rhythm.tickIfDue();
    expect(bench.times.at(-1)).toBeCloseTo(122, 5);
  });

  it('tells how many ticks were missed where the event loop was blocked, and skips them', async () => {
    await bench.until(100, { odom: every(20) });
    const before = bench.ticks.length;
    await bench.block(130);
    await bench.until(231);
    expect(bench.ticks[before]!.missed).toBeGreaterThanOrEqual(5);
    expect(bench.ticks.length).toBe(before + 1);
    await bench.until(330);
    expect(bench.ticks.slice(before + 1).every(({ missed }) => missed === 0)).toBe(true);
  });

  it('is silent once it is closed', async () => {
    bench.rhythm.close();
    await bench.until(200);
    expect(bench.ticks).toEqual([]);
  });
});
