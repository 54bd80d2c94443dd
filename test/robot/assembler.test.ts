import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Assembled } from '#src/robot/index.js';
import {
  createObservationAssembler,
  loadRobotSpec,
  type ObservationAssembler,
  parseRobotSpec,
} from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import { goal, hopperJoints, joints, ms, odometry, scan, vehicle } from './messages.js';

fc.configureGlobal({ seed: 20261121 });

const hopper = loadRobotSpec('hopper');
const names = vehicle.observation.map(({ name }) => name);

function good(result: Assembled): Extract<Assembled, { ok: true }> {
  if (!result.ok) throw new Error(result.text);
  return result;
}
/** One tick of all vehicle topics. */
function tick(assembler: ObservationAssembler, stampMs: number, receivedMs = stampMs): void {
  assembler.accept('/odom', odometry(stampMs), ms(receivedMs));
  assembler.accept('/scan', scan(stampMs), ms(receivedMs));
  assembler.accept('/goal_pose', goal(stampMs), ms(receivedMs));
}
const vehicleOf = (change: Parameters<typeof odometry>[1], ranges?: number[], at: [number, number] = [1, 0]) => {
  const assembler = createObservationAssembler(vehicle);
  assembler.accept('/odom', odometry(0, change), 0n);
  assembler.accept('/scan', scan(0, ranges), 0n);
  assembler.accept('/goal_pose', goal(0, ...at), 0n);
  const observation = stateOf(good(assembler.assemble(0n)).observation);
  return Object.fromEntries(names.map((name, i) => [name, observation[i]!]));
};

