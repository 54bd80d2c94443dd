import { describe, expect, test } from 'vitest';
import { emptyMessage, type Image, stampOf } from '#src/messages/index.js';
import {
  checkContract,
  contractOf,
  createObservationAssembler,
  describeRefusal,
  observationOf,
  PolicyActions,
  parseRobotSpec,
  robotSpecHash,
} from '#src/robot/index.js';
import { withNamespace } from '#src/robot/namespace.js';
import { goal, ms, odometry, scan, vehicle, vehicleText } from '../messages.js';

const type = 'sensor_msgs/msg/Image';
const entry = '{ name: front, topic: /camera, image: { height: 2, width: 3, channels: 1 } }';

/** The vehicle with cameras, and these entries before its other features. */
function text(...entries: readonly string[]): string {
  return vehicleText
    .replace(
      'observation:\n',
      `  /camera: { type: ${type}, timeout_ms: 300, frame_id: camera }\n  /other: { type: ${type}, timeout_ms: .inf }\nobservation:\n`,
    )
    .replace('observation:\n', `observation:\n${entries.map((line) => `  - ${line}\n`).join('')}`);
}
const spec = parseRobotSpec(text(entry), 'vehicle.yaml');

/** Grey of 3 × 2 pixels from `first` on. */
function picture(stampMs: number, first: number, change: Partial<Image> = {}): Image {
  return {
    header: { stamp: stampOf(ms(stampMs)), frame_id: 'camera' },
    height: 2,
    width: 3,
    encoding: 'mono8',
    is_bigendian: 0,
    step: 3,
    data: Uint8Array.from({ length: 6 }, (_, i) => first + i),
    ...change,
  };
}

