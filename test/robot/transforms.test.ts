import { describe, expect, it } from 'vitest';
import type { Odometry, PoseStamped, TFMessage } from '#src/messages/index.js';
import { emptyMessage, stampOf } from '#src/messages/index.js';
import { createObservationAssembler, parseRobotSpec, transformTopics, withNamespace } from '#src/robot/index.js';
import { ms } from './messages.js';

const text = `
robot: car
description: Drives to a goal.
rate_hz: 10
frame_id: base_link
state:
  /odom: { type: nav_msgs/msg/Odometry, timeout_ms: 500, frame_id: odom }
  /goal: { type: geometry_msgs/msg/PoseStamped, timeout_ms: .inf, frame_id: odom }
observation:
  - { name: goal_x, topic: /goal, field: pose.position.x, unit: m }
  - { name: goal_y, topic: /goal, field: pose.position.y, unit: m }
  - { name: goal_z, topic: /goal, field: pose.position.z, unit: m }
  - { name: ahead, topic: /goal, relative_to: /odom, component: x }
  - { name: turn_cos, topic: /goal, relative_to: /odom, component: yaw_cos }
  - { name: turn_sin, topic: /goal, relative_to: /odom, component: yaw_sin }
command: { topic: /cmd_vel, type: geometry_msgs/msg/Twist, timeout_ms: 500 }
teleop: { topic: /teleop/cmd_vel }
action: [{ name: speed, path: linear.x, unit: m/s, low: -1, high: 1 }]
estop_topic: /estop
stop: zero
`;
const spec = parseRobotSpec(text, 'car.yaml');
const HALF = Math.SQRT1_2;
/** Quaternions: no turn, and a quarter turn to the left. */
const NONE = [0, 0, 0, 1] as const;
const LEFT = [0, 0, HALF, HALF] as const;

interface Lies {
  readonly parent: string;
  readonly child: string;
  readonly at?: readonly [number, number, number];
  readonly turn?: readonly [number, number, number, number];
}
const tf = (atMs: number, ...lies: Lies[]): TFMessage => ({
  transforms: lies.map(({ parent, child, at: [x, y, z] = [0, 0, 0], turn: [qx, qy, qz, qw] = NONE }) => ({
    header: { stamp: stampOf(ms(atMs)), frame_id: parent },
    child_frame_id: child,
    transform: { translation: { x, y, z }, rotation: { x: qx, y: qy, z: qz, w: qw } },
  })),
});
function pose(
  frame: string,
  atMs: number,
  [x, y, z]: readonly [number, number, number],
  turn: readonly number[] = NONE,
): PoseStamped {
  const [qx, qy, qz, qw] = turn as unknown as [number, number, number, number];
  return {
    header: { stamp: stampOf(ms(atMs)), frame_id: frame },
    pose: { position: { x, y, z }, orientation: { x: qx, y: qy, z: qz, w: qw } },
  };
}
function odometry(atMs: number): Odometry {
  const message = emptyMessage('nav_msgs/msg/Odometry');
  message.header = { stamp: stampOf(ms(atMs)), frame_id: 'odom' };
  message.pose.pose.orientation.w = 1;
  return message;
}

function assembler() {
  const made = createObservationAssembler(spec);
  return {
    made,
    odom: (at: number) => made.accept('/odom', odometry(at), ms(at)),
    goal: (message: PoseStamped, at: number) => made.accept('/goal', message, ms(at), ms(at)),
    seen(at: number): number[] {
      const found = made.assemble(ms(at));
      if (!found.ok) throw new Error(found.text);
      return [...(found.observation as Float32Array)].map((value) => Math.round(value * 1e4) / 1e4 + 0);
    },
  };
}

