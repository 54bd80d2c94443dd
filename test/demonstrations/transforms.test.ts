import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeLoss, RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import { emptyMessage, stampOf, type TFMessage } from '#src/messages/index.js';
import { createObservationAssembler, parseRobotSpec } from '#src/robot/index.js';
import { baseNs, rejection, temporaryFolder } from './toy.js';

const spec = parseRobotSpec(
  `
robot: car
description: Drives to a goal on a map.
rate_hz: 10
frame_id: base_link
state:
  /odom: { type: nav_msgs/msg/Odometry, timeout_ms: 500, frame_id: odom }
  /object: { type: geometry_msgs/msg/PoseStamped, timeout_ms: 500, frame_id: odom }
  /goal: { type: geometry_msgs/msg/PoseStamped, timeout_ms: .inf, frame_id: odom }
observation:
  - { name: object_x, topic: /object, field: pose.position.x, unit: m }
  - { name: object_y, topic: /object, field: pose.position.y, unit: m }
  - { name: goal_x, topic: /goal, field: pose.position.x, unit: m }
  - { name: x, topic: /odom, field: pose.pose.position.x, unit: m }
command: { topic: /cmd_vel, type: geometry_msgs/msg/Twist, timeout_ms: 500 }
teleop: { topic: /teleop/cmd_vel }
action: [{ name: speed, path: linear.x, unit: m/s, low: -1, high: 1 }]
estop_topic: /estop
stop: zero
`,
  'car.yaml',
);

const MS = 1_000_000n;
const stamped = (ns: bigint, frame_id: string) => ({ stamp: stampOf(ns), frame_id });
function pose(ns: bigint, frame: string, x: number, y: number) {
  const message = emptyMessage('geometry_msgs/msg/PoseStamped');
  message.header = stamped(ns, frame);
  Object.assign(message.pose.position, { x, y });
  message.pose.orientation.w = 1;
  return message;
}
function tf(ns: bigint, parent: string, child: string, x: number, y: number): TFMessage {
  const transform = { translation: { x, y, z: 0 }, rotation: { x: 0, y: 0, z: 0, w: 1 } };
  return { transforms: [{ header: stamped(ns, parent), child_frame_id: child, transform }] };
}
type Said = readonly [topic: string, type: string, message: object, logNs: bigint];

/**
 * Four seconds: the object stands at (3, 0) in `camera`, which lies at (0, 1) in `map`; `odom` slides along `map` by
 * 0.5 m/s. Transforms come 5 ms after their stamps, every 50 ms.
 */
function world(change: { readonly tfEvery?: number; readonly static?: boolean } = {}): Said[] {
  const { tfEvery = 50, static: isSaid = true } = change;
  const said: Said[] = [];
  const at = (ms: number): bigint => baseNs + BigInt(ms) * MS;
  const say = (topic: string, type: string, message: object, ms: number) => said.push([topic, type, message, at(ms)]);
  if (isSaid) say('/tf_static', 'tf2_msgs/msg/TFMessage', tf(at(0), 'map', 'camera', 0, 1), 0);
  say('/tf_static', 'tf2_msgs/msg/TFMessage', tf(at(0), 'base_link', 'lidar', 0, 1), 0);
  for (let ms = 0; ms <= 4000; ms += 10) {
    if (ms % tfEvery === 0)
      say('/tf', 'tf2_msgs/msg/TFMessage', tf(at(ms), 'map', 'odom', (0.5 * ms) / 1000, 0), ms + 5);
    if (ms === 200) say('/goal', 'geometry_msgs/msg/PoseStamped', pose(at(ms), 'map', 10, 0), ms + 1);
    if (ms % 100 !== 0 || ms < 300) continue;
    const odometry = emptyMessage('nav_msgs/msg/Odometry');
    odometry.header = stamped(at(ms), 'odom');
    odometry.pose.pose.position.x = ms / 1000;
    odometry.pose.pose.orientation.w = 1;
    say('/odom', 'nav_msgs/msg/Odometry', odometry, ms + 1);
    // The camera takes a while: its stamps lie between those of the transforms.
    say('/object', 'geometry_msgs/msg/PoseStamped', pose(at(ms - 30), 'camera', 3, 0), ms + 1);
    const twist = emptyMessage('geometry_msgs/msg/Twist');
    twist.linear.x = 0.5;
    say('/teleop/cmd_vel', 'geometry_msgs/msg/Twist', twist, ms + 8);
  }
  return said.sort((a, b) => Number(a[3] - b[3]));
}

