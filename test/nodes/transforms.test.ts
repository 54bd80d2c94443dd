import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openRecording, RecordingWriter } from '#src/demonstrations/index.js';
import { emptyMessage, type PolicyStatus, stampOf, type TwistStamped } from '#src/messages/index.js';
import { PolicyNode, RecorderNode } from '#src/nodes/index.js';
import { temporaryFolder } from '../demonstrations/toy.js';
import { fastSpec, quickPolicy, VirtualTime } from './virtual-time.js';

let time: VirtualTime;
afterEach(() => time.close());

const BASE_NS = 1_000_000_000_000n;
const header = (ms: number, frame_id: string) => ({ stamp: stampOf(BASE_NS + BigInt(ms) * 1_000_000n), frame_id });
const turn = { x: 0, y: 0, z: 0, w: 1 };

it('drives by an odometry in another frame, as soon as its transform is there; the recorder keeps the transforms', async () => {
  time = new VirtualTime();
  const { rig } = time;
  const commands: TwistStamped[] = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
  const statuses: PolicyStatus[] = rig.listen('/policy_status', 'iq_learn/msg/PolicyStatus');
  // Said before any node was there: odom lies at x = 3 in map.
  const transforms = (frame_id: string, child_frame_id: string, x: number, ms: number) => ({
    transforms: [
      { header: header(ms, frame_id), child_frame_id, transform: { translation: { x, y: 0, z: 0 }, rotation: turn } },
    ],
  });
  rig.say('/tf_static', 'tf2_msgs/msg/TFMessage', transforms('earth', 'map', 0, 0), true);
  const folder = join(temporaryFolder(), 'recording');
  const writer = await RecordingWriter.create(folder, { spec: fastSpec as never, session: 's' });
  const recorder = rig.start(new RecorderNode(rig.context('recorder'), writer, { useSimTime: false }));
  rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }, await quickPolicy(-4)));
  let ms = 0;
  const pass = async (steps: number, isKnown: boolean): Promise<void> => {
    for (let i = 0; i < steps; i++) {
      ms += 10;
      const odometry = emptyMessage('nav_msgs/msg/Odometry');
      odometry.header = header(ms, 'earth');
      odometry.pose.pose.position.x = 1;
      odometry.pose.pose.orientation = { ...turn };
      rig.say('/odom', 'nav_msgs/msg/Odometry', odometry);
      await time.settle();
      if (isKnown) rig.say('/tf', 'tf2_msgs/msg/TFMessage', transforms('map', 'odom', 3, ms));
      await time.pass(10);
    }
  };
  await pass(120, false);
  expect(commands).toEqual([]);
  expect(statuses.at(-1)).toMatchObject({ state: 'IDLE' });
  expect(statuses.at(-1)!.reason).toMatch(
    /^\/odom: header\.frame_id is 'earth', expected 'odom'; .* do not connect them/,
  );
  await pass(120, true);
  expect(statuses.at(-1)).toMatchObject({ state: 'RUNNING' });
  // 1 in earth and map is −2 in odom: home is forward.
  expect(commands.at(-1)!.twist.linear.x).toBeGreaterThan(0.9);
  await recorder.shutdown();
  const { topics } = await openRecording(folder);
  expect(topics.get('/tf_static')!.messages).toBe(1);
  expect(topics.get('/tf')!.messages).toBe(120);
});