describe('a pose in another frame than the description’s', () => {
  it('is transformed by a static transform, whenever that was said', () => {
    const { made, odom, goal, seen } = assembler();
    odom(1000);
    // odom's origin lies at (10, 5, 1) in map, turned to the left: its x axis is map's y axis.
    expect(made.acceptTransforms(tf(0, { parent: 'map', child: 'odom', at: [10, 5, 1], turn: LEFT }), true)).toEqual(
      [],
    );
    expect(goal(pose('map', 1000, [8, 8, 1], LEFT), 1000)).toBe(true);
    // 3 m along map's y = ahead; 2 m back along map's x = to the left. The goal looks the way odom does.
    expect(seen(1000)).toEqual([3, 2, 0, 3, 1, 0]);
  });

  it('goes along a chain of frames, up from one and down to the other, a slash before a name or not', () => {
    const { made, odom, goal, seen } = assembler();
    odom(1000);
    made.acceptTransforms(tf(0, { parent: '/earth', child: 'map', at: [100, 0, 0] }), true);
    made.acceptTransforms(tf(0, { parent: 'map', child: '/odom', at: [0, 2, 0] }), true);
    made.acceptTransforms(tf(0, { parent: 'earth', child: 'camera', at: [101, 0, 0.5], turn: LEFT }), true);
    expect(goal(pose('camera', 1000, [3, 0, 0]), 1000)).toBe(true);
    // camera (3, 0, 0) is earth (101, 3, 0.5), map (1, 3, 0.5), odom (1, 1, 0.5); it looks to the left.
    expect(seen(1000)).toEqual([1, 1, 0.5, 1, 0, 1]);
  });

  it('is interpolated at its stamp, straight and turning evenly', () => {
    const { made, odom, goal, seen } = assembler();
    odom(1000);
    made.acceptTransforms(tf(900, { parent: 'odom', child: 'map', at: [0, 0, 0] }), false);
    made.acceptTransforms(tf(1100, { parent: 'odom', child: 'map', at: [2, 4, 0], turn: LEFT }), false);
    expect(goal(pose('map', 1050, [0, 0, 0]), 1050)).toBe(true);
    // Three quarters of the way: (1.5, 3), turned by 67.5 degrees.
    const angle = (0.75 * Math.PI) / 2;
    expect(seen(1050)).toEqual(
      [1.5, 3, 0, 1.5, Math.cos(angle), Math.sin(angle)].map((v) => Math.round(v * 1e4) / 1e4),
    );
  });

  it('turns by the shorter way: q and −q are one rotation', () => {
    const { made, odom, goal, seen } = assembler();
    odom(1000);
    made.acceptTransforms(tf(900, { parent: 'odom', child: 'map' }), false);
    made.acceptTransforms(tf(1100, { parent: 'odom', child: 'map', turn: [0, 0, -HALF, -HALF] }), false);
    goal(pose('map', 1000, [1, 0, 0]), 1000);
    expect(seen(1000).slice(0, 2)).toEqual([Math.round(HALF * 1e4) / 1e4, Math.round(HALF * 1e4) / 1e4]);
  });

  it('waits for the transform of its stamp, and is used when that comes; its age is that of its arrival', () => {
    const { made, odom, goal, seen } = assembler();
    odom(1000);
    made.acceptTransforms(tf(900, { parent: 'map', child: 'odom', at: [1, 0, 0] }), false);
    expect(goal(pose('map', 1000, [5, 0, 0]), 1000)).toBe(false);
    expect(made.isWaiting('/goal')).toBe(true);
    expect(made.problemOf('/goal')).toBe(
      "/goal: header.frame_id is 'map', expected 'odom'; /tf has 'odom' in 'map' up to 0.100 s before its stamp: " +
        'publish (and record) the transform, or give it in that frame',
    );
    expect(made.acceptTransforms(tf(950, { parent: 'map', child: 'odom', at: [1, 0, 0] }), false)).toEqual([]);
    expect(made.acceptTransforms(tf(1050, { parent: 'map', child: 'odom', at: [1, 0, 0] }), false)).toEqual(['/goal']);
    expect(made.isWaiting('/goal')).toBe(false);
    expect(seen(1000)[0]).toBe(4);
    expect(made.refusals).toEqual([]);
  });

  it('is refused where its stamp lies before all that is known: nothing is extrapolated', () => {
    const { made, odom, goal } = assembler();
    odom(1000);
    made.acceptTransforms(tf(900, { parent: 'map', child: 'odom' }), false);
    made.acceptTransforms(tf(1100, { parent: 'map', child: 'odom' }), false);
    expect(goal(pose('map', 700, [5, 0, 0]), 1000)).toBe(false);
    expect(made.isWaiting('/goal')).toBe(false);
    expect(made.problemOf('/goal')).toMatch(
      /'map', expected 'odom'; \/tf has 'odom' in 'map' only from 0\.200 s after/,
    );
    expect(made.counters.wrongFrame).toBe(1);
  });

  it('keeps ten seconds of what moves, as tf2 does', () => {
    const { made, odom, goal } = assembler();
    odom(20_000);
    for (let at = 0; at <= 20_000; at += 100) made.acceptTransforms(tf(at, { parent: 'map', child: 'odom' }), false);
    expect(goal(pose('map', 9_900, [5, 0, 0]), 20_000)).toBe(false);
    expect(goal(pose('map', 10_000, [5, 0, 0]), 20_000)).toBe(true);
  });

  it('without a stamp, is transformed by the newest that is known', () => {
    const { made, odom, goal, seen } = assembler();
    odom(1000);
    made.acceptTransforms(tf(900, { parent: 'map', child: 'odom', at: [1, 0, 0] }), false);
    made.acceptTransforms(tf(990, { parent: 'map', child: 'odom', at: [2, 0, 0] }), false);
    expect(goal(pose('map', 0, [5, 0, 0]), 1000)).toBe(true);
    expect(seen(1000)[0]).toBe(3);
  });

  it('is refused with both frames’ names where nothing connects them, or nothing is known at all', () => {
    const { made, odom, goal } = assembler();
    odom(1000);
    goal(pose('world', 1000, [5, 0, 0]), 1000);
    expect(made.problemOf('/goal')).toMatch(
      /header\.frame_id is 'world', expected 'odom'; no transform came on \/tf or \/tf_static: publish \(and record\)/,
    );
    made.acceptTransforms(tf(900, { parent: 'map', child: 'odom' }), true);
    expect(made.problemOf('/goal')).toMatch(
      /do not connect them: 'world' is the root above 'world', 'map' above 'odom'/,
    );
    goal(pose('world', 1100, [5, 0, 0]), 1100);
    expect(made.counters.wrongFrame).toBe(2);
    expect(made.waitingFor(ms(1100))).toContain("'world'");
  });

  it('takes no transform that is none: not finite, no rotation, a frame in itself; a circle ends', () => {
    const { made, odom, goal } = assembler();
    odom(1000);
    made.acceptTransforms(tf(0, { parent: 'map', child: 'odom', at: [Number.NaN, 0, 0] }), true);
    made.acceptTransforms(tf(0, { parent: 'map', child: 'odom', turn: [0, 0, 0, 0] }), true);
    made.acceptTransforms(tf(0, { parent: 'odom', child: 'odom' }), true);
    expect(goal(pose('map', 1000, [5, 0, 0]), 1000)).toBe(false);
    expect(made.problemOf('/goal')).toContain('no transform came');
    made.acceptTransforms(tf(0, { parent: 'a', child: 'b' }, { parent: 'b', child: 'a' }), true);
    expect(goal(pose('a', 1100, [5, 0, 0]), 1100)).toBe(false);
  });

  it('a frame with a new parent has no past in it', () => {
    const { made, odom, goal, seen } = assembler();
    odom(1000);
    made.acceptTransforms(tf(900, { parent: 'map', child: 'odom', at: [1, 0, 0] }), false);
    made.acceptTransforms(tf(1000, { parent: 'world', child: 'odom', at: [2, 0, 0] }), false);
    expect(goal(pose('map', 950, [5, 0, 0]), 1000)).toBe(false);
    expect(goal(pose('world', 1000, [5, 0, 0]), 1000)).toBe(true);
    expect(seen(1000)[0]).toBe(3);
  });

  it('a jump of the clock forgets what moves, and not what is static', () => {
    const { made, odom, goal } = assembler();
    odom(10_000);
    made.acceptTransforms(tf(0, { parent: 'odom', child: 'lidar' }), true);
    made.acceptTransforms(tf(10_000, { parent: 'map', child: 'odom' }), false);
    odom(1000);
    made.assemble(ms(1000));
    expect(goal(pose('map', 1000, [5, 0, 0]), 1000)).toBe(false);
    expect(goal(pose('lidar', 1001, [5, 0, 0]), 1001)).toBe(true);
  });

  it('an odometry is transformed, too; its twist is in the frame of the robot, and stays', () => {
    const twisted = parseRobotSpec(
      text.replace(
        '- { name: goal_x, topic: /goal, field: pose.position.x, unit: m }',
        '- { name: speed, topic: /odom, field: twist.twist.linear.x, unit: m/s }\n  - { name: y, topic: /odom, field: pose.pose.position.y, unit: m }',
      ),
      'car.yaml',
    );
    const made = createObservationAssembler(twisted);
    made.acceptTransforms(tf(0, { parent: 'odom', child: 'world', at: [0, 7, 0], turn: LEFT }), true);
    const message = odometry(1000);
    message.header.frame_id = 'world';
    message.twist.twist.linear.x = 0.5;
    message.pose.pose.position.x = 1;
    expect(made.accept('/odom', message, ms(1000))).toBe(true);
    made.accept('/goal', pose('odom', 1000, [0, 0, 0]), ms(1000));
    const found = made.assemble(ms(1000));
    expect(found.ok && [...(found.observation as Float32Array)].slice(0, 2)).toEqual([0.5, 8]);
    expect(message.header.frame_id).toBe('world');
  });
});

