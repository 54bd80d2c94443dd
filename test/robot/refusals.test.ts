import { describe, expect, test } from 'vitest';
import { emptyMessage, type JointState, type LaserScan, type PoseStamped, stampOf } from '#src/messages/index.js';
import {
  createObservationAssembler,
  describeRefusal,
  type ObservationAssembler,
  parseRobotSpec,
} from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import { goal, ms, odometry, scan, vehicle, vehicleText } from './messages.js';

/** Situations from public bug reports about other projects, made again with messages of our own. */

const at = (name: string): number => vehicle.observation.findIndex((feature) => feature.name === name);

function heard(spec = vehicle): ObservationAssembler {
  const assembler = createObservationAssembler(spec);
  assembler.accept('/odom', odometry(10_000), ms(0));
  assembler.accept('/scan', scan(10_000), ms(0));
  assembler.accept('/goal_pose', goal(10_000, 1), ms(0));
  return assembler;
}
function value(assembler: ObservationAssembler, name: string, atMs = 0): number {
  const result = assembler.assemble(ms(atMs));
  if (!result.ok) throw new Error(result.text);
  return stateOf(result.observation)[at(name)]!;
}
const unstamped = (message: PoseStamped): PoseStamped => ({
  ...message,
  header: { ...message.header, stamp: { sec: 0, nanosec: 0 } },
});
const texts = (assembler: ObservationAssembler): string[] =>
  assembler.refusals.map(({ refusal }) => describeRefusal(refusal));

describe('a stamp of 0 is no stamp (ros2 topic pub)', () => {
  test('every new goal counts, at its arrival', () => {
    const assembler = createObservationAssembler(vehicle);
    assembler.accept('/odom', odometry(10_000), ms(0));
    assembler.accept('/scan', scan(10_000), ms(0));
    expect(assembler.accept('/goal_pose', unstamped(goal(0, 1)), ms(0), ms(10_000))).toBe(true);
    expect(value(assembler, 'goal_distance')).toBe(1);
    expect(assembler.accept('/goal_pose', unstamped(goal(0, 2)), ms(50), ms(10_050))).toBe(true);
    expect(value(assembler, 'goal_distance', 60)).toBe(2);
    expect(assembler.stamps.get('/goal_pose')).toBe(ms(10_050));
  });

  test('also where the time of arrival is not known, and after stamped goals', () => {
    const assembler = heard();
    expect(assembler.accept('/goal_pose', unstamped(goal(0, 2)), ms(50))).toBe(true);
    expect(assembler.accept('/goal_pose', unstamped(goal(0, 1.5)), ms(60))).toBe(true);
    expect(value(assembler, 'goal_distance', 60)).toBe(1.5);
    expect(assembler.accept('/goal_pose', goal(10_100, 1), ms(70))).toBe(true);
    expect(assembler.counters).toMatchObject({ clockJumps: 0, reordered: 0 });
  });

  test('the same one again keeps it fresh', () => {
    const assembler = heard();
    assembler.accept('/goal_pose', unstamped(goal(0, 2)), ms(0));
    for (const time of [1000, 2000, 3000]) assembler.accept('/goal_pose', unstamped(goal(0, 2)), ms(time));
    expect(assembler.waitingFor(ms(3100))).not.toContain('/goal_pose');
  });

  test('in a simulation whose time begins at 0 it is a time: one that comes late is dropped', () => {
    const assembler = createObservationAssembler(vehicle);
    assembler.accept('/odom', odometry(0, { v: 0.1 }), ms(0), null);
    assembler.accept('/odom', odometry(100, { v: 0.2 }), ms(100), null);
    expect(assembler.accept('/odom', odometry(0, { v: 0.3 }), ms(110), null)).toBe(false);
    expect(assembler.counters.reordered).toBe(1);
  });
});

