import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openRecording, RecordingWriter } from '#src/demonstrations/index.js';
import { emptyMessage, type Image, type PolicyStatus, stampOf, type TwistStamped } from '#src/messages/index.js';
import { PolicyNode, RecorderNode } from '#src/nodes/index.js';
import { stackTransitions } from '#src/nodes/kit/transition-pieces.js';
import type { PolicyRuntime } from '#src/policy/index.js';
import { contractOf, parseRobotSpec } from '#src/robot/index.js';
import { temporaryFolder } from '../demonstrations/toy.js';
import { diagnosed, specText } from './toy.js';
import { quickPolicy, VirtualTime } from './virtual-time.js';

const spec = parseRobotSpec(
  specText
    .replace('observation:\n', '  /camera: { type: sensor_msgs/msg/Image, timeout_ms: 150 }\nobservation:\n')
    .replace('command:', '  - { name: front, topic: /camera, image: { height: 1, width: 2, channels: 1 } }\ncommand:'),
  'trolley.yaml',
);
const BASE_NS = 1_000_000_000_000n;
const header = (ms: number, frame_id: string) => ({ stamp: stampOf(BASE_NS + BigInt(ms) * 1_000_000n), frame_id });
/** Dark on the left, this bright on the right. */
const picture = (ms: number, right: number, change: Partial<Image> = {}): Image => ({
  header: header(ms, 'camera'),
  height: 1,
  width: 4,
  encoding: 'mono8',
  is_bigendian: 0,
  step: 4,
  data: Uint8Array.of(0, 0, right, right),
  ...change,
});

let time: VirtualTime;
afterEach(() => time.close());

it('drives by an image, holds while it is stale or cannot be read, and tells and records what it saw', async () => {
  time = new VirtualTime(spec);
  const { rig } = time;
  const commands: TwistStamped[] = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
  const statuses: PolicyStatus[] = rig.listen('/policy_status', 'iq_learn/msg/PolicyStatus');
  const transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
  const folder = join(temporaryFolder(), 'recording');
  const writer = await RecordingWriter.create(folder, { spec, session: 's' });
  const recorder = rig.start(new RecorderNode(rig.context('recorder'), writer, { useSimTime: false }));
  const runtime: PolicyRuntime = {
    ...(await quickPolicy()),
    contract: contractOf(spec),
    act: async (observation) => Float32Array.of((observation as Record<string, Uint8Array>).front![1]! / 255),
  };
  const node = rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }, runtime));
  let ms = 0;
  const pass = async (steps: number, say: (at: number) => Image | null): Promise<void> => {
    for (let i = 0; i < steps; i++) {
      ms += 50;
      const odometry = emptyMessage('nav_msgs/msg/Odometry');
      odometry.header = header(ms, 'odom');
      odometry.pose.pose.orientation.w = 1;
      rig.say('/odom', 'nav_msgs/msg/Odometry', odometry);
      const image = say(ms);
      if (image !== null) rig.say('/camera', 'sensor_msgs/msg/Image', image);
      await time.pass(50);
    }
  };
  const status = (): PolicyStatus => statuses.at(-1)!;
  const speed = (): number => commands.at(-1)!.twist.linear.x;

  await pass(30, () => null);
  expect(commands).toEqual([]);
  expect(status().reason).toBe('/camera has not been heard, expected sensor_msgs/msg/Image');
  await pass(40, (at) => picture(at, 102));
  expect(status().state).toBe('RUNNING');
  expect(speed()).toBeCloseTo(0.4, 5);
  await pass(10, (at) => picture(at, 204));
  expect(speed()).toBeCloseTo(0.8, 5);
  // The camera falls silent.
  await pass(30, () => null);
  expect(status()).toMatchObject({
    state: 'HOLDING',
    reason: expect.stringMatching(/^\/camera is \d+ ms old, timeout 150 ms$/),
  });
  expect(speed()).toBe(0);
  const before = transitions.length;
  // It comes back with what cannot be read.
  await pass(30, (at) => picture(at, 204, { encoding: 'yuv422' }));
  expect(status()).toMatchObject({
    state: 'HOLDING',
    reason: expect.stringMatching(
      /^\/camera is \d+ ms old, timeout 150 ms: encoding is 'yuv422', expected one of rgb8,/,
    ),
  });
  expect(speed()).toBe(0);
  expect(transitions.length).toBe(before);
  expect(diagnosed(node, 'states_refused_why')).toContain("/camera: encoding is 'yuv422'");
  expect(rig.records.filter(({ level }) => level === 'warn').map(({ fields }) => fields.reason)).toContainEqual(
    expect.stringContaining("encoding is 'yuv422'"),
  );
  await pass(40, (at) => picture(at, 51));
  expect(status().state).toBe('RUNNING');
  expect(speed()).toBeCloseTo(0.2, 5);

  const { observations } = stackTransitions(transitions, spec);
  const { front } = observations as Record<string, Uint8Array>;
  expect(front).toHaveLength(2 * transitions.length);
  let answered = 0;
  transitions.forEach(({ action, step }, i) => {
    expect(front![2 * i]).toBe(0);
    // What a policy says of an observation is executed a period later; the first period of a run has nothing yet.
    if (step !== (transitions[i - 1]?.step ?? 0) + 1 || front![2 * i + 1] !== front![2 * i - 1]) return;
    expect(action[0]).toBeCloseTo(front![2 * i + 1]! / 255, 5);
    answered++;
  });
  expect(answered).toBeGreaterThan(0.9 * transitions.length);
  expect(new Set(front)).toEqual(new Set([0, 102, 204, 51]));
  await recorder.shutdown();
  expect((await openRecording(folder)).topics.get('/camera')!.messages).toBe(120);
});