async function recorded(said: readonly Said[]): Promise<string> {
  const folder = join(temporaryFolder(), 'demo');
  const writer = await RecordingWriter.create(folder, { spec, session: 's' });
  let isOpen = false;
  for (const [topic, type, message, ns] of said) {
    // Transforms and the goal came before the episode.
    if (!isOpen && topic === '/odom') writer.startEpisode({ stampNs: ns - 5n * MS, episode: 0 });
    isOpen ||= topic === '/odom';
    writer.write(topic, type as never, message as never, ns);
  }
  writer.endEpisode({ stampNs: said.at(-1)![3], terminated: false, truncated: true });
  await writer.close();
  return folder;
}

describe('a recording with poses in other frames', () => {
  it('has them in the frame of the description, at their stamps, along a static and a moving frame', async () => {
    const { episodes, report } = await readDemonstrations([await recorded(world())], spec);
    expect(report.recordings.flatMap(describeLoss)).toEqual([]);
    expect(episodes.map(({ length }) => length)).toEqual([37]);
    const { observations, length } = episodes[0]!;
    const rows = observations as Float32Array;
    for (let k = 0; k <= length; k++) {
      const [objectX, objectY, goalX, x] = rows.subarray(4 * k, 4 * k + 4);
      // At its stamp, 30 ms before the odometry's, odom lay at 0.5 · t in map.
      expect(objectX).toBeCloseTo(3 - 0.5 * (x! - 0.03), 5);
      expect(objectY).toBe(1);
      expect(goalX).toBeCloseTo(10 - 0.1, 5);
    }
  });

  it('has what a live robot sees, message by message', async () => {
    const said = world();
    const { episodes } = await readDemonstrations([await recorded(said)], spec);
    const live = createObservationAssembler(spec);
    const seen: number[][] = [];
    for (const [topic, , message, ns] of said) {
      if (topic.startsWith('/tf')) live.acceptTransforms(message as TFMessage, topic === '/tf_static');
      else if (topic !== '/teleop/cmd_vel') live.accept(topic, message, ns, ns);
      else {
        // The control loop looks after the transforms of this instant have come.
        const found = live.assemble(ns);
        if (found.ok) seen.push([...(found.observation as Float32Array)]);
      }
    }
    const rows = episodes[0]!.observations as Float32Array;
    const read = Array.from({ length: rows.length / 4 }, (_, k) => [...rows.subarray(4 * k, 4 * k + 4)]);
    expect(seen.length).toBe(read.length);
    expect(read).toEqual(seen);
  });

  it('is refused where a frame is not connected, with both names and what to do', async () => {
    const folder = await recorded(world({ static: false }));
    expect(await rejection(readDemonstrations([folder], spec))).toMatchObject({
      code: 'CORRUPT_DATA',
      found: expect.stringMatching(
        /\/object: header\.frame_id is 'camera', expected 'odom'; .*'camera' is the root above/,
      ),
    });
  });

  it('is read without transforms as before: refused with both names', async () => {
    const folder = await recorded(world().filter(([topic]) => !topic.startsWith('/tf')));
    expect(await rejection(readDemonstrations([folder], spec))).toMatchObject({
      found: expect.stringMatching(/'(camera|map)', expected 'odom'; no transform came on \/tf or \/tf_static/),
    });
  });

  it('says what it waits for where transforms come too rarely', async () => {
    const folder = await recorded(world({ tfEvery: 1000 }));
    const read = await readDemonstrations([folder], spec).then(
      ({ report }) => report.recordings.flatMap(describeLoss).join('; '),
      (error: { found: string }) => error.found,
    );
    expect(read).toMatch(/\/tf has 'odom' in 'map' up to \d\.\d+ s before its stamp/);
  });
});
