import { describe, expect, test } from 'vitest';
import { checkContract, contractOf, createSafetyFilter, type RobotSpec } from '#src/robot/index.js';
import { ms, vehicle } from '../robot/messages.js';
import { cycle, hopper, running, zero } from './robot-support.js';

const [command] = vehicle.commands;

describe('the control loop stood still', () => {
  test('stops though action and state are good, forgets the plan, goes on with a fresh action', () => {
    const filter = running();
    expect(filter.step(cycle(140, { blockedMs: 35 }))).toMatchObject({
      command: zero,
      state: 'HOLDING',
      source: 'hold',
      reason: 'the event loop was blocked for 35 ms',
    });
    expect(filter.step(cycle(150)).command).toEqual(zero); // the action of 100 ms would be good until 250
    expect(filter.step(cycle(160, { values: [0.1, 0.1] })).state).toBe('RUNNING');
  });

  test('a latched stop stays what it is', () => {
    const filter = running();
    filter.step(cycle(110, { estop: true }));
    expect(filter.step(cycle(200, { blockedMs: 90 })).state).toBe('ESTOP');
  });
});

describe('fault F05: policy emits NaN, out of range, too fast', () => {
  test.each([
    ['NaN', [Number.NaN, 0], /linear_velocity is NaN/],
    ['Inf', [0, Number.NEGATIVE_INFINITY], /angular_velocity is -Infinity/],
    ['far out of range', [50, 0], /linear_velocity is 50, far beyond -0.2…0.6/],
    ['a wrong length', [0, 0, 0], /3 numbers, not 2/],
  ])('%s: stopped at once, latched until reset', (_, values, reason) => {
    const filter = running();
    const out = filter.step(cycle(200, { values }));
    expect(out).toMatchObject({ state: 'FAULT', source: 'stop', command: zero });
    expect(out.reason).toMatch(reason);
    for (let at = 300; at < 1000; at += 100)
      expect(filter.step(cycle(at, { values: [0.4, 0] }))).toMatchObject({ state: 'FAULT', command: zero });
    expect(filter.reset().ok).toBe(true);
    expect(filter.step(cycle(1000)).command).toEqual(zero);
    expect(filter.step(cycle(1100, { values: [0.4, 0] })).state).toBe('RUNNING');
    expect(filter.counters.faults).toBe(1);
  });

  test('small overshoot is clamped, too fast is slowed down, and the command says what is executed', () => {
    const filter = running({ ...vehicle, action: vehicle.action.map((f) => ({ ...f, maxRate: 1 })) }, [0, 0]);
    const out = filter.step(cycle(200, { values: [0.65, -1.8] }));
    expect(out).toMatchObject({ clamped: true, rateLimited: true, state: 'RUNNING' });
    expect(out.command[0]).toBeCloseTo(0.1, 5);
    expect(out.command[1]).toBeCloseTo(-0.1, 5);
  });
});

test('contract of another robot: refused by the name of the field', () => {
  expect(() => checkContract(contractOf(hopper), vehicle)).toThrow(
    expect.objectContaining({ code: 'MISMATCH', found: "'hopper'", expected: "'vehicle'" }),
  );
});

test('inference slower than the period: the last action holds until its deadline, then a stop; overruns are counted', () => {
  const filter = running();
  expect(filter.step(cycle(200)).state).toBe('RUNNING');
  for (const at of [300, 400]) expect(filter.step(cycle(at))).toMatchObject({ state: 'HOLDING', command: zero });
  expect(filter.counters.overruns).toBe(1);
  // What comes too late is not executed; the next one in time is.
  expect(filter.step(cycle(500, { values: [0.4, 0.5], actionExpiryNs: ms(450) })).command).toEqual(zero);
  expect(filter.step(cycle(600, { values: [0.4, 0.5] })).state).toBe('RUNNING');
  filter.step(cycle(800));
  expect(filter.counters).toMatchObject({ overruns: 2, expired: 1 });
});

