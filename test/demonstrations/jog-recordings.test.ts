import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import { emptyMessage, header } from '#src/messages/index.js';
import { createActionMapper, parseRobotSpec } from '#src/robot/index.js';

const text = readFileSync(new URL('../../config/robots/ur5e.yaml', import.meta.url), 'utf8').replace(
  '/teleop/joint_states, type: sensor_msgs/msg/JointState',
  '/teleop/jog, type: control_msgs/msg/JointJog',
);
const spec = parseRobotSpec(text, 'ur5e.yaml');
const names = spec.action.map(({ path }) => path);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-jog-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function recorded(commands: boolean): Promise<string> {
  const bag = join(folder, 'bag');
  const writer = await RecordingWriter.create(bag, { spec, session: 'test' });
  const mapper = createActionMapper(spec);
  for (let t = 0; t < 60; t++) {
    const stampNs = 1_700_000_000_000_000_000n + BigInt(Math.round((t * 1e9) / spec.rateHz));
    const elbow = 0.5 + 0.01 * t;
    const position = Float64Array.from([0, -1, elbow, 0, 0, 0]);
    const joints = { name: names, position, velocity: new Float64Array(6), effort: new Float64Array(0) };
    writer.write('/joint_states', 'sensor_msgs/msg/JointState', { header: header(stampNs, ''), ...joints }, stampNs);
    const pose = { ...emptyMessage('geometry_msgs/msg/PoseStamped'), header: header(stampNs, 'base') };
    pose.pose.orientation.w = 1;
    writer.write('/tcp_pose_broadcaster/pose', 'geometry_msgs/msg/PoseStamped', pose, stampNs);
    const jog = { ...emptyMessage('control_msgs/msg/JointJog'), header: header(stampNs, '') };
    jog.joint_names = ['elbow_joint'];
    jog.velocities = Float64Array.from([0.2]);
    writer.write('/teleop/jog', 'control_msgs/msg/JointJog', jog, stampNs);
    const { topic } = spec.commands[0];
    const command = mapper.toMessage([0, -1, elbow + 0.01, 0, 0, 0], stampNs);
    if (commands) writer.write(topic, 'trajectory_msgs/msg/JointTrajectory', command as never, stampNs);
  }
  await writer.close();
  return bag;
}

describe('a recording of an arm that a person jogged', () => {
  it('has its actions on the command topic, whatever the person’s topic says', async () => {
    const bag = [await recorded(true)];
    const { episodes } = await readDemonstrations(bag, spec);
    const { actions, length } = episodes[0]!;
    expect(length).toBeGreaterThan(50);
    expect(actions[2]).toBeCloseTo(0.51, 5);
    await expect(readDemonstrations(bag, spec, { action: 'teleop' })).rejects.toThrow(
      /cannot be read from \/teleop\/jog.*--action command/,
    );
  });

  it('without them is refused, which names the topic that is missing', async () => {
    const bag = [await recorded(false)];
    await expect(readDemonstrations(bag, spec)).rejects.toThrow(/scaled_joint_trajectory_controller/);
  });
});