test('what was said once is still true after the clock of another topic jumped, and a newer one counts', () => {
  const assembler = heard(parseRobotSpec(vehicleText.replace('timeout_ms: 2000', 'timeout_ms: .inf'), 'once.yaml'));
  for (const [i, stamp] of [50_000, 5000].entries()) {
    assembler.accept('/odom', odometry(stamp), ms(1000 + 100 * i));
    expect(assembler.assemble(ms(1000 + 100 * i))).toMatchObject({
      ok: false,
      reason: 'clock_jump',
      topics: ['/odom'],
    });
    expect(assembler.waitingFor(ms(1010 + 100 * i))).not.toContain('/goal_pose');
    assembler.accept('/odom', odometry(stamp + 10), ms(1020 + 100 * i));
    assembler.accept('/scan', scan(stamp + 10), ms(1020 + 100 * i));
    const result = assembler.assemble(ms(1020 + 100 * i));
    expect(result).toMatchObject({ ok: true, stampNs: ms(stamp + 10) });
    expect(value(assembler, 'goal_distance', 1020 + 100 * i)).toBe(1);
  }
  expect(assembler.accept('/goal_pose', goal(5100, 2), ms(1200))).toBe(true);
  expect(value(assembler, 'goal_distance', 1200)).toBe(2);
  expect(assembler.counters.clockJumps).toBe(2);
});

test('another content with the same stamp is no repetition', () => {
  const assembler = heard();
  expect(assembler.accept('/goal_pose', goal(10_000, 2), ms(5))).toBe(true);
  expect(value(assembler, 'goal_distance', 5)).toBe(2);
  expect(assembler.accept('/goal_pose', goal(10_000, 2), ms(6))).toBe(false);
  expect(assembler.counters.duplicates).toBe(1);
});

describe('ranges by REP 117', () => {
  const ranges = (touch: (ranges: number[]) => void): number[] => {
    const made = new Array<number>(60).fill(1.5);
    touch(made);
    return made;
  };
  const sector = (message: LaserScan, index: number): number => {
    const assembler = heard();
    assembler.accept('/scan', message, ms(1));
    return value(assembler, `scan_${index}`);
  };

  test('a NaN beam is no measurement: the others of its sector count', () => {
    const message = scan(
      10_100,
      ranges((r) => r.splice(0, 2, Number.NaN, Number.NaN)),
    );
    expect(sector(message, 0)).toBe(1.5);
  });

  test('0 is no measurement, whatever range_min says', () => {
    const zeros = ranges((r) => r.fill(0, 0, 30));
    expect(sector(scan(10_100, zeros, { range_min: 0 }), 0)).toBe(2);
    expect(sector(scan(10_100, zeros, { range_min: 0 }), 14)).toBe(1.5);
    expect(sector(scan(10_100, [...ranges(() => {})].fill(Number.NEGATIVE_INFINITY, 0, 1), { range_min: 0 }), 0)).toBe(
      0,
    );
  });

  test('a sensor without a largest range: free up to the limit of the feature', () => {
    const open = new Array<number>(60).fill(Number.POSITIVE_INFINITY);
    expect(sector(scan(10_100, open, { range_max: Number.POSITIVE_INFINITY }), 3)).toBe(2);
    const unlimited = parseRobotSpec(vehicleText.replace('sectors: 15, low: 0, high: 2', 'sectors: 15, low: 0'), 'v');
    const assembler = heard(unlimited);
    assembler.accept('/scan', scan(10_100, open, { range_max: Number.POSITIVE_INFINITY }), ms(1));
    expect(texts(assembler)).toEqual([
      '/scan: range_max is Infinity, expected metres above 0, or `high` at the feature',
    ]);
  });

  test('a sector, or most of the scan, of nothing but NaN is refused and named', () => {
    const assembler = heard();
    assembler.accept(
      '/scan',
      scan(
        10_100,
        ranges((r) => r.fill(Number.NaN, 0, 4)),
      ),
      ms(1),
    );
    expect(assembler.refusals).toMatchObject([
      { count: 1, refusal: { topic: '/scan', field: 'ranges', found: 'NaN in all 4 beams of sector 0' } },
    ]);
    assembler.accept(
      '/scan',
      scan(
        10_200,
        Array.from({ length: 60 }, (_, i) => (i % 4 === 0 ? 1 : Number.NaN)),
      ),
      ms(1),
    );
    expect(assembler.problemOf('/scan')).toBe(
      '/scan: ranges is NaN in 45 of 60 beams, expected measurements in most of the beams',
    );
  });
});

