import { describe, expect, test } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import { Random } from '#src/common/index.js';
import { stampOf } from '#src/messages/index.js';
import type { Assembled, SafetyInput } from '#src/robot/index.js';
import {
  checkContract,
  contractOf,
  createActionMapper,
  createObservationAssembler,
  createSafetyFilter,
  createTakeoverDetector,
  loadRobotSpec,
  type RobotSpec,
  type SafetyFilter,
  SimulationClock,
} from '#src/robot/index.js';
import { goal, hopperJoints, joints, ms, odometry, scan, vehicle } from '../robot/messages.js';
import { stateOf } from '../support/state.js';

const hopper = loadRobotSpec('hopper');

/** A vehicle's state, heard every 100 ms from 0 on; `assemble` at that time. */
function heardUntil(untilMs: number) {
  const assembler = createObservationAssembler(vehicle);
  for (let at = 0; at <= untilMs; at += 100) {
    assembler.accept('/odom', odometry(at, { v: at / 1000 }), ms(at));
    assembler.accept('/scan', scan(at), ms(at));
    assembler.accept('/goal_pose', goal(at), ms(at));
  }
  return assembler;
}
const velocityOf = (result: Assembled): number => {
  if (!result.ok) throw new Error(result.text);
  return stateOf(result.observation)[vehicle.observation.findIndex(({ name }) => name === 'linear_velocity')]!;
};

/** A filter that has just executed the action at 100 ms. */
function running(spec: RobotSpec = vehicle, values: readonly number[] = [0.4, 0.5], options = {}): SafetyFilter {
  const filter = createSafetyFilter(spec, options);
  filter.step(cycle(0, { heartbeatNs: 0n }));
  expect(filter.step(cycle(100, { values, heartbeatNs: ms(100) })).state).toBe('RUNNING');
  return filter;
}
function cycle(atMs: number, change: Partial<SafetyInput> & { values?: readonly number[] } = {}): SafetyInput {
  const { values, ...rest } = change;
  return {
    nowNs: ms(atMs),
    action: values === undefined ? null : Float32Array.from(values),
    actionExpiryNs: values === undefined ? null : ms(atMs + 150),
    observationStampAgeMs: 0,
    takeover: null,
    estop: false,
    heartbeatNs: null,
    ...rest,
  };
}
const zero = new Float32Array(2);

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

describe('NaN or Inf in the state', () => {
  const bad: readonly [string, string, unknown][] = [
    ['odometry velocity NaN', '/odom', odometry(200, { v: Number.NaN })],
    ['odometry velocity Inf', '/odom', odometry(200, { v: Number.POSITIVE_INFINITY })],
    ['odometry position NaN', '/odom', odometry(200, { x: Number.NaN })],
    [
      'an orientation that is none',
      '/odom',
      (() => {
        const message = odometry(200);
        message.pose.pose.orientation.w = 0;
        return message;
      })(),
    ],
    [
      'a sector of the scan that is nothing but NaN',
      '/scan',
      scan(200, [
        ...new Array<number>(28).fill(1),
        ...new Array<number>(4).fill(Number.NaN),
        ...new Array<number>(28).fill(1),
      ]),
    ],
    [
      'a scan that is mostly NaN',
      '/scan',
      scan(
        200,
        Array.from({ length: 60 }, (_, i) => (i % 4 === 0 ? 1 : Number.NaN)),
      ),
    ],
    ['a scan without range_max', '/scan', scan(200, undefined, { range_max: Number.NaN })],
    ['a goal at NaN', '/goal_pose', goal(200, Number.NaN)],
  ];
  test.each(bad)('%s: the sample is dropped and counted, the last good one stays', (_, topic, message) => {
    const assembler = heardUntil(100);
    const before = assembler.assemble(ms(210));
    assembler.accept(topic, message, ms(200));
    expect(assembler.assemble(ms(210))).toEqual(before);
    expect(assembler.counters).toMatchObject({ accepted: 6, notFinite: 1 });
  });

  test('a joint that is NaN is dropped; one that no feature needs is not looked at', () => {
    const assembler = createObservationAssembler(hopper);
    const message = joints(0);
    message.effort = new Float64Array(6).fill(Number.NaN);
    (message.position as Float64Array)[0] = Number.NaN; // rootx's position is no feature
    assembler.accept('/joint_states', message, 0n);
    expect(assembler.assemble(0n).ok).toBe(true);
    const worse = joints(1);
    (worse.velocity as Float64Array)[5] = Number.NaN;
    assembler.accept('/joint_states', worse, 1n);
    expect(assembler.counters).toMatchObject({ accepted: 1, notFinite: 1 });
  });

  test('without a good sample for the timeout the state is stale, says why, and the robot stops', () => {
    const assembler = heardUntil(100);
    for (let at = 200; at <= 700; at += 100) {
      assembler.accept('/odom', odometry(at, { v: Number.NaN }), ms(at));
      assembler.accept('/scan', scan(at), ms(at));
    }
    const result = assembler.assemble(ms(601));
    expect(result).toMatchObject({ ok: false, reason: 'stale', topics: ['/odom'] });
    if (!result.ok) expect(result.text).toMatch(/\/odom is 501 ms old.*twist\.twist\.linear\.x is NaN/);
    expect(running().step(cycle(200, { values: [0.4, 0], observationStampAgeMs: null }))).toMatchObject({
      state: 'HOLDING',
      command: zero,
    });
  });
});

