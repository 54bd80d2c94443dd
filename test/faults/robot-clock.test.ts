import { describe, expect, test } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import { stampOf } from '#src/messages/index.js';
import { createObservationAssembler, SimulationClock } from '#src/robot/index.js';
import { goal, ms, odometry, scan, vehicle } from '../robot/messages.js';
import { cycle, heardUntil, running, velocityOf } from './robot-support.js';

describe('fault F10: simulation clock pauses', () => {
  test('stamps that stand still: a hanging driver goes stale, a paused simulation stays fresh; both go on', () => {
    for (const simulatedTime of [false, true]) {
      const assembler = createObservationAssembler(vehicle, { simulatedTime });
      const hear = (stampMs: number, atMs: number) => {
        assembler.accept('/odom', odometry(stampMs), ms(atMs));
        assembler.accept('/scan', scan(stampMs), ms(atMs));
        assembler.accept('/goal_pose', goal(stampMs), ms(atMs));
      };
      hear(100, 0);
      for (let at = 100; at <= 3000; at += 100) hear(100, at);
      expect(assembler.assemble(ms(3000)).ok).toBe(simulatedTime);
      hear(200, 3100);
      expect(assembler.assemble(ms(3100)).ok).toBe(true);
      expect(assembler.counters.clockJumps).toBe(0);
      // Silence is noticed in both: the watchdog is not on the simulation's clock.
      expect(assembler.assemble(ms(3601))).toMatchObject({ ok: false, reason: 'stale' });
    }
  });

  test('a pause holds without latching', () => {
    const filter = running();
    expect(filter.step(cycle(5000, { observationStampAgeMs: 4900 })).state).toBe('HOLDING');
    expect(filter.step(cycle(5100, { values: [0.4, 0.5] })).state).toBe('RUNNING');
  });
});

describe('fault F11: clock jumps', () => {
  test.each([
    ['back', 60_000, 1000],
    ['forward', 1000, 60_000],
  ])('%s: history is dropped, said once, and nothing of before is mixed with what follows', (_, beforeMs, afterMs) => {
    const assembler = createObservationAssembler(vehicle);
    const hear = (stampMs: number, atMs: number, v: number) => {
      assembler.accept('/odom', odometry(stampMs, { v }), ms(atMs));
      assembler.accept('/scan', scan(stampMs), ms(atMs));
    };
    hear(beforeMs, 0, 0.1);
    assembler.accept('/goal_pose', goal(beforeMs), 0n);
    expect(velocityOf(assembler.assemble(0n))).toBeCloseTo(0.1);
    hear(afterMs, 100, 0.2);
    expect(assembler.assemble(ms(100))).toMatchObject({ ok: false, reason: 'clock_jump', topics: ['/odom'] });
    expect(assembler.assemble(ms(100))).toMatchObject({ ok: false, reason: 'missing', topics: ['/goal_pose'] });
    assembler.accept('/goal_pose', goal(afterMs), ms(101));
    const result = assembler.assemble(ms(110));
    expect(velocityOf(result)).toBeCloseTo(0.2);
    expect(result).toMatchObject({ stampNs: ms(afterMs) });
    expect(assembler.counters.clockJumps).toBe(1);
  });

  test('a pause of the sender is no jump: time passed on the steady clock too', () => {
    const assembler = heardUntil(100);
    assembler.accept('/odom', odometry(60_100), ms(60_000));
    expect(assembler.counters.clockJumps).toBe(0);
  });

  test('a small step back is a late message at first; when it stays, the clock has jumped', () => {
    const assembler = heardUntil(1000);
    for (let i = 0; i < 4; i++) assembler.accept('/odom', odometry(500 + i, { v: 0.01 }), ms(1100 + i));
    expect(velocityOf(assembler.assemble(ms(1110)))).toBe(1);
    expect(assembler.counters).toMatchObject({ reordered: 4, clockJumps: 0 });
    assembler.accept('/odom', odometry(504, { v: 0.01 }), ms(1104));
    expect(assembler.assemble(ms(1110))).toMatchObject({ ok: false, reason: 'clock_jump' });
  });

  test('/clock tells it: back, or far forward at once', () => {
    const time = new SimulationClock(new ManualClock());
    expect([0, 100, 200, 90, 190, 60_000].map((at) => time.accept({ clock: stampOf(ms(at)) }))).toEqual([
      false,
      false,
      false,
      true,
      false,
      true,
    ]);
    expect(time.jumps).toBe(2);
  });
});

test('/clock never arrives: waiting for 5 s, then a message that says what is missing and what to do', () => {
  const clock = new ManualClock(ms(123));
  const time = new SimulationClock(clock);
  clock.advanceMs(4999);
  expect(time.status().state).toBe('waiting');
  clock.advanceMs(1);
  expect(time.status()).toEqual({
    state: 'missing',
    text: 'no /clock for 5.0 s: start the simulation, or run without simulated time',
  });
  time.accept({ clock: stampOf(0n) });
  expect(time.status().state).toBe('running');
});