describe('an image in a description', () => {
  test('is a block beside the named numbers, which stay what they were', () => {
    expect(spec.observation).toEqual(vehicle.observation);
    const front = { name: 'front', shape: [2, 3, 1], dtype: 'uint8', normalise: 'unit' };
    expect(spec.blocks).toEqual([front]);
    expect(observationOf(spec).map(({ name }) => name)).toEqual(['state', 'front']);
    expect(contractOf(spec).blocks).toEqual([front]);
    checkContract(JSON.parse(JSON.stringify(contractOf(spec))), spec);
  });

  test('changes nothing of a robot without one: its contract has the hash that it had before there were images', () => {
    expect(robotSpecHash(vehicle)).toBe('9f6b7b8b29e64575dc41b13c62e986643d9457b2b053aecae2114342cdb85eb3');
    expect(vehicle).not.toHaveProperty('images');
  });

  test('of another size, part or range is another robot to a policy', () => {
    const variants = [
      entry,
      entry.replace('front', 'rear'),
      entry.replace('width: 3', 'width: 4'),
      entry.replace('channels: 1', 'channels: 3'),
      entry.replace(' } }', ' }, crop: { x: 1, y: 0, width: 9, height: 9 } }'),
      entry.replace(' } }', ' }, crop: { x: 2, y: 0, width: 9, height: 9 } }'),
      entry.replace(' } }', ' }, depth: { near: 0.2, far: 2 } }'),
      entry.replace(' } }', ' }, depth: { near: 0.2, far: 3 } }'),
    ].map((line) => parseRobotSpec(text(line), 'vehicle.yaml'));
    expect(new Set(variants.map(robotSpecHash)).size).toBe(variants.length);
    for (const other of variants.slice(1))
      expect(() => checkContract(contractOf(other), spec)).toThrow(/the observation's blocks differs/);
    expect(() => checkContract(contractOf(variants[6]!), spec)).toThrow(
      expect.objectContaining({ found: 'front uint8[2, 3, 1] (unit, depth 0.2 to 2 m)' }),
    );
  });

  test('moves into a namespace with its topic', () => {
    expect(withNamespace(spec, 'bot1').images).toMatchObject([{ block: 'front', topic: '/bot1/camera' }]);
  });

  test.each([
    ['a topic of numbers', '/camera', '/odom', /observation\[0\]\.topic.*Odometry.*a topic of sensor_msgs\/msg\/Image/],
    ['an unknown topic', '/camera,', '/camra,', /did you mean '\/camera'/],
    ['history', ' } }', ' }, steps: 3 }', /observation\[0\]\.steps.*there is no history of images/],
    ['a colour and a half', 'channels: 1', 'channels: 2', /channels.*1 for grey or depth, 3 for colour/],
    ['a size beyond what a policy takes', 'height: 2', 'height: 480', /image\.height.*at most 256/],
    ['no size', 'height: 2, ', '', /image\.height/],
    ['the name of the numbers', 'front', 'state', /'state' a second time/],
    ['a name that no input can have', 'front', 'front.left', /letters, digits and _/],
    [
      'a crop that would have to grow',
      ' } }',
      ' }, crop: { x: 0, y: 0, width: 2, height: 9 } }',
      /crop of 2 × 9 for 3 × 2/,
    ],
    ['a depth of no length', ' } }', ' }, depth: { near: 2, far: 2 } }', /near 2, far 2/],
    ['a depth without an end', ' } }', ' }, depth: { near: 2, far: .inf } }', /both finite/],
    ['a depth in colour', 'channels: 1 }', 'channels: 3 }, depth: { near: 1, far: 2 }', /3 of a depth/],
    ['another normalisation', ' } }', ' }, normalise: standard }', /normalise.*unit/],
    ['a misspelt field', ' } }', ' }, corp: {} }', /did you mean 'crop'/],
    ['limits', ' } }', ' }, low: 0 }', /an unknown field 'low'/],
    ['two forms at once', ' } }', ' }, sectors: 3 }', /found sectors and image|sectors and image/],
  ])('is refused with line and place: %s', (_, from, to, expected) => {
    const changed = entry.replace(from, to);
    expect(changed).not.toBe(entry);
    expect(() => parseRobotSpec(text(changed), 'vehicle.yaml')).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringMatching(/vehicle\.yaml:1\d/) }),
    );
    expect(() => parseRobotSpec(text(changed), 'vehicle.yaml')).toThrow(expected);
  });

  test('is refused where there is no number beside it, and twice under one name', () => {
    const alone = text(entry).replace(/(- \{ name: front.*\n)(?: {2}[-#].*\n)+/, '$1');
    expect(() => parseRobotSpec(alone, 'vehicle.yaml')).toThrow(/images alone/);
    expect(() => parseRobotSpec(text(entry, entry), 'vehicle.yaml')).toThrow(/'front' a second time/);
  });
});

describe('the assembler of a robot with a camera', () => {
  const numbers = (assembler: ReturnType<typeof createObservationAssembler>, stampMs: number): void => {
    assembler.accept('/odom', odometry(stampMs), ms(stampMs));
    assembler.accept('/scan', scan(stampMs), ms(stampMs));
    assembler.accept('/goal_pose', goal(stampMs), ms(stampMs));
    assembler.accept('/other', picture(stampMs, 0), ms(stampMs));
  };
  const start = (stampMs = 1000) => {
    const assembler = createObservationAssembler(spec);
    numbers(assembler, stampMs);
    return assembler;
  };
  const bytesOf = (assembler: ReturnType<typeof createObservationAssembler>, atMs: number): number[] | string => {
    const found = assembler.assemble(ms(atMs));
    if (!found.ok) return found.text;
    const { state, front } = found.observation as Record<string, Float32Array | Uint8Array>;
    expect(state).toBeInstanceOf(Float32Array);
    expect(state).toHaveLength(vehicle.observation.length);
    expect(front).toBeInstanceOf(Uint8Array);
    return [...front!];
  };

  test('puts the newest image beside the numbers, with its stamp; what was given before stays as it was', () => {
    const assembler = start();
    expect(bytesOf(assembler, 1010)).toBe('/camera has not been heard, expected sensor_msgs/msg/Image');
    expect(assembler.accept('/camera', picture(1000, 10), ms(1010))).toBe(true);
    const before = assembler.assemble(ms(1010));
    expect(bytesOf(assembler, 1010)).toEqual([10, 11, 12, 13, 14, 15]);
    expect(assembler.accept('/camera', picture(1100, 20), ms(1110))).toBe(true);
    expect(bytesOf(assembler, 1110)).toEqual([20, 21, 22, 23, 24, 25]);
    expect(assembler.stamps.get('/camera')).toBe(ms(1100));
    expect(before).toMatchObject({ observation: { front: Uint8Array.of(10, 11, 12, 13, 14, 15) } });
  });

  test('does without it no longer than its timeout', () => {
    const assembler = start();
    assembler.accept('/camera', picture(1000, 10), ms(1000));
    numbers(assembler, 1250);
    expect(bytesOf(assembler, 1299)).toHaveLength(6);
    expect(assembler.assemble(ms(1301))).toMatchObject({ ok: false, reason: 'stale', topics: ['/camera'] });
    expect(bytesOf(assembler, 1301)).toBe('/camera is 301 ms old, timeout 300 ms');
  });

  test('keeps the last good image where one is refused, says why, and counts it', () => {
    const assembler = start();
    assembler.accept('/camera', picture(1000, 10), ms(1000));
    const broken = picture(1100, 20, { data: new Uint8Array(5) });
    expect(assembler.accept('/camera', broken, ms(1100))).toBe(false);
    expect(bytesOf(assembler, 1150)).toEqual([10, 11, 12, 13, 14, 15]);
    numbers(assembler, 1350);
    expect(bytesOf(assembler, 1350)).toBe(
      '/camera is 350 ms old, timeout 300 ms: data is 5 bytes, expected 6 for 2 rows of 3',
    );
    expect(assembler.counters.incomplete).toBe(1);
    expect(assembler.refusals.map(({ refusal, count }) => [describeRefusal(refusal), count])).toEqual([
      ['/camera: data is 5 bytes, expected 6 for 2 rows of 3', 1],
    ]);
  });

  test('refuses an image of another camera, and one that is late or the same again', () => {
    const assembler = start();
    const header = { stamp: stampOf(ms(1000)), frame_id: 'rear' };
    expect(assembler.accept('/camera', picture(1000, 10, { header }), ms(1000))).toBe(false);
    expect(assembler.problemOf('/camera')).toContain("header.frame_id is 'rear', expected 'camera'");
    assembler.accept('/camera', picture(1100, 10), ms(1100));
    expect(assembler.accept('/camera', picture(1100, 10), ms(1200))).toBe(false);
    expect(assembler.problemOf('/camera')).toContain('repeats its last stamp');
    expect(assembler.accept('/camera', picture(1050, 30), ms(1210))).toBe(false);
    expect(bytesOf(assembler, 1210)).toEqual([10, 11, 12, 13, 14, 15]);
  });

  test('leaves a camera that is only watched alone, whatever it sends', () => {
    const assembler = start();
    expect(assembler.accept('/other', { ...picture(1010, 0), encoding: 'bayer_rggb8' }, ms(1010))).toBe(true);
  });

  test('has two images of one topic, each with its part', () => {
    const part = (name: string, x: number): string =>
      `{ name: ${name}, topic: /camera, image: { height: 2, width: 1, channels: 1 }, crop: { x: ${x}, y: 0, width: 1, height: 2 } }`;
    const assembler = createObservationAssembler(parseRobotSpec(text(part('left', 0), part('right', 2)), 'v.yaml'));
    numbers(assembler, 1000);
    assembler.accept('/camera', picture(1000, 10), ms(1000));
    expect(assembler.assemble(ms(1000))).toMatchObject({
      observation: { left: Uint8Array.of(10, 13), right: Uint8Array.of(12, 15) },
    });
  });

  test('has deltas counted from the named numbers beside it', () => {
    const delta = text(entry).replace(
      'unit: m/s, low: -0.2, high: 0.6, max_rate: 8',
      'unit: m/s, low: -0.2, high: 0.6, max_rate: 8, delta: { of: linear_velocity, most: 0.1 }',
    );
    const robot = parseRobotSpec(delta, 'vehicle.yaml');
    const at = robot.observation.findIndex(({ name }) => name === 'linear_velocity');
    const state = new Float32Array(robot.observation.length);
    state[at] = 0.25;
    const command = new PolicyActions(robot).toCommand(Float32Array.of(0.05, 1), { state, front: new Uint8Array(6) });
    expect(command[0]).toBeCloseTo(0.3, 6);
  });

  test('takes compressed images by the same road', () => {
    const compressed = parseRobotSpec(text(entry).replaceAll(type, 'sensor_msgs/msg/CompressedImage'), 'vehicle.yaml');
    const assembler = createObservationAssembler(compressed);
    const message = { ...emptyMessage('sensor_msgs/msg/CompressedImage'), header: picture(1000, 0).header };
    expect(assembler.accept('/camera', message, ms(1000))).toBe(false);
    expect(assembler.problemOf('/camera')).toBe("/camera: data is 0 bytes of format '', expected a JPEG or PNG file");
  });
});
