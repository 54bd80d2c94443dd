import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeLoss, RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import { type Float64MultiArray, header, type TwistStamped } from '#src/messages/index.js';
import type { Logger } from '#src/platform/index.js';
import { contractOf, loadRobotSpec, parseRobotSpec } from '#src/robot/index.js';
import { runDemonstrations } from '#src/sessions/index.js';
import { createExpert } from '#src/simulation/index.js';
import { joints, rejection, stampAt, stateTopic, temporaryFolder } from './toy.js';

const robot = parseRobotSpec(
  `
robot: toy
description: A robot that counts, with a gripper.
rate_hz: 20
frame_id: base
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 500 }
observation:
  - { topic: /joint_states, joints: [step, episode], quantity: position, unit: rad }
command:
  base: { topic: /cmd_vel, type: geometry_msgs/msg/TwistStamped, timeout_ms: 300 }
  gripper: { topic: /gripper, type: std_msgs/msg/Float64MultiArray, timeout_ms: 300 }
teleop:
  base: { topic: /teleop/cmd_vel }
  gripper: { topic: /teleop/gripper }
action:
  - { name: forward, command: base, path: twist.linear.x, unit: m/s, low: -1000, high: 1000 }
  - { name: width, command: gripper, joint: finger, unit: m, low: 0, high: 0.1 }
  - { name: turn, command: base, path: twist.angular.z, unit: rad/s, low: -1000, high: 1000 }
estop_topic: /estop
stop: { base: zero, gripper: hold }
`,
  'toy.yaml',
);

const twist = (k: number): TwistStamped => ({
  header: header(stampAt(0, k), 'base'),
  twist: { linear: { x: k, y: 0, z: 0 }, angular: { x: 0, y: 0, z: -k } },
});
const width = (data: number): Float64MultiArray => ({
  layout: { dim: [], data_offset: 0 },
  data: Float64Array.of(data),
});

/** A recording of `count` steps; `base` and `gripper` say whether a person commands them at a step. */
async function recorded(
  count: number,
  base: (k: number) => boolean,
  gripper: (k: number) => number | null,
  topics = ['/teleop/cmd_vel', '/teleop/gripper'],
) {
  const folder = join(temporaryFolder(), 'demo');
  const writer = await RecordingWriter.create(folder, { spec: robot, session: 's' });
  writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0, seed: 7n });
  for (let k = 0; k <= count; k++) {
    const at = stampAt(0, k);
    writer.write(stateTopic, 'sensor_msgs/msg/JointState', joints(at, 0, k), at);
    if (base(k)) writer.write(topics[0]!, 'geometry_msgs/msg/TwistStamped', twist(k), at);
    const value = gripper(k);
    if (value !== null) writer.write(topics[1]!, 'std_msgs/msg/Float64MultiArray', width(value), at);
  }
  writer.endEpisode({ stampNs: stampAt(0, count), terminated: true, truncated: false, success: true });
  await writer.close();
  return folder;
}
const rows = (actions: Float32Array): number[][] =>
  Array.from({ length: actions.length / 3 }, (_, k) =>
    [...actions.subarray(3 * k, 3 * k + 3)].map((v) => Math.round(v * 1e4) / 1e4 + 0),
  );

describe('a recording of a robot with several command topics', () => {
  it.each([
    ['teleoperation', ['/teleop/cmd_vel', '/teleop/gripper'], '/teleop/cmd_vel, /teleop/gripper'],
    ['commands', ['/cmd_vel', '/gripper'], '/cmd_vel, /gripper'],
  ])('has one action for each step, of all topics of the %s', async (_, topics, named) => {
    const folder = await recorded(
      40,
      () => true,
      (k) => k / 1000,
      topics,
    );
    const { episodes, report } = await readDemonstrations([folder], robot);
    expect(report.recordings[0]!.actionTopic).toBe(named);
    expect(report.recordings.flatMap(describeLoss)).toEqual([]);
    expect(episodes.map(({ length }) => length)).toEqual([40]);
    // In the order of the description: forward, width, turn.
    expect(rows(episodes[0]!.actions)).toEqual(
      Array.from({ length: 40 }, (_, k) => [k, k / 1000, -k].map((v) => v + 0)),
    );
  });

  it('a part that nobody commands rests, as on a live robot: velocities at 0, positions at the last command', async () => {
    // The base is let go at step 10, the gripper was commanded at steps 0 to 4 alone.
    const folder = await recorded(
      40,
      (k) => k < 10 || k >= 30,
      (k) => (k < 5 ? 0.05 : k >= 12 && k < 32 ? 0.02 : null),
    );
    const { episodes } = await readDemonstrations([folder], robot);
    const found = episodes.flatMap(({ actions, observations }) =>
      rows(actions).map((row, k) => [(observations as Float32Array)[2 * k]!, ...row]),
    );
    const at = (k: number): number[] | undefined => found.find(([step]) => step === k)?.slice(1);
    expect(at(3)).toEqual([3, 0.05, -3]);
    expect(at(20)).toEqual([0, 0.02, 0]);
    expect(at(39)).toEqual([39, 0.02, -39]);
    // Between a lost message and somebody who has let go nothing can be told until the timeout: these steps are left out.
    expect(at(6)).toBeUndefined();
    expect(at(11)).toBeUndefined();
    for (const [step, forward, , turn] of found) if (step! >= 16 && step! < 30) expect([forward, turn]).toEqual([0, 0]);
  });

  it('is refused where a topic has no message, with its name', async () => {
    const folder = await recorded(
      20,
      () => true,
      () => null,
    );
    expect(await rejection(readDemonstrations([folder], robot))).toMatchObject({
      code: 'MISMATCH',
      message: expect.stringMatching(/\/teleop\/gripper or \/gripper/),
    });
  });
});

describe('demonstrations of a simulated robot with two command topics', () => {
  it('are those of the same robot with one, bit for bit', async () => {
    const one = loadRobotSpec('rover');
    const text = readFileSync(fileURLToPath(new URL('../../config/robots/rover.yaml', import.meta.url)), 'utf8');
    const command = /^command: (.*)$/m.exec(text)![1]!.replace(/#.*/, '');
    const two = parseRobotSpec(
      text
        .replace(/^command: .*$/m, `command: { drive: ${command}, turn: ${command.replace('/cmd_vel', '/cmd_turn')} }`)
        .replace(/^teleop: .*$/m, 'teleop: { drive: { topic: /teleop/cmd_vel }, turn: { topic: /teleop/cmd_turn } }')
        .replace('path: twist.linear.x', 'command: drive, path: twist.linear.x')
        .replace('path: twist.angular.z', 'command: turn, path: twist.angular.z'),
      'rover.yaml',
    );
    expect(two.commands.map(({ topic }) => topic)).toEqual(['/cmd_vel', '/cmd_turn']);
    expect(contractOf(two)).toEqual(contractOf(one));
    const logger = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;
    const made = [];
    for (const spec of [one, two]) {
      const folder = join(temporaryFolder(), 'demo');
      await runDemonstrations({
        spec,
        driver: createExpert('rover'),
        episodes: 1,
        seed: 1,
        folder,
        logger: () => logger,
      });
      for (const action of ['teleop', 'command'] as const)
        made.push((await readDemonstrations([folder], spec, { action })).episodes);
    }
    const plain = made.map((episodes) =>
      episodes.map(({ length, observations, actions }) => ({ length, observations, actions })),
    );
    expect(plain[0]![0]!.length).toBeGreaterThan(20);
    expect(plain[2]).toEqual(plain[0]);
    expect(plain[3]).toEqual(plain[1]);
  }, 180_000);
});
