import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { identityNormalisation, Learner, learnerConfig } from '#src/learning/index.js';
import { encodeBundle, writeBundle } from '#src/policy/index.js';
import { contractOf, observationOf, parseRobotSpec } from '#src/robot/index.js';
import { seer } from '../../cli/seer.js';
import { describeWithRos, startExecutable } from '../../support/ros.js';
import { Driver, type Json } from './driver.js';

const text = seer('  - { name: front, topic: /camera, image: { height: 32, width: 32, channels: 1 } }\n');
const spec = parseRobotSpec(text, 'seer.yaml');
const SEEN = 32;
/** Of what the camera publishes: large enough that DDS sends it in many packets. */
const PUBLISHED = 640;

/** A light in a dark picture, from left (−1) to right (1): the speed to drive at. */
function picture(side: number, place: number, height: number): Uint8Array {
  const data = new Uint8Array(side * side).fill(30);
  const light = Math.round(0.2 * side);
  const [left, top] = [Math.round(((place + 1) / 2) * (side - light)), Math.round(height * (side - light))];
  for (let y = top; y < top + light; y++) data.fill(220, y * side + left, y * side + left + light);
  return data;
}

/** A policy that was shown 150 pictures. */
async function clonedPolicy(folder: string): Promise<void> {
  const random = new Random(1);
  const steps = 150;
  const places = Array.from({ length: steps + 1 }, () => 2 * random.uniform() - 1);
  const front = new Uint8Array((steps + 1) * SEEN * SEEN);
  for (const [i, place] of places.entries()) front.set(picture(SEEN, place, random.uniform()), i * SEEN * SEEN);
  const learner = await Learner.create({
    config: learnerConfig({ agent: 'cloning', batchSize: 32 }),
    observation: observationOf(contractOf(spec)),
    actionSize: 1,
    normalisation: identityNormalisation(1),
    seed: 2,
    threads: 1,
  });
  learner.addDemonstration({
    length: steps,
    observations: { state: random.fillNormal(new Float32Array(steps + 1)), front },
    actions: Float32Array.from(places.slice(0, steps), (place) => 0.8 * place),
    terminated: false,
  });
  await learner.update(150);
  writeBundle(folder, await encodeBundle({ policy: learner.policyFunction(), contract: contractOf(spec), version: 1 }));
  await learner.dispose();
}

describeWithRos('a robot that sees, over DDS', () => {
  let folder: string;
  let driver: Driver;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iq-ros-camera-'));
    writeFileSync(join(folder, 'seer.yaml'), text);
    await clonedPolicy(join(folder, 'policy'));
    driver = await Driver.start();
    startExecutable('policy', [
      ...['--ros-args', '-p', `robot:=${join(folder, 'seer.yaml')}`],
      ...['-p', `policy:=${join(folder, 'policy')}`, '-p', 'autostart:=true'],
    ]);
    await driver.subscribe('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    await driver.subscribe('/policy_status', 'iq_learn/msg/PolicyStatus');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const show = (place: number): Promise<void> => {
    const data = [...picture(PUBLISHED, place, 0.4)];
    const image = { height: PUBLISHED, width: PUBLISHED, encoding: 'mono8', step: PUBLISHED, data };
    const qos = { reliability: 'best_effort', depth: 2 };
    return driver.repeat('/camera', 'sensor_msgs/msg/Image', { header: { frame_id: 'camera' }, ...image }, 15, qos);
  };
  const drives = (fits: (speed: number) => boolean, what: string): Promise<Json> =>
    driver.until('/cmd_vel', ({ twist }) => fits(twist.linear.x), what);

  it('drives by what its camera shows', async () => {
    const pose = { pose: { orientation: { w: 1 } } };
    await driver.repeat('/odom', 'nav_msgs/msg/Odometry', { header: { frame_id: 'odom' }, pose }, 20);
    await show(-0.8);
    await drives((speed) => Math.abs(speed + 0.64) < 0.2, 'backwards: the light is on the left');
    await show(0.8);
    await drives((speed) => Math.abs(speed - 0.64) < 0.2, 'forwards: the light is on the right');
  });

  it('holds without the camera, and says so', async () => {
    await driver.quiet('/camera');
    // On a busy machine the odometry may be late as well for a moment, and is what is said then.
    const blames = ({ state, reason }: Json): boolean => state === 'HOLDING' && /\/camera is \d+ ms old/.test(reason);
    await driver.until('/policy_status', blames, 'it holds, and says why');
    await drives((speed) => speed === 0, 'a stop');
    await show(0.8);
    await drives((speed) => speed > 0.4, 'on it goes');
  });
});
