import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SafetyInput } from '#src/robot/index.js';
import { createSafetyFilter, parseRobotSpec, type RobotSpec, type SafetyOutput } from '#src/robot/index.js';
import { ms, vehicle } from './messages.js';

fc.configureGlobal({ seed: 20261121 });

/** Slow enough that rates matter: 1 m/s² and 4 rad/s². */
const slow: RobotSpec = {
  ...vehicle,
  action: vehicle.action.map((feature, i) => ({ ...feature, maxRate: i === 0 ? 1 : 4 })),
};
const holder = parseRobotSpec(
  `
robot: holder
description: Two joints commanded by position.
rate_hz: 20
frame_id: base_link
state: { /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 100 } }
observation: [{ topic: /joint_states, joints: [a, b], quantity: position, unit: rad }]
command: { topic: /controller/joint_trajectory, type: trajectory_msgs/msg/JointTrajectory, timeout_ms: 100 }
teleop: { topic: /teleop }
action:
  - { name: a, joint: a, unit: rad, low: 0.1, high: 2.3, max_rate: 2 }
  - { name: b, joint: b, unit: rad, low: -1.7, high: 0.7 }
estop_topic: /estop
stop: hold
`,
  'holder.yaml',
);

/** A cycle in which all is well; `action` is fresh and valid for 200 ms. */
function cycle(atMs: number, change: Partial<Omit<SafetyInput, 'nowNs'>> & { values?: number[] } = {}): SafetyInput {
  const { values, ...rest } = change;
  return {
    nowNs: ms(atMs),
    action: values === undefined ? null : Float32Array.from(values),
    actionExpiryNs: values === undefined ? null : ms(atMs + 200),
    observationStampAgeMs: 0,
    takeover: null,
    estop: false,
    heartbeatNs: null,
    ...rest,
  };
}
const numbers = ({ command }: SafetyOutput): number[] => [...command].map((value) => Math.round(value * 1e4) / 1e4 + 0);