describe('fault F28: teleop takeover mid-action', () => {
  const slow: RobotSpec = { ...vehicle, action: vehicle.action.map((f) => ({ ...f, maxRate: 2 })) };

  test('the policy is inhibited in the same cycle and stays so for the quiet time', () => {
    const filter = running();
    const out = filter.step(cycle(200, { values: [0.4, 0.5], takeover: Float32Array.of(-0.1, 0) }));
    expect(out).toMatchObject({ state: 'TAKEOVER', source: 'takeover' });
    expect(out.command[0]).toBeCloseTo(-0.1);
    for (const at of [300, 500, 700]) {
      const held = filter.step(cycle(at, { values: [0.4, 0.5] }));
      expect(held).toMatchObject({ state: 'TAKEOVER', source: 'takeover' });
      expect(held.command[0]).toBeCloseTo(-0.1);
    }
    expect(filter.step(cycle(701, { values: [0.4, 0.5] })).state).toBe('RUNNING');
  });

  test('hand-over and hand-back are bumpless: by the largest rate from what was executed last', () => {
    const filter = createSafetyFilter(slow);
    filter.step(cycle(0));
    let last = 0;
    for (let at = 100; at <= 3000; at += 100) {
      const takeover = at > 1000 && at <= 2000 ? Float32Array.of(-0.2, 0) : null;
      const { command, state } = filter.step(cycle(at, { values: [0.6, 0], takeover }));
      expect(Math.abs(command[0]! - last)).toBeLessThanOrEqual(0.2 + 1e-6);
      expect(state).toBe(at > 1000 && at <= 2500 ? 'TAKEOVER' : 'RUNNING');
      last = command[0]!;
    }
    expect(last).toBeCloseTo(0.6);
  });

  test('a person who falls silent is stopped at the topic timeout, before the policy goes on', () => {
    const filter = running({ ...vehicle, commands: [{ ...command, teleop: { ...command.teleop, timeoutMs: 200 } }] });
    filter.step(cycle(200, { takeover: Float32Array.of(0.3, 0) }));
    expect(filter.step(cycle(400, { values: [0.4, 0] })).command[0]).toBeCloseTo(0.3);
    expect(filter.step(cycle(410, { values: [0.4, 0] }))).toMatchObject({ state: 'TAKEOVER', command: zero });
    expect(filter.step(cycle(701, { values: [0.4, 0] })).state).toBe('RUNNING');
  });

  test('an old action does not come back after the hand-back', () => {
    const filter = createSafetyFilter({ ...vehicle, commands: [{ ...command, timeoutMs: 9000 }] });
    filter.step(cycle(0));
    expect(filter.step(cycle(100, { values: [0.4, 0], actionExpiryNs: ms(5000) })).state).toBe('RUNNING');
    filter.step(cycle(200, { takeover: Float32Array.of(0, 0) }));
    filter.step(cycle(300, { values: [0.4, 0], actionExpiryNs: ms(5000) }));
    expect(filter.step(cycle(701))).toMatchObject({ state: 'HOLDING', command: zero });
  });

  test('teleoperation that is NaN stops, inhibits the policy, and is counted', () => {
    const filter = running();
    const out = filter.step(cycle(200, { values: [0.4, 0], takeover: Float32Array.of(Number.NaN, 0) }));
    expect(out).toMatchObject({ state: 'TAKEOVER', source: 'stop', command: zero });
    expect(filter.counters.badTakeovers).toBe(1);
  });
});

describe('fault F29: e-stop or dead-man released', () => {
  test('zero at once, whatever else is asked for; latched; only an explicit reset with fresh state ends it', () => {
    const filter = running({ ...vehicle, action: vehicle.action.map((f) => ({ ...f, maxRate: 0.1 })) });
    const takeover = Float32Array.of(0.5, 0);
    expect(filter.step(cycle(200, { values: [0.4, 0], takeover, estop: true }))).toMatchObject({
      state: 'ESTOP',
      source: 'stop',
      command: zero,
    });
    expect(filter.reset()).toMatchObject({ ok: false, reason: expect.stringContaining('pressed') });
    expect(filter.step(cycle(300, { values: [0.4, 0], takeover }))).toMatchObject({ state: 'ESTOP', command: zero });
    filter.step(cycle(400, { observationStampAgeMs: null }));
    expect(filter.reset()).toMatchObject({ ok: false, reason: expect.stringContaining('not known') });
    filter.step(cycle(500, { observationStampAgeMs: 90_000 }));
    expect(filter.reset().ok).toBe(false);
    filter.step(cycle(600, { values: [0.4, 0], takeover }));
    expect(filter.reset().ok).toBe(true);
    // What was said while latched moves nothing afterwards.
    expect(filter.step(cycle(610))).toMatchObject({ state: 'HOLDING', command: zero });
    expect(filter.step(cycle(700, { values: [0.4, 0] })).state).toBe('RUNNING');
    expect(filter.counters.estops).toBe(1);
  });

  test('a missing heartbeat counts as e-stop, latched; before the first one nothing moves', () => {
    const filter = createSafetyFilter(vehicle, { heartbeatTimeoutMs: 250 });
    expect(filter.step(cycle(0, { values: [0.4, 0] }))).toMatchObject({ state: 'HOLDING', command: zero });
    expect(filter.step(cycle(100, { values: [0.4, 0], heartbeatNs: ms(90) })).state).toBe('RUNNING');
    expect(filter.step(cycle(340, { values: [0.4, 0], heartbeatNs: ms(90) })).state).toBe('RUNNING');
    const out = filter.step(cycle(341, { values: [0.4, 0], heartbeatNs: ms(90) }));
    expect(out).toMatchObject({ state: 'ESTOP', command: zero, reason: expect.stringContaining('heartbeat') });
    expect(filter.reset().ok).toBe(false);
    expect(filter.step(cycle(400, { values: [0.4, 0], heartbeatNs: ms(400) })).state).toBe('ESTOP');
    expect(filter.reset().ok).toBe(true);
  });
});
