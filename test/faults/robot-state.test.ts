import { describe, expect, test } from 'vitest';
import { Random } from '#src/common/index.js';
import { stampOf } from '#src/messages/index.js';
import {
  checkContract,
  contractOf,
  createActionMapper,
  createObservationAssembler,
  createTakeoverDetector,
  type RobotSpec,
} from '#src/robot/index.js';
import { goal, hopperJoints, joints, ms, odometry, scan, vehicle } from '../robot/messages.js';
import { stateOf } from '../support/state.js';
import { cycle, heardUntil, hopper, running, zero } from './robot-support.js';

describe('fault F01: NaN or Inf in the state', () => {
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

describe('fault F02: state goes stale', () => {
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
      action: vehicle.action.map((feature) => ({ ...feature, unit: 'rad', stop: 'hold' })),
    };
    const filter = running(arm, [0.4, 0.5], { initial: [0.3, 0.3] });
    expect(filter.step(cycle(200, { observationStampAgeMs: 900 })).command).toEqual(Float32Array.of(0.4, 0.5));
  });
});

test('fault F03: joints missing, extra, reordered: mapped by name; missing ones are listed and nothing is observed', () => {
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

test('fault F04: wrong units or length: the contract names the field, what was found and what was expected', () => {
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

describe('fault F15: dropped, duplicated and reordered state', () => {
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

test('fault F16: burst of stale actions after a reconnect: expired ones and ones without expiry are ignored', () => {
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
