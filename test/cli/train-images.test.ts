import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import type { Image, TwistStamped } from '#src/messages/index.js';
import { PolicyNode } from '#src/nodes/index.js';
import { readBundle } from '#src/policy/index.js';
import { contractOf, loadRobotSpec } from '#src/robot/index.js';
import { type Written, writeBag } from '../demonstrations/bag.js';
import { VirtualTime } from '../nodes/virtual-time.js';
import { baseNs, odometry, picture, seer, shown } from './seer.js';
import { cli, inNewFolder } from './support.js';

const image = '  - { name: front, topic: /camera, image: { height: 16, width: 16, channels: 1 } }\n';
const MS = 1_000_000n;
const side = 32;

/** A light of 6 × 6 pixels whose place from left (−1) to right (1) is the speed to drive at; its height says nothing. */
function light(ns: bigint, place: number, height: number): Image {
  const data = new Uint8Array(side * side).fill(30);
  const [left, top] = [Math.round(((place + 1) / 2) * (side - 6)), Math.round(height * (side - 6))];
  for (let y = top; y < top + 6; y++) data.fill(220, y * side + left, y * side + left + 6);
  return picture(ns, side, data);
}

/** Where the robot is says nothing of the speed: only the picture does. */
function demonstration(seed: number, steps: number): Written[] {
  const random = Random.derive(seed, 'lights');
  return Array.from({ length: steps }, (_, k): Written[] => {
    const ns = baseNs + BigInt(k) * 100n * MS;
    const [place, height, x] = [2 * random.uniform() - 1, random.uniform(), 2 * random.uniform() - 1];
    return shown(ns, x, light(ns, place, height), 0.8 * place);
  }).flat();
}

let folder: ReturnType<typeof inNewFolder>;
beforeAll(async () => {
  folder = inNewFolder();
  writeFileSync('seer.yaml', seer(image));
  writeFileSync('blind.yaml', seer(''));
  for (let i = 0; i < 5; i++) await writeBag(`shown/${i}/${i}.mcap`, demonstration(i, 160));
});
afterAll(() => folder.leave());

const trained = async (description: string, out: string): Promise<{ iq: number; cloning: number; mean: number }> => {
  const { code, stdout, stderr } = await cli(
    ...['train', '--offline', '--recording', 'shown', '--robot', description],
    ...['--steps', '500', '--out', out, '--quiet', '--device', 'cpu'],
  );
  expect(code, stderr).toBe(0);
  const error = (name: string): number => Number(new RegExp(`${name}: error ([\\d.]+) %`).exec(stdout)![1]);
  return { iq: error('IQ-Learn'), cloning: error('behavioural cloning'), mean: error('always the mean action') };
};

it('train --offline learns from images what the numbers beside them do not tell; without them it does not', async () => {
  const seeing = await trained('./seer.yaml', 'seeing');
  const blind = await trained('./blind.yaml', 'blind');
  expect(Math.min(blind.iq, blind.cloning)).toBeGreaterThan(0.85 * blind.mean);
  expect(seeing.cloning).toBeLessThan(0.35 * seeing.mean);
  expect(seeing.iq).toBeLessThan(seeing.mean);
}, 600_000);

it('the policy drives a robot by its camera', async () => {
  const spec = loadRobotSpec('./seer.yaml');
  const policy = await readBundle('seeing/policy');
  expect(policy.contract).toEqual(contractOf(spec));
  const time = new VirtualTime(spec);
  try {
    const { rig } = time;
    const commands: TwistStamped[] = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }, policy));
    const errors: number[] = [];
    for (let k = 0; k < 40; k++) {
      const ns = baseNs + BigInt(k) * 100n * MS;
      const place = ((k * 7) % 20) / 10 - 1;
      rig.say('/odom', 'nav_msgs/msg/Odometry', odometry(ns, 0.3));
      rig.say('/camera', 'sensor_msgs/msg/Image', light(ns, place, ((k * 3) % 10) / 10));
      await time.pass(100);
      if (k > 10) errors.push(Math.abs(commands.at(-1)!.twist.linear.x - 0.8 * place));
    }
    expect(errors.sort((a, b) => a - b)[errors.length >> 1]).toBeLessThan(0.25);
  } finally {
    await time.close();
    await policy.dispose();
  }
}, 60_000);