describe('the topics of transforms', () => {
  it('are heard only where a pose has to be in a frame, and in a namespace with and without it', () => {
    expect(transformTopics(spec).map(({ topic, isStatic }) => [topic, isStatic])).toEqual([
      ['/tf', false],
      ['/tf_static', true],
    ]);
    expect(transformTopics(withNamespace(spec, 'bot1')).map(({ topic }) => topic)).toEqual([
      ...['/tf', '/tf_static'],
      ...['/bot1/tf', '/bot1/tf_static'],
    ]);
    expect(transformTopics(parseRobotSpec(text.replaceAll(', frame_id: odom', ''), 'car.yaml'))).toEqual([]);
  });

  it('find a frame with the namespace before it', () => {
    const made = createObservationAssembler(withNamespace(spec, 'bot1'));
    made.acceptTransforms(tf(0, { parent: 'map', child: 'bot1/odom', at: [1, 0, 0] }), true);
    expect(made.accept('/bot1/goal', pose('map', 1000, [5, 0, 0]), ms(1000))).toBe(true);
  });

  it('of a nested namespace with its last part alone before it, and another is refused with the names it may have', () => {
    const made = createObservationAssembler(withNamespace(spec, 'fleet/bot1'));
    expect(made.accept('/fleet/bot1/goal', pose('bot1/odom', 1000, [5, 0, 0]), ms(1000))).toBe(true);
    expect(made.accept('/fleet/bot1/goal', pose('fleet/bot1/odom', 1100, [5, 0, 0]), ms(1100))).toBe(true);
    expect(made.accept('/fleet/bot1/goal', pose('fleet/odom', 1200, [5, 0, 0]), ms(1200))).toBe(false);
    expect(made.refusals[0]!.refusal.expected).toBe("'odom' or 'fleet/bot1/odom' or 'bot1/odom'");
    const tailed = createObservationAssembler(withNamespace(spec, 'fleet/bot1'));
    tailed.acceptTransforms(tf(0, { parent: 'map', child: 'bot1/odom', at: [1, 0, 0] }), true);
    expect(tailed.accept('/fleet/bot1/goal', pose('map', 1000, [5, 0, 0]), ms(1000))).toBe(true);
  });
});