describe('orientations that are none', () => {
  test('do not matter where only the position counts: a goal that was typed by hand', () => {
    const typed = goal(10_100, 2);
    typed.pose.orientation = { x: 0, y: 0, z: 0, w: 0 };
    const assembler = heard();
    expect(assembler.accept('/goal_pose', typed, ms(1))).toBe(true);
    expect(value(assembler, 'goal_distance')).toBe(2);
  });

  test('are refused with their numbers where they turn something', () => {
    const message = odometry(10_100);
    message.pose.pose.orientation = { x: 0, y: 0, z: 0, w: 0 };
    const assembler = heard();
    expect(assembler.accept('/odom', message, ms(1))).toBe(false);
    expect(texts(assembler)).toEqual(['/odom: pose.orientation is (0, 0, 0, 0), expected a quaternion of length 1']);
  });

  test('an Imu that says that it has none', () => {
    const text = vehicleText
      .replace('  /scan:', '  /imu: { type: sensor_msgs/msg/Imu, timeout_ms: 500 }\n  /scan:')
      .replace('observation:', "observation:\n  - { name: turn, topic: /imu, field: orientation.z, unit: '1' }");
    const assembler = createObservationAssembler(parseRobotSpec(text, 'v'));
    const imu = emptyMessage('sensor_msgs/msg/Imu');
    imu.header.stamp = stampOf(ms(10_000));
    imu.orientation.w = 1;
    imu.orientation_covariance[0] = -1;
    expect(assembler.accept('/imu', imu, ms(0))).toBe(false);
    expect(texts(assembler)[0]).toContain('orientation_covariance[0] is -1, which says that there is none');
  });
});

describe('numbers that a float32 cannot hold', () => {
  test('are refused as infinite ones are, in fields, poses and joints', () => {
    const assembler = heard();
    const far = odometry(10_100, { v: 1e300 });
    expect(assembler.accept('/odom', far, ms(1))).toBe(false);
    expect(assembler.accept('/goal_pose', goal(10_100, -1e39), ms(1))).toBe(false);
    expect(texts(assembler)).toEqual([
      expect.stringMatching(/^\/odom: \S+ is 1e\+300, expected a number that a float32 can hold, at most 3\.4e38$/),
      '/goal_pose: pose.position.x is -1e+39, expected a number that a float32 can hold, at most 3.4e38',
    ]);
    expect(value(assembler, 'goal_distance')).toBe(1);
  });

  test('a scan whose range_min is beyond its range_max sees nothing, and is refused', () => {
    const assembler = heard();
    const wrong = scan(10_100, new Array(60).fill(1), { range_min: 5, range_max: 3.5 });
    expect(assembler.accept('/scan', wrong, ms(1))).toBe(false);
    expect(texts(assembler)).toEqual(['/scan: range_min is 5, expected at most range_max, 3.5']);
  });
});

describe('frames', () => {
  test('a leading slash does not count; another frame is refused with both names', () => {
    const framed = (frame_id: string) => ({ ...odometry(10_100), header: { stamp: stampOf(ms(10_100)), frame_id } });
    const assembler = heard();
    expect(assembler.accept('/odom', framed('/odom'), ms(1))).toBe(true);
    expect(assembler.accept('/odom', framed('bot1/odom'), ms(2))).toBe(false);
    expect(texts(assembler)).toEqual([
      "/odom: header.frame_id is 'bot1/odom', expected 'odom'; no transform came on /tf or /tf_static: publish (and record) the transform, or give it in that frame, or give the robot's namespace, bot1, where its topics are there, too",
    ]);
  });
});

