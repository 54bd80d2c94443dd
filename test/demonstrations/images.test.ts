import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeLoss, lintDemonstrations, readDemonstrations } from '#src/demonstrations/index.js';
import { type CompressedImage, emptyMessage, type Image, type MessageTypes, stampOf } from '#src/messages/index.js';
import { createObservationAssembler, describeRefusal, parseRobotSpec } from '#src/robot/index.js';
import { type Written, writeBag } from './bag.js';
import { baseNs, temporaryFolder } from './toy.js';

const spec = parseRobotSpec(
  `
robot: car
description: Follows what it sees.
rate_hz: 10
frame_id: base_link
state:
  /odom: { type: nav_msgs/msg/Odometry, timeout_ms: 300 }
  /camera: { type: sensor_msgs/msg/Image, timeout_ms: 300 }
  /front/compressed: { type: sensor_msgs/msg/CompressedImage, timeout_ms: 300 }
  /watched: { type: sensor_msgs/msg/Image, timeout_ms: .inf }
observation:
  - { name: x, topic: /odom, field: pose.pose.position.x, unit: m }
  - { name: camera, topic: /camera, image: { height: 2, width: 3, channels: 3 } }
  - { name: front, topic: /front/compressed, image: { height: 6, width: 8, channels: 1 } }
command: { topic: /cmd_vel, type: geometry_msgs/msg/Twist, timeout_ms: 500 }
teleop: { topic: /teleop/cmd_vel }
action: [{ name: speed, path: linear.x, unit: m/s, low: -1, high: 1 }]
estop_topic: /estop
stop: zero
`,
  'car.yaml',
);

interface Golden {
  readonly name: string;
  readonly compressed?: { readonly format: string; readonly data: string };
}
const golden = JSON.parse(
  readFileSync(new URL('../golden/images/images.json', import.meta.url), 'utf8'),
) as readonly Golden[];
const files = ['JPEG', 'PNG, grey', 'PNG'].map((wanted): Omit<CompressedImage, 'header'> => {
  const { format, data } = golden.find(({ name }) => name === wanted)!.compressed!;
  return { format, data: Buffer.from(data, 'base64') };
});

const MS = 1_000_000n;

/** Two seconds: a camera at the control rate, another one at 25 Hz with the stamps of its shutter, 20 ms before it is logged. */
function drive(change: (image: Image, k: number) => Image = (image) => image): Written[] {
  const said: Written[] = [];
  const at = (ms: number): bigint => baseNs + BigInt(ms) * MS;
  const header = (ms: number) => ({ stamp: stampOf(at(ms)), frame_id: '' });
  const say = <Name extends keyof MessageTypes>(topic: string, type: Name, message: MessageTypes[Name], ms: number) =>
    said.push({ topic, type, message: message as object, logNs: at(ms) });
  say('/watched', 'sensor_msgs/msg/Image', { ...emptyMessage('sensor_msgs/msg/Image'), header: header(1) }, 2);
  for (let ms = 0; ms <= 2000; ms += 1) {
    if (ms % 40 === 0)
      say(
        '/front/compressed',
        'sensor_msgs/msg/CompressedImage',
        { header: header(ms), ...files[(ms / 40) % 3]! },
        ms + 20,
      );
    if (ms % 100 !== 0) continue;
    const odometry = { ...emptyMessage('nav_msgs/msg/Odometry'), header: header(ms) };
    odometry.pose.pose.position.x = ms / 1000;
    say('/odom', 'nav_msgs/msg/Odometry', odometry, ms + 21);
    const data = Uint8Array.from({ length: 4 * 6 * 3 }, (_, i) => (i * 37 + ms) % 256);
    const image = { header: header(ms), height: 4, width: 6, encoding: 'bgr8', is_bigendian: 0, step: 18, data };
    say('/camera', 'sensor_msgs/msg/Image', change(image, ms / 100), ms + 22);
    const twist = emptyMessage('geometry_msgs/msg/Twist');
    twist.linear.x = 0.5;
    say('/teleop/cmd_vel', 'geometry_msgs/msg/Twist', twist, ms + 25);
  }
  return said.sort((a, b) => Number(a.logNs - b.logNs));
}
const bag = async (said: readonly Written[]) => await writeBag(join(temporaryFolder(), 'drive', 'drive.mcap'), said);

