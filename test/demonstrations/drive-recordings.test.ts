import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import { emptyMessage, header } from '#src/messages/index.js';
import { parseRobotSpec } from '#src/robot/index.js';

const text = readFileSync(new URL('../../config/robots/f1tenth.yaml', import.meta.url), 'utf8');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-drive-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it.each(['ackermann_msgs/msg/AckermannDriveStamped', 'ackermann_msgs/msg/AckermannDrive'] as const)(
  'a recording of a car that a person drove by %s has speed and steering as its actions',
  async (type) => {
    const spec = parseRobotSpec(text.replace('topic: /teleop,', `topic: /teleop, type: ${type},`), 'car.yaml');
    expect(spec.commands[0].teleop.type).toBe(type);
    const bag = join(folder, 'bag');
    const writer = await RecordingWriter.create(bag, { spec, session: 'test' });
    for (let t = 0; t < 30; t++) {
      const stampNs = 1_700_000_000_000_000_000n + BigInt(t) * 50_000_000n;
      const scan = { ...emptyMessage('sensor_msgs/msg/LaserScan'), header: header(stampNs, 'laser') };
      const ranges = Float32Array.from({ length: 1080 }, () => 2);
      const beams = { angle_min: -2.35, angle_max: 2.35, angle_increment: 4.7 / 1079, range_min: 0.06, range_max: 10 };
      writer.write('/scan', 'sensor_msgs/msg/LaserScan', { ...scan, ...beams, ranges }, stampNs);
      const drive = emptyMessage('ackermann_msgs/msg/AckermannDrive');
      drive.speed = 1 + 0.01 * t;
      drive.steering_angle = -0.2;
      const message = type.endsWith('Stamped') ? { header: header(stampNs, 'base_link'), drive } : drive;
      writer.write('/teleop', type, message as never, stampNs);
    }
    await writer.close();
    const { episodes } = await readDemonstrations([bag], spec);
    const { actions, length } = episodes[0]!;
    expect(length).toBeGreaterThan(20);
    expect(actions[2]).toBeCloseTo(1.01, 5);
    expect(actions[3]).toBeCloseTo(-0.2, 5);
  },
);