describe('names that others have written', () => {
  test.each([
    ['escape sequences', '\u001b[31modom\n', "is '\\u001b[31modom\\u000a', expected 'odom'; no transform"],
    ['a text that turns the line around', 'a\u202eb', "is 'a\\u202eb', expected"],
    ['a name without end', 'x'.repeat(100_000), `is '${'x'.repeat(100)}… (100000 characters)', expected`],
  ])('%s do not reach a terminal or a log', (_, frame_id, said) => {
    const assembler = heard();
    expect(
      assembler.accept('/odom', { ...odometry(10_100), header: { stamp: stampOf(ms(10_100)), frame_id } }, ms(1)),
    ).toBe(false);
    expect(texts(assembler)[0]).toContain(said);
    expect(texts(assembler)[0]!.length).toBeLessThan(700);
    expect(texts(assembler)[0]).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

describe('joint states', () => {
  const arm = (extra = '') =>
    parseRobotSpec(
      `
robot: arm
description: An arm and its gripper.
rate_hz: 20
frame_id: base
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 200 }
observation:
  - { topic: /joint_states, joints: [j1, grip], quantity: position, unit: rad }
${extra}
command: { topic: /cmd, type: sensor_msgs/msg/JointState, timeout_ms: 500 }
teleop: { topic: /teleop }
action:
  - { name: j1, joint: j1, unit: rad, low: -3, high: 3 }
estop_topic: /estop
stop: hold
`,
      'arm.yaml',
    );
  const state = (stampMs: number, values: Record<string, number>, velocity: number[] = []): JointState => ({
    header: { stamp: stampOf(ms(stampMs)), frame_id: '' },
    name: Object.keys(values),
    position: Object.values(values),
    velocity,
    effort: [],
  });
  const observed = (assembler: ObservationAssembler, atMs: number): number[] => {
    const result = assembler.assemble(ms(atMs));
    if (!result.ok) throw new Error(result.text);
    return [...stateOf(result.observation)];
  };

  test('spread over two publishers are put together; strangers are passed over', () => {
    const assembler = createObservationAssembler(arm());
    assembler.accept('/joint_states', state(1000, { j1: 0.5, j9: 9 }), ms(0));
    expect(assembler.waitingFor(ms(0))).toBe('/joint_states: lacks the joints grip (it has j1, j9)');
    expect(assembler.accept('/joint_states', state(1000, { grip: 0.25 }), ms(1))).toBe(true);
    expect(assembler.accept('/joint_states', state(1002, { wheel: 7 }), ms(2))).toBe(false);
    expect(observed(assembler, 2)).toEqual([0.5, 0.25]);
    expect(assembler.accept('/joint_states', state(1050, { j1: 1 }), ms(50))).toBe(true);
    expect(observed(assembler, 50)).toEqual([1, 0.25]);
    expect(assembler.stamps.get('/joint_states')).toBe(ms(1000));
    expect(assembler.counters).toMatchObject({ foreign: 1, duplicates: 0, reordered: 0, clockJumps: 0 });
  });

  test('one publisher that dies is noticed, and its joints are named', () => {
    const assembler = createObservationAssembler(arm());
    assembler.accept('/joint_states', state(1000, { grip: 0.25 }), ms(0));
    for (let t = 0; t <= 250; t += 50) assembler.accept('/joint_states', state(1000 + t, { j1: t }), ms(t));
    expect(assembler.waitingFor(ms(250))).toBe(
      '/joint_states is 250 ms old, timeout 200 ms: lacks the joints grip (it has j1)',
    );
  });

  test('two publishers that contradict each other about one joint: neither is believed, and it is said once', () => {
    const said: string[] = [];
    const assembler = createObservationAssembler(arm(), {
      onRefusal: (refusal) => said.push(describeRefusal(refusal)),
    });
    const grip = (t: number) => assembler.accept('/joint_states', state(1000 + t, { grip: 0.25 }), ms(t));
    for (let t = 0; t < 400; t += 20) {
      assembler.accept('/joint_states', state(1000 + t, { j1: -1, grip: 0.25 }), ms(t));
      assembler.accept('/joint_states', state(1010 + t, { j1: 0.5 + t / 1e4, other: 1 }), ms(t + 10));
      grip(t + 11);
    }
    expect(said).toEqual([
      expect.stringMatching(
        /^\/joint_states: position of j1 is -1 and 0\.5\d* by turns, expected one publisher of this joint$/,
      ),
    ]);
    expect(assembler.counters.contradictory).toBeGreaterThan(20);
    // The robot is not driven by what is not known: at once, and with the reason, whatever else is heard on the topic.
    const seen = assembler.look(ms(400));
    expect(seen).toMatchObject({ ok: false, reason: 'missing', topics: ['/joint_states'] });
    expect(assembler.waitingFor(ms(400))).toMatch(/^\/joint_states: position of j1 is -1 and 0\.5\d* by turns/);
    // One of them falls silent: the other is believed again.
    for (let t = 400; t < 1100; t += 20) {
      assembler.accept('/joint_states', state(1000 + t, { j1: 0.5 }), ms(t));
      grip(t);
    }
    expect(observed(assembler, 1080)).toEqual([0.5, 0.25]);
  });

  test.each<[string, (i: number) => number]>([
    ['swings as fast as it can be seen to', (i) => Math.sin((2 * Math.PI * i) / 4)],
    ['steps between two places and stays there', (i) => (Math.floor(i / 30) % 2 === 0 ? -1 : 1)],
    ['turns past half a turn and trembles', (i) => (i % 2 === 0 ? 3.14 : -3.14)],
    ['jumps once, as an episode begins anew', (i) => (i < 50 ? -1 : 1)],
    ['is a wheel that spins by half a turn between two messages', (i) => 3 * i],
  ])('a joint that %s has one publisher', (_, position) => {
    const assembler = createObservationAssembler(arm());
    for (let i = 0; i < 200; i++)
      assembler.accept('/joint_states', state(1000 + 20 * i, { j1: position(i), grip: 0.25 }), ms(20 * i));
    expect(assembler.counters).toMatchObject({ contradictory: 0, accepted: 200 });
  });

  test('a joint that its effort moves may swing to and fro between messages: a leg in a gallop', () => {
    const legs = arm().action.map((feature) => ({ ...feature, quantity: 'effort' as const }));
    const assembler = createObservationAssembler({ ...arm(), action: legs });
    for (let i = 0; i < 200; i++)
      assembler.accept(
        '/joint_states',
        state(1000 + 50 * i, { j1: i % 2 === 0 ? -0.57 : 0.43, grip: 0.25 }),
        ms(50 * i),
      );
    expect(assembler.counters).toMatchObject({ contradictory: 0, accepted: 200 });
  });

  test('where only joints of others come from now on, they are named', () => {
    const assembler = createObservationAssembler(arm());
    assembler.accept('/joint_states', state(1000, { j1: 0.5, grip: 0.25 }), ms(0));
    assembler.accept('/joint_states', state(1250, { wheel: 7 }), ms(250));
    expect(assembler.waitingFor(ms(250))).toMatch(
      /^\/joint_states is 250 ms old, timeout 200 ms: lacks .*\(it has wheel\)$/,
    );
    assembler.accept('/joint_states', state(1260, { j1: 0.5, grip: 0.25 }), ms(260));
    expect(assembler.waitingFor(ms(260))).toBe('');
  });

  test.each([
    ['from half a turn to minus that', 3.1, -3.1, 2 * Math.PI - 6.2],
    ['back', -3.1, 3.1, 6.2 - 2 * Math.PI],
    ['from a turn to 0', 6.2, 0.1, 2 * Math.PI - 6.1],
    ['on and on', 40, 46, 6],
  ])('a velocity from positions of an encoder that goes %s is that of the joint', (_, before, now, moved) => {
    const wanted = '  - { topic: /joint_states, joints: [j1], quantity: velocity, from: position, unit: rad/s }';
    const computing = createObservationAssembler(arm(wanted));
    computing.accept('/joint_states', state(1000, { j1: before, grip: 0 }), ms(0));
    computing.accept('/joint_states', state(1100, { j1: now, grip: 0 }), ms(100));
    expect(observed(computing, 100)[2]).toBeCloseTo(10 * moved, 4);
  });

  test('without velocities: the reason, and velocities from positions where the description asks for them', () => {
    const wanted = '  - { topic: /joint_states, joints: [j1], quantity: velocity, unit: rad/s }';
    const refusing = createObservationAssembler(arm(wanted));
    refusing.accept('/joint_states', state(1000, { j1: 0, grip: 0 }), ms(0));
    expect(texts(refusing)[0]).toContain('/joint_states: velocity has 0 numbers for 2 joints');
    const computing = createObservationAssembler(arm(wanted.replace('unit', 'from: position, unit')));
    computing.accept('/joint_states', state(1000, { j1: 0, grip: 0 }), ms(0));
    expect(computing.waitingFor(ms(0))).toContain('expected two, as velocities are computed from positions');
    computing.accept('/joint_states', state(1050, { j1: 0.1, grip: 0 }), ms(50));
    expect(observed(computing, 50)[2]).toBeCloseTo(2, 5);
    expect(computing.accept('/joint_states', state(1050.001, { j1: 3e38, grip: 0 }), ms(51))).toBe(false);
    expect(texts(computing).at(-1)).toMatch(/velocity of j1, from its positions, is 3\S*e\+44, expected a number that/);
    expect(() => arm(wanted.replace('velocity', 'effort').replace('unit: rad/s', 'from: position, unit: N·m'))).toThrow(
      /expected: quantity: velocity/,
    );
  });
});