describe('state goes stale', () => {
  test('the assembler tells which topic and how old', () => {
    const assembler = heardUntil(100);
    assembler.accept('/odom', odometry(600), ms(600));
    expect(assembler.assemble(ms(600)).ok).toBe(true);
    const result = assembler.assemble(ms(601));
    expect(result).toMatchObject({ ok: false, reason: 'stale', topics: ['/scan'] });
    if (!result.ok) expect(result.text).toBe('/scan is 501 ms old, timeout 500 ms');
  });

  test('a vehicle gets zero within the timeout though the policy goes on, and drives again with fresh state', () => {
    const filter = running(vehicle, [0.4, 0.5], { staleMs: 100 });
    expect(filter.step(cycle(200, { values: [0.4, 0.5], observationStampAgeMs: 100 })).state).toBe('RUNNING');
    const stopped = filter.step(cycle(210, { values: [0.4, 0.5], observationStampAgeMs: 101 }));
    expect(stopped).toMatchObject({ state: 'HOLDING', source: 'hold', command: zero });
    expect(stopped.reason).toContain('101 ms old');
    expect(filter.step(cycle(300, { values: [0.4, 0.5] })).state).toBe('RUNNING');
    expect(filter.counters.stale).toBe(1);
  });

  test('an arm that is commanded by position holds its last command', () => {
    const arm: RobotSpec = {
      ...vehicle,
      stopMode: 'hold',
      action: vehicle.action.map((feature) => ({ ...feature, unit: 'rad' })),
    };
    const filter = running(arm, [0.4, 0.5], { initial: [0.3, 0.3] });
    expect(filter.step(cycle(200, { observationStampAgeMs: 900 })).command).toEqual(Float32Array.of(0.4, 0.5));
  });
});

test('joints missing, extra, reordered: mapped by name; missing ones are listed and nothing is observed', () => {
  const assembler = createObservationAssembler(hopper);
  const observe = (names: readonly string[], at: number) => {
    assembler.accept('/joint_states', joints(at, names), ms(at));
    return assembler.assemble(ms(at));
  };
  const straight = observe(hopperJoints, 0);
  const mixed = observe([...hopperJoints, 'gripper'].toReversed(), 10);
  if (!straight.ok || !mixed.ok) throw new Error('observed nothing');
  expect(mixed.observation).toEqual(straight.observation);
  assembler.reset();
  const result = observe(['rootx', 'rootz', 'rooty', 'leg_joint', 'wheel'], 20);
  expect(result).toMatchObject({ ok: false, reason: 'missing', topics: ['/joint_states'] });
  if (!result.ok)
    expect(result.text).toContain(
      'lacks the joints thigh_joint, foot_joint (it has rootx, rootz, rooty, leg_joint, wheel)',
    );
  const short = joints(30);
  short.velocity = [1, 2];
  assembler.accept('/joint_states', short, ms(30));
  expect(assembler.counters.incomplete).toBe(2);
});

test('wrong units or length: the contract names the field, what was found and what was expected', () => {
  const degrees = { ...hopper, observation: hopper.observation.map((f, i) => (i === 1 ? { ...f, unit: 'm' } : f)) };
  expect(() => checkContract(contractOf(degrees), hopper)).toThrow(
    /unit of observation\[1\] 'rooty_position' differs; found: m; expected: rad/,
  );
  const short = { ...hopper, action: hopper.action.slice(1) };
  expect(() => checkContract(contractOf(short), hopper)).toThrow(
    /action's names differs; found: 2 \(missing: thigh_joint/,
  );
  // A pose in another frame and a scan of too few beams are the same fault on the wire.
  const assembler = heardUntil(100);
  assembler.accept('/goal_pose', { ...goal(200), header: { stamp: stampOf(ms(200)), frame_id: 'map' } }, ms(200));
  assembler.accept('/scan', scan(200, [1, 1, 1]), ms(200));
  expect(assembler.counters).toMatchObject({ accepted: 6, wrongFrame: 1, incomplete: 1 });
});