describe('observation assembler', () => {
  test('refuses a robot that observes an image, instead of leaving the image out of its observations', () => {
    const camera = { name: 'camera', shape: [84, 84, 3], dtype: 'uint8', normalise: 'unit' } as const;
    expect(() => createObservationAssembler({ ...vehicle, blocks: [camera] })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', found: 'camera uint8[84, 84, 3]' }),
    );
  });

  test('fields, clamped to their limits, as float32', () => {
    expect(vehicleOf({ v: 0.3, w: -0.7 })).toMatchObject({
      linear_velocity: Math.fround(0.3),
      angular_velocity: Math.fround(-0.7),
    });
    expect(vehicleOf({ v: 5, w: -9 })).toMatchObject({ linear_velocity: 1, angular_velocity: -3 });
  });

  test('the goal in the frame of the vehicle, whatever its pose', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.double({ min: 0.01, max: 1.9, noNaN: true }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (yaw, distance, bearing) => {
          const [x, y] = [0.7, -0.4];
          const seen = vehicleOf({ x, y, yaw }, undefined, [
            x + distance * Math.cos(yaw + bearing),
            y + distance * Math.sin(yaw + bearing),
          ]);
          expect(seen.goal_distance).toBeCloseTo(distance, 5);
          expect(seen.goal_bearing_sin).toBeCloseTo(Math.sin(bearing), 5);
          expect(seen.goal_bearing_cos).toBeCloseTo(Math.cos(bearing), 5);
        },
      ),
    );
  });

  test('spatial components rotate by the whole orientation of the reference', () => {
    const text = `
robot: tool
description: A tool and an object.
rate_hz: 10
frame_id: world
state:
  /object_pose: { type: geometry_msgs/msg/PoseStamped, timeout_ms: 100 }
  /tool_pose: { type: geometry_msgs/msg/PoseStamped, timeout_ms: 100 }
observation:
${['x', 'y', 'z', 'distance', 'planar_distance', 'yaw_sin', 'yaw_cos']
  .map((c) => `  - { name: ${c}, topic: /object_pose, relative_to: /tool_pose, component: ${c} }`)
  .join('\n')}
command: { topic: /twist, type: geometry_msgs/msg/Twist, timeout_ms: 100 }
teleop: { topic: /teleop }
action: [{ name: x, path: linear.x, unit: m/s, low: -1, high: 1 }]
estop_topic: /estop
stop: zero
`;
    const assembler = createObservationAssembler(parseRobotSpec(text, 'tool.yaml'));
    const pose = (x: number, y: number, z: number, orientation: [number, number, number, number]) => {
      const message = goal(0);
      const [qx, qy, qz, qw] = orientation;
      message.pose = { position: { x, y, z }, orientation: { x: qx, y: qy, z: qz, w: qw } };
      return message;
    };
    const half = Math.SQRT1_2;
    // The tool is turned by 90° about x: its y axis points up, its z axis to −y.
    assembler.accept('/tool_pose', pose(1, 1, 1, [half, 0, 0, half]), 0n);
    assembler.accept('/object_pose', pose(2, 3, 5, [0, 0, half, half]), 0n);
    const observation = stateOf(good(assembler.assemble(0n)).observation);
    expect([...observation].map((value) => Math.round(value * 1e5) / 1e5 + 0)).toEqual([
      1,
      4,
      -2,
      Math.round(Math.sqrt(21) * 1e5) / 1e5,
      Math.round(Math.sqrt(5) * 1e5) / 1e5,
      1,
      0,
    ]);
  });

  test('scan sectors hold the nearest range, right to left; REP 117 numbers mean what they say', () => {
    const ranges = new Array<number>(60).fill(Number.POSITIVE_INFINITY);
    ranges[0] = 1; // rightmost beam
    ranges[59] = 0.5; // leftmost beam
    ranges[5] = 0.01; // below range_min: no measurement
    ranges[30] = Number.NEGATIVE_INFINITY; // nearer than range_min
    const seen = vehicleOf({}, ranges);
    expect(seen.scan_0).toBe(1);
    expect(seen.scan_1).toBe(2);
    expect(seen.scan_14).toBe(0.5);
    expect(seen.scan_7).toBe(Math.fround(0.05));
    const assembler = createObservationAssembler(vehicle);
    tick(assembler, 0);
    assembler.accept(
      '/scan',
      scan(1, ranges.toReversed(), { angle_min: 2, angle_max: -2, angle_increment: -4 / 59 }),
      0n,
    );
    const observation = stateOf(good(assembler.assemble(0n)).observation);
    expect(observation[names.indexOf('scan_0')]).toBe(1);
    expect(observation[names.indexOf('scan_14')]).toBe(0.5);
  });

  test('joints are mapped by name, whatever their order and company', () => {
    const expected = [1, 2, 3, 4, 5, 0, 0.1, 0.2, 0.3, 0.4, 0.5].map(Math.fround);
    const assembler = createObservationAssembler(hopper);
    fc.assert(
      fc.property(fc.shuffledSubarray([...hopperJoints, 'gripper', 'wheel'], { minLength: 8 }), (order) => {
        assembler.reset();
        assembler.accept('/joint_states', joints(0, order), 0n);
        expect([...stateOf(good(assembler.assemble(0n)).observation)]).toEqual(expected);
      }),
    );
  });

  test('is complete when every topic has spoken of the instant; knows stamps and ages', () => {
    const assembler = createObservationAssembler(vehicle);
    tick(assembler, 100, 1000);
    assembler.accept('/odom', odometry(200), ms(1100));
    expect(assembler.completeAt(ms(100))).toBe(true);
    expect(assembler.completeAt(ms(200))).toBe(false);
    assembler.accept('/scan', scan(200), ms(1101));
    assembler.accept('/goal_pose', goal(200), ms(1102));
    expect(assembler.completeAt(ms(200))).toBe(true);
    expect(assembler.stamps).toEqual(
      new Map([
        ['/odom', ms(200)],
        ['/scan', ms(200)],
        ['/goal_pose', ms(200)],
      ]),
    );
    expect(good(assembler.assemble(ms(1150)))).toMatchObject({ stampNs: ms(200), ageMs: 50 });
    assembler.reset();
    expect(assembler.completeAt(0n)).toBe(false);
    expect(assembler.assemble(ms(1150))).toMatchObject({
      ok: false,
      reason: 'missing',
      topics: ['/odom', '/scan', '/goal_pose'],
    });
    expect(assembler.counters.accepted).toBe(6);
  });

  test('a topic without timeout never grows stale and is complete once it has spoken', () => {
    const spec = {
      ...vehicle,
      stateTopics: vehicle.stateTopics.map((topic) =>
        topic.topic === '/goal_pose' ? { ...topic, timeoutMs: Infinity } : topic,
      ),
    };
    const assembler = createObservationAssembler(spec);
    tick(assembler, 0);
    assembler.accept('/odom', odometry(60_000), ms(60_000));
    assembler.accept('/scan', scan(60_000), ms(60_000));
    expect(assembler.completeAt(ms(60_000))).toBe(true);
    expect(good(assembler.assemble(ms(60_100))).ageMs).toBe(100);
  });

  test('the same messages give the same numbers, live and from a recording', () => {
    const run = (offset: bigint) => {
      const assembler = createObservationAssembler(vehicle);
      const all: number[] = [];
      for (let i = 0; i < 20; i++) {
        assembler.accept('/goal_pose', goal(i * 100, 1.5, 0.1 * i), offset + ms(i * 100));
        assembler.accept('/odom', odometry(i * 100, { x: 0.05 * i, yaw: 0.1 * i, v: 0.02 * i }), offset + ms(i * 100));
        assembler.accept(
          '/scan',
          scan(
            i * 100,
            Array.from({ length: 60 }, (_, k) => 0.1 + ((k * 7 + i) % 30) / 10),
          ),
          offset + ms(i * 100),
        );
        all.push(...stateOf(good(assembler.assemble(offset + ms(i * 100))).observation));
      }
      return all;
    };
    expect(run(0n)).toEqual(run(123_456_789_012n));
  });

  test('a topic that is none of the robot is refused', () => {
    expect(() => createObservationAssembler(vehicle).accept('/odm', odometry(0), 0n)).toThrow(/did you mean '\/odom'/);
  });
});
