import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stampOf } from '#src/messages/index.js';
import { loadRobotSpec, readingsToMessages } from '#src/robot/index.js';
import { type Written, writeBag } from '../demonstrations/bag.js';
import { cli, inNewFolder } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

const rover = loadRobotSpec('rover');
const start = 1_760_000_000_000_000_000n;

/** A bag of the rover as other people record it: no markers, and topics that are none of ours. */
function bag(): Written[] {
  const out: Written[] = [];
  for (let k = 0; k <= 60; k++) {
    const logNs = start + BigInt(k) * 100_000_000n;
    const readings = {
      odometry: {
        pose: { position: [0.01 * k, 0, 0], orientation: [0, 0, 0, 1] },
        linear: [0.1 + 0.001 * k, 0, 0],
        angular: [0, 0, 0.01 * k],
      },
      scan: {
        angleMin: -1.5,
        angleIncrement: 0.05,
        rangeMin: 0.1,
        rangeMax: 4,
        ranges: new Float32Array(61).fill(0.5 + 0.005 * k),
      },
      poses: { goal_pose: { position: [1, 0, 0], orientation: [0, 0, 0, 1] } },
    } as const;
    for (const { topic, type, message } of readingsToMessages(readings, rover, logNs))
      out.push({ topic, type, message, logNs });
    const twist = { linear: { x: 0.1 + 0.001 * k, y: 0, z: 0 }, angular: { x: 0, y: 0, z: Math.sin(k) } };
    const header = { stamp: stampOf(logNs), frame_id: 'base_link' };
    if (k !== 30)
      out.push({ topic: '/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', message: { header, twist }, logNs });
    out.push({
      topic: '/light',
      type: 'light_msgs/msg/Light',
      data: new Uint8Array(8),
      logNs,
      encoding: 'ros2idl',
      schema: 'module',
    });
  }
  return out;
}

describe("iq-learn inspect of other people's recordings", () => {
  it('marks what cannot be read and what is silent, and shows the recording through a robot', async () => {
    const silent: Written[] = [{ topic: '/teleop/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', logNs: 0n }];
    await writeBag('bag/bag_0.mcap', bag(), silent);
    const plain = await cli('inspect', 'bag');
    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout).toMatch(
      /\/light .*cannot be read: message encoding 'cdr', schema 'light_msgs\/msg\/Light' in the encoding 'ros2idl'/,
    );
    expect(plain.stdout).toMatch(/\/teleop\/cmd_vel .*silent: no message was recorded/);
    expect(plain.stdout).toMatch(/\/odom .* 61 +10\.0 Hz$/m);
    expect(plain.stdout).toContain('--robot NAME shows its episodes');

    const seen = await cli('inspect', '--robot', 'rover', 'bag');
    expect(seen.code).toBe(0);
    expect(seen.stdout).toContain('Episodes as rover sees them (2)');
    expect(seen.stdout).toMatch(
      /2 episodes, 59 transitions; .*command missing: \/cmd_vel: no command, expected one every 95 ms/,
    );
    expect(seen.stdout).toMatch(/linear_velocity +m\/s .* 0\.1 +0\.1\d+ +▁▁/);
    expect(seen.stdout).toMatch(/note: unchanging features|warn: too few/);
  });

  it('says why nothing of it can be used, and takes the options that help', async () => {
    const moved = bag().map((item) => ({ ...item, topic: `/bot1${item.topic}` }));
    await writeBag('moved/bag_0.mcap', moved);
    const refused = await cli('inspect', '--robot', 'rover', 'moved');
    expect(refused.stdout).toContain('Episodes as rover sees them: none');
    expect(refused.stdout).toContain('give --namespace bot1');
    const read = await cli('inspect', '--robot', 'rover', '--namespace', 'bot1', 'moved');
    expect(read.stdout).toContain('Episodes as rover sees them (2)');
  });
});