describe('a recording with images', () => {
  it('has, bit for bit, the images that a live robot sees', async () => {
    const said = drive();
    const { episodes, report } = await readDemonstrations([await bag(said)], spec);
    expect(report.recordings.flatMap(describeLoss)).toEqual([]);
    expect(episodes.map(({ length }) => length)).toEqual([20]);
    const live = createObservationAssembler(spec);
    const seen: Record<string, Uint8Array | Float32Array>[] = [];
    for (const { topic, message, logNs } of said) {
      if (topic !== '/teleop/cmd_vel') live.accept(topic, message, logNs, logNs);
      else {
        const found = live.assemble(logNs);
        if (!found.ok) throw new Error(found.text);
        seen.push(found.observation as Record<string, Uint8Array>);
      }
    }
    const { camera, front, state } = episodes[0]!.observations as Record<string, Uint8Array>;
    const together = (name: string): number[] => seen.flatMap((observation) => [...observation[name]!]);
    expect(camera).toBeInstanceOf(Uint8Array);
    expect([...camera!]).toEqual(together('camera'));
    expect([...state!]).toEqual(together('state'));
    expect(camera).toHaveLength(21 * 18);
    // Blue, green, red became red, green, blue: the first area of the first picture, 2 × 2 pixels, half up.
    const first = (byte: number): number =>
      Math.floor((2 * [0, 3, 18, 21].reduce((sum, i) => sum + (((i + byte) * 37) % 256), 0) + 4) / 8);
    expect([...camera!.subarray(0, 3)]).toEqual([first(2), first(1), first(0)]);
    // Recordings are sampled by stamps, a live robot sees what has arrived: of the faster camera each is a picture that was sent.
    const sent = new Set(rows(Uint8Array.from(together('front')), 48));
    expect(sent.size).toBe(3);
    for (const row of rows(front!, 48)) expect(sent).toContain(row);
  });

  it('says of an image that cannot be used what a live robot says, and cuts there', async () => {
    const said = drive((image, k) => (k === 7 ? { ...image, encoding: 'yuv422_yuy2' } : image));
    const { episodes, report } = await readDemonstrations([await bag(said)], spec);
    expect(episodes.map(({ length }) => length)).toEqual([6, 12]);
    const live = createObservationAssembler(spec);
    for (const { topic, message, logNs } of said)
      if (topic !== '/teleop/cmd_vel') live.accept(topic, message, logNs, logNs);
    const [refused] = live.refusals.map(({ refusal }) => describeRefusal(refusal));
    expect(refused).toContain("/camera: encoding is 'yuv422_yuy2', expected one of rgb8, bgr8");
    expect(report.recordings.flatMap(describeLoss).join('\n')).toContain(refused);
  });

  it('is told where its pictures change their size', async () => {
    const larger = (image: Image, k: number): Image =>
      k < 12 ? image : { ...image, height: 8, step: 36, width: 12, data: new Uint8Array(8 * 36).fill(k) };
    const path = await bag(drive(larger));
    const { episodes, report } = await readDemonstrations([path], spec);
    const changing = lintDemonstrations(episodes, spec, report).filter(({ check }) => check === 'changing topic');
    expect(changing).toEqual([
      expect.objectContaining({
        found: 'the size of the pictures of /camera is 6 × 4 before 1.22 s, and then 12 × 8',
        remedy: expect.stringContaining(`iq-learn trim ${path} --to 1.22, or --from 1.22`),
      }),
      // Three files by turns.
      expect.objectContaining({
        found:
          'the size of the pictures of /front/compressed is 64 × 48 before 0.06 s, and then 14 × 11, the first of 33 changes',
        remedy: expect.stringContaining('have one publisher on the topic'),
      }),
    ]);
  });

  it('is not read where a topic has no image that can be used: the reason is in the error', async () => {
    const said = drive((image) => ({ ...image, height: 1, data: image.data.subarray(0, 18) }));
    await expect(readDemonstrations([await bag(said)], spec)).rejects.toMatchObject({
      code: 'CORRUPT_DATA',
      found: expect.stringContaining('/camera: width × height is 6 × 1, expected at least 3 × 2, the size of camera'),
    });
  });

  it('has one place for two different pictures of one stamp, as for other messages', async () => {
    const said = drive();
    const at = said.findIndex(({ topic, logNs }) => topic === '/camera' && logNs > baseNs + 700n * MS);
    const { message, logNs } = said[at]!;
    const other = { ...message, data: new Uint8Array(72) };
    said.splice(at + 1, 0, { ...said[at]!, message: other, logNs: logNs + 1n });
    const { report } = await readDemonstrations([await bag(said)], spec);
    expect(report.recordings[0]).toMatchObject({ contradictions: 1, splits: 1 });
    said[at + 1] = { ...said[at]!, logNs: logNs + 1n };
    expect((await readDemonstrations([await bag(said)], spec)).report.recordings[0]).toMatchObject({
      contradictions: 0,
      duplicates: 1,
      splits: 0,
    });
  });
});

/** The rows of a block as texts. */
function rows(values: Uint8Array, size: number): string[] {
  return Array.from({ length: values.length / size }, (_, k) => values.subarray(k * size, (k + 1) * size).join());
}