describe('policy emits NaN, out of range, too fast', () => {
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

describe('simulation clock pauses', () => {
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

describe('clock jumps', () => {
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

describe('dropped, duplicated and reordered state', () => {
  test('newest wins; duplicates change nothing; all are counted; the stamps show the gap', () => {
    const random = new Random(3);
    const assembler = createObservationAssembler(hopper);
    let newest = -1;
    let expected = { accepted: 0, duplicates: 0, reordered: 0 };
    for (let i = 0; i < 300; i++) {
      // Mostly the next message, sometimes the one before again, sometimes one from shortly before, sometimes one is lost.
      const step = [1, 1, 1, 2, 0, -1][random.integer(6)]!;
      const tick = Math.max(newest + step, 0);
      const message = joints(tick * 8);
      (message.velocity as Float64Array)[0] = tick / 1000;
      assembler.accept('/joint_states', message, ms(i * 8));
      if (tick > newest) expected = { ...expected, accepted: expected.accepted + 1 };
      else if (tick === newest) expected = { ...expected, duplicates: expected.duplicates + 1 };
      else expected = { ...expected, reordered: expected.reordered + 1 };
      newest = Math.max(newest, tick);
      const result = assembler.assemble(ms(i * 8));
      if (!result.ok) throw new Error(result.text);
      expect(result.stampNs).toBe(ms(newest * 8));
      expect(stateOf(result.observation)[5]).toBe(Math.fround(newest / 1000));
    }
    expect(assembler.counters).toMatchObject(expected);
    expect(expected.duplicates).toBeGreaterThan(10);
    expect(expected.reordered).toBeGreaterThan(10);
  });

  test('actions older than the last executed are dropped', () => {
    const filter = running();
    filter.step(cycle(200, { values: [0.2, 0], actionStampNs: ms(190) }));
    const out = filter.step(cycle(210, { values: [0.5, 0], actionStampNs: ms(90) }));
    expect(out.command[0]).toBeCloseTo(0.2);
    expect(filter.counters.outdated).toBe(1);
  });
});

test('burst of stale actions after a reconnect: expired ones and ones without expiry are ignored', () => {
  const filter = running();
  filter.step(cycle(1000));
  for (let i = 0; i < 20; i++)
    expect(filter.step(cycle(1000, { values: [0.6, 0], actionExpiryNs: ms(200 + i) })).command).toEqual(zero);
  expect(filter.step(cycle(1000, { values: [0.6, 0], actionExpiryNs: null })).command).toEqual(zero);
  expect(filter.counters.expired).toBe(21);
  const mapper = createActionMapper(vehicle);
  const teleop = createTakeoverDetector(vehicle, mapper);
  for (let i = 0; i < 20; i++) teleop.accept(mapper.toMessage([0.6, 0], ms(100 + i)), ms(5000), ms(5000));
  expect(teleop.take()).toBeNull();
  expect(teleop.counters).toMatchObject({ accepted: 0, late: 20 });
  teleop.accept(mapper.toMessage([0.6, 0], ms(4990)), ms(5000), ms(5000));
  teleop.accept(mapper.toMessage([0.1, 0], ms(4980)), ms(5001), ms(5001));
  expect(teleop.take()?.[0]).toBeCloseTo(0.6);
});

describe('teleop takeover mid-action', () => {
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
    const filter = running({ ...vehicle, teleop: { ...vehicle.teleop, timeoutMs: 200 } });
    filter.step(cycle(200, { takeover: Float32Array.of(0.3, 0) }));
    expect(filter.step(cycle(400, { values: [0.4, 0] })).command[0]).toBeCloseTo(0.3);
    expect(filter.step(cycle(410, { values: [0.4, 0] }))).toMatchObject({ state: 'TAKEOVER', command: zero });
    expect(filter.step(cycle(701, { values: [0.4, 0] })).state).toBe('RUNNING');
  });

  test('an old action does not come back after the hand-back', () => {
    const filter = createSafetyFilter({ ...vehicle, command: { ...vehicle.command, timeoutMs: 9000 } });
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

describe('e-stop or dead-man released', () => {
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