describe('safety filter', () => {
  test('a sound action passes as it is', () => {
    const filter = createSafetyFilter(vehicle);
    filter.step(cycle(0));
    const out = filter.step(cycle(100, { values: [0.3, -1] }));
    expect(out).toMatchObject({ source: 'policy', state: 'RUNNING', reason: '', clamped: false, rateLimited: false });
    expect([...out.command]).toEqual([Math.fround(0.3), -1]);
  });

  test('the dead-man button let go while a person drives is a stop until a reset; before and after, it is nothing', () => {
    const filter = createSafetyFilter(vehicle);
    const person = Float32Array.of(0.2, 0);
    filter.step(cycle(0));
    expect(filter.step(cycle(100, { values: [0.3, 0], deadmanReleased: true }))).toMatchObject({ state: 'RUNNING' });
    expect(filter.step(cycle(200, { takeover: person, deadmanReleased: false }))).toMatchObject({ state: 'TAKEOVER' });
    const stop = filter.step(cycle(210, { deadmanReleased: true }));
    expect(stop).toMatchObject({ state: 'ESTOP', source: 'stop', reason: 'the dead-man button was let go' });
    expect(numbers(stop)).toEqual([0, 0]);
    const held = filter.step(cycle(300, { takeover: person, deadmanReleased: false }));
    expect(held).toMatchObject({ state: 'ESTOP' });
    expect(filter.reset()).toMatchObject({ ok: true });
    expect(filter.step(cycle(400, { values: [0.3, 0], deadmanReleased: true }))).toMatchObject({ state: 'RUNNING' });
    // Handed back by silence, with the button held: letting go later is nothing.
    filter.step(cycle(500, { takeover: person, deadmanReleased: false }));
    filter.step(cycle(1200, { values: [0.3, 0], deadmanReleased: false }));
    expect(filter.step(cycle(1300, { values: [0.3, 0], deadmanReleased: true }))).toMatchObject({ state: 'RUNNING' });
  });

  test('why it stands, or who drives, is said with the topic, what was found and what is expected', () => {
    const filter = createSafetyFilter(vehicle, { heartbeatTimeoutMs: 200 });
    const reason = (at: number, rest: Partial<Parameters<typeof filter.step>[0]> = {}): string =>
      filter.step({ ...cycle(at), heartbeatNs: ms(at), ...rest }).reason;
    expect(reason(0, { heartbeatNs: null })).toBe(
      'no heartbeat of the e-stop yet: /estop has not been heard, expected a message every 200 ms',
    );
    expect(reason(100)).toBe('no action of the policy that has not expired, expected one every 100 ms');
    expect(reason(200, { actionProblem: 'no policy yet' })).toBe('no policy yet');
    expect(reason(300, { takeover: Float32Array.of(0.1, 0) })).toBe('a person has taken over, by /teleop/cmd_vel');
    expect(reason(900)).not.toMatch(/person|teleoperation/);
    expect(reason(1000, { takeover: Float32Array.of(0.1, 0), takeoverUntilNs: ms(1010) })).toMatch(/^a person/);
    expect(reason(1100)).toMatch(/^teleoperation went silent: \/teleop\/cmd_vel is 100 ms old, timeout \d+ ms$/);
    expect(reason(1200, { heartbeatNs: ms(900) })).toBe(
      'the heartbeat of the e-stop is missing: /estop is 300 ms old, timeout 200 ms',
    );
    expect(filter.reset()).toMatchObject({ ok: false });
    reason(1300);
    expect(filter.reset()).toMatchObject({ ok: true });
    expect(reason(1400, { estop: true })).toBe('e-stop: /estop: data was true, expected false');
  });

  test('where a person drives alone, letting go of the button holds, and holding it goes on', () => {
    const filter = createSafetyFilter(vehicle, { deadman: 'hold' });
    const person = Float32Array.of(0.2, 0);
    filter.step(cycle(0, { takeover: person, deadmanReleased: false }));
    const stop = filter.step(cycle(50, { deadmanReleased: true }));
    expect(stop).toMatchObject({ state: 'HOLDING', source: 'hold' });
    expect(numbers(stop)).toEqual([0, 0]);
    expect(filter.step(cycle(100, { takeover: person, deadmanReleased: false }))).toMatchObject({ state: 'TAKEOVER' });
  });

  test('overshoot is clamped, the range limits themselves are not', () => {
    const filter = createSafetyFilter(vehicle);
    filter.step(cycle(0));
    expect(filter.step(cycle(100, { values: [0.6, 1.8] }))).toMatchObject({ clamped: false });
    const out = filter.step(cycle(200, { values: [0.7, -2] }));
    expect(out.clamped).toBe(true);
    expect(out.command[0]).toBeLessThanOrEqual(0.6);
    expect(out.command[1]).toBeGreaterThanOrEqual(-1.8);
    expect(numbers(out)).toEqual([0.6, -1.8]);
  });

  test('rates hold on the steady clock, whatever the period, and a pause gives no leap', () => {
    const filter = createSafetyFilter(slow);
    filter.step(cycle(0));
    expect(numbers(filter.step(cycle(50, { values: [0.6, 0] })))).toEqual([0.05, 0]);
    const out = filter.step(cycle(150, { values: [0.6, 1.8] }));
    expect(numbers(out)).toEqual([0.15, 0.4]);
    expect(out.rateLimited).toBe(true);
    expect(numbers(filter.step(cycle(5000, { values: [0.6, 1.8] })))).toEqual([0.35, 1.2]);
    expect(numbers(filter.step(cycle(5000, { values: [0.6, 1.8] })))).toEqual([0.35, 1.2]);
  });

  test('an action holds until it expires, and never longer than the command timeout', () => {
    const filter = createSafetyFilter(vehicle);
    filter.step(cycle(0));
    filter.step(cycle(100, { values: [0.3, 0], actionExpiryNs: ms(250) }));
    expect(filter.step(cycle(200))).toMatchObject({ state: 'RUNNING' });
    expect(filter.step(cycle(250))).toMatchObject({ state: 'RUNNING' });
    const late = filter.step(cycle(251));
    expect(late).toMatchObject({ state: 'HOLDING', source: 'hold' });
    expect(numbers(late)).toEqual([0, 0]);
    filter.step(cycle(300, { values: [0.3, 0], actionExpiryNs: ms(3_600_000) }));
    expect(filter.step(cycle(800))).toMatchObject({ state: 'RUNNING' });
    expect(filter.step(cycle(801))).toMatchObject({ state: 'HOLDING' });
  });

  test('the caller may reuse its arrays', () => {
    const filter = createSafetyFilter(vehicle);
    filter.step(cycle(0));
    const action = Float32Array.of(0.3, 0);
    const input = { ...cycle(100), action, actionExpiryNs: ms(300) };
    const first = filter.step(input).command;
    action.fill(0.6);
    first.fill(9);
    expect(numbers(filter.step(cycle(200)))).toEqual([0.3, 0]);
  });

  test('a stopped arm holds its last command; a filter that does not know it is refused', () => {
    expect(() => createSafetyFilter(holder)).toThrow(/what to hold.*position of a, b/);
    const filter = createSafetyFilter(holder, { initial: [1, -1] });
    expect(numbers(filter.step(cycle(0, { observationStampAgeMs: null })))).toEqual([1, -1]);
    expect(numbers(filter.step(cycle(50, { values: [1.05, 0] })))).toEqual([1.05, 0]);
    expect(numbers(filter.step(cycle(100, { estop: true })))).toEqual([1.05, 0]);
    filter.seed([1.2, 0.1]);
    expect(numbers(filter.step(cycle(150)))).toEqual([1.2, 0.1]);
    expect(() => filter.seed([Number.NaN, 0])).toThrow(/finite/);
  });

  test('wrong options are refused', () => {
    for (const options of [{ staleMs: Number.NaN }, { quietMs: -1 }, { overshoot: Number.POSITIVE_INFINITY }])
      expect(() => createSafetyFilter(vehicle, options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('safety filter, whatever it is given', () => {
  const wild = fc.oneof(
    { weight: 6, arbitrary: fc.float({ min: -2, max: 2, noNaN: true }) },
    fc.constantFrom(
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      -0,
      3e38,
      -3e38,
      1e-45,
      0.6,
      -0.2,
      1.8,
    ),
  );
  const vector = fc
    .tuple(fc.array(wild, { minLength: 2, maxLength: 2 }), fc.integer({ min: 0, max: 20 }))
    .map(([values, odd]) => Float32Array.from(odd === 0 ? [...values, 0] : odd === 1 ? [] : values));
  const cycles = fc.array(
    fc.record({
      stepMs: fc.oneof(fc.constantFrom(0, 100), fc.double({ min: -50, max: 3000, noNaN: true })),
      action: fc.option(vector, { freq: 4 }),
      expiryMs: fc.option(fc.double({ min: -500, max: 1e6, noNaN: true }), { freq: 5 }),
      stampMs: fc.option(fc.integer({ min: 0, max: 1000 })),
      ageMs: fc.option(fc.constantFrom(0, 50, 100, 5000, Number.NaN, Number.POSITIVE_INFINITY, -5), { freq: 8 }),
      takeover: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: vector }),
      estop: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
      heartbeatMs: fc.option(fc.integer({ min: -3000, max: 0 }), { freq: 8 }),
      reset: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    }),
    { maxLength: 60 },
  );

  test.each([
    ['that stops at zero', slow, {}],
    ['that holds', holder, { initial: [1, 0] }],
    ['with a heartbeat', slow, { heartbeatTimeoutMs: 1000 }],
  ])(
    'a robot %s: finite, within limits and rates; after a latched stop nothing moves until reset',
    (_, spec, options) => {
      fc.assert(
        fc.property(cycles, (sequence) => {
          const filter = createSafetyFilter(spec, options);
          let nowMs = 1000;
          let newestMs: number | null = null;
          let last = [...filter.step({ ...cycle(nowMs), heartbeatNs: ms(nowMs) }).command];
          newestMs = nowMs;
          let latched = false;
          for (const { stepMs, action, expiryMs, stampMs, ageMs, takeover, estop, heartbeatMs, reset } of sequence) {
            nowMs += stepMs;
            const wasLatched: boolean = latched;
            const wasReset: boolean = reset && filter.reset().ok;
            const output: SafetyOutput = filter.step({
              nowNs: ms(nowMs),
              action,
              actionExpiryNs: expiryMs === null ? null : ms(nowMs + expiryMs),
              actionStampNs: stampMs === null ? null : ms(stampMs),
              observationStampAgeMs: ageMs,
              takeover,
              estop,
              heartbeatNs: heartbeatMs === null ? null : ms(nowMs + heartbeatMs),
            });
            const command = [...output.command];
            const seconds = Math.min(Math.max((nowMs - newestMs!) / 1000, 0), 2 / spec.rateHz);
            newestMs = Math.max(newestMs!, nowMs);
            const stopped = output.source === 'hold' || output.source === 'stop';
            expect(command).toHaveLength(spec.action.length);
            spec.action.forEach(({ low, high, maxRate, stop }, i) => {
              const value = command[i]!;
              expect(Number.isFinite(value)).toBe(true);
              expect(value).toBeGreaterThanOrEqual(low);
              expect(value).toBeLessThanOrEqual(high);
              if (stopped) expect(value).toBe(stop === 'zero' ? 0 : last[i]);
              else if (Number.isFinite(maxRate))
                expect(Math.abs(value - last[i]!)).toBeLessThanOrEqual(maxRate * seconds + 1e-5);
            });
            latched = output.state === 'ESTOP' || output.state === 'FAULT';
            // Out of a latched stop by a reset that was granted only; and never in a cycle with the e-stop pressed.
            if (wasLatched && !wasReset) expect(latched).toBe(true);
            if (estop) expect(output.state).toBe('ESTOP');
            if (latched) expect(output.source).toBe('stop');
            if (output.source === 'policy') {
              expect(output.state).toBe('RUNNING');
              expect(ageMs).not.toBeNull();
            }
            expect(output.state).toBe(filter.state);
            expect(output.reason === '').toBe(output.state === 'RUNNING');
            last = command;
          }
        }),
        { numRuns: 300 },
      );
    },
  );
});
