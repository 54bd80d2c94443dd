import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordingWriter } from '#src/demonstrations/index.js';
import type { ProgramExecutable } from '#src/hosts/ros2/executable.js';
import { describe as executable } from '#src/hosts/ros2/executables/describe.js';
import { emptyMessage, header } from '#src/messages/index.js';
import type { Logger } from '#src/platform/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { FakeRos } from '../hosts/ros2/fake-ros.js';
import { spec } from '../nodes/toy.js';
import { cli } from './support.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-describe-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function drive(): Promise<string> {
  const bag = join(folder, 'bag');
  const writer = await RecordingWriter.create(bag, { spec, session: 'test' });
  for (let t = 0; t < 200; t++) {
    const stampNs = 1_700_000_000_000_000_000n + BigInt(t) * 50_000_000n;
    const odometry = { ...emptyMessage('nav_msgs/msg/Odometry'), header: header(stampNs, 'odom') };
    odometry.child_frame_id = 'base_link';
    writer.write('/odom', 'nav_msgs/msg/Odometry', odometry, stampNs);
    const twist = { ...emptyMessage('geometry_msgs/msg/TwistStamped'), header: header(stampNs, 'base_link') };
    twist.twist.linear.x = 0.3 * Math.sin(t / 10);
    writer.write('/cmd_vel', 'geometry_msgs/msg/TwistStamped', twist, stampNs);
  }
  await writer.close();
  return bag;
}

describe('iq-learn describe', () => {
  it('writes a description that parses and that inspect reads, from a recording', async () => {
    const out = join(folder, 'courier.yaml');
    const { code, stdout } = await cli('describe', '--bag', await drive(), '--out', out);
    expect(code).toBe(0);
    expect(stdout).toContain('iq-learn inspect');
    const described = parseRobotSpec(readFileSync(out, 'utf8'), out);
    expect(described).toMatchObject({ robot: 'courier', rateHz: 20, frameId: 'base_link' });
    expect(described.action).toMatchObject([{ path: 'twist.linear.x', low: -0.3, high: 0.3 }]);
    expect((await cli('inspect', out)).stdout).toContain('courier');
    const again = await cli('describe', '--bag', join(folder, 'bag'), '--out', out);
    expect(again.code).not.toBe(0);
    expect(again.stderr).toContain('already');
  });

  it('says what is missing, and leaves nothing', async () => {
    const out = join(folder, 'x.yaml');
    expect((await cli('describe')).stderr).toContain('--bag or --urdf');
    writeFileSync(join(folder, 'x.urdf'), '<robot name="x"><link name="a"/></robot>');
    const none = await cli('describe', '--urdf', join(folder, 'x.urdf'), '--out', out);
    expect(none.stderr).toContain('no topic commands the robot');
    expect((await cli('describe', '--urdf', join(folder, 'no.urdf'))).stderr).toContain('cannot read the URDF');
    expect(existsSync(out)).toBe(false);
  });
});

describe('the describe executable', () => {
  it('listens to the topics of the graph', async () => {
    const ros = new FakeRos('describe');
    ros.topics = [
      { topic: '/odom', type: 'nav_msgs/msg/Odometry' },
      { topic: '/cmd_vel', type: 'geometry_msgs/msg/TwistStamped' },
      { topic: '/scan', type: 'sensor_msgs/msg/LaserScan' },
      { topic: '/foreign', type: 'their_msgs/msg/Thing' },
    ];
    const odometry = ros.transport.advertise('/odom', 'nav_msgs/msg/Odometry');
    const commands = ros.transport.advertise('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    const speaking = setInterval(() => {
      odometry.publish({ ...emptyMessage('nav_msgs/msg/Odometry'), header: header(1n, 'odom') });
      commands.publish(emptyMessage('geometry_msgs/msg/TwistStamped'));
    }, 20);
    const out = join(folder, 'mine.yaml');
    const warned: string[] = [];
    const logger = { info() {}, warn: (text: string) => warned.push(text) } as unknown as Logger;
    const parameters = { seconds: 1, command: '', name: '', out };
    const { signal } = new AbortController();
    const write = process.stdout.write;
    process.stdout.write = (() => true) as never;
    try {
      const run = (executable as ProgramExecutable).run;
      expect(await run({ ros, spec, parameters: parameters as never, logger, signal })).toBe(0);
    } finally {
      process.stdout.write = write;
      clearInterval(speaking);
      await ros.broker.close();
    }
    expect(parseRobotSpec(readFileSync(out, 'utf8'), out).stateTopics.map(({ topic }) => topic)).toEqual(['/odom']);
    expect(warned).toEqual([expect.stringMatching(/^\/scan \(sensor_msgs\/msg\/LaserScan\) is silent: .*to do: /)]);
    expect(readFileSync(out, 'utf8')).toMatch(/^ {2}# \/scan: .*SILENT$/m);
  });
});
