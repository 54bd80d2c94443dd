import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from '@foxglove/rosmsg';
import { ros2jazzy } from '@foxglove/rosmsg-msgs-common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkSchema,
  episodeEvent,
  header,
  messageTypeNames,
  nanosecondsOf,
  schemaOf,
  serviceTypeNames,
  stampOf,
} from '#src/messages/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const definitionsIn = (folder: string): string[] =>
  readdirSync(join(root, folder)).filter((name) => /\.(msg|srv)$/.test(name));

describe('src/messages/generated', () => {
  const generate = (cwd: string, ...options: string[]) =>
    spawnSync(process.execPath, ['scripts/generate-messages.mjs', ...options], { cwd, encoding: 'utf8' });

  it('is what the generator makes of the definitions', () => {
    const { status, stderr } = generate(root, '--check');
    expect([status, stderr]).toEqual([0, '']);
  });

  it('says which files are out of date, and what to do', () => {
    const copy = mkdtempSync(join(tmpdir(), 'iq-messages-'));
    try {
      for (const path of ['scripts/generate-messages.mjs', 'src/messages', 'msg', 'srv', 'proto'])
        cpSync(join(root, path), join(copy, path), { recursive: true });
      symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
      appendFileSync(join(copy, 'msg/TaskState.msg'), 'float32 wind  # speed of the wind, m/s\n');
      const { status, stderr } = generate(copy, '--check');
      expect(status).toBe(1);
      expect(stderr).toMatch(/types\.ts is out of date: run node scripts\/generate-messages\.mjs/);
      expect(stderr).toMatch(/definitions\.ts is out of date/);
      expect(generate(copy).status).toBe(0);
      expect(generate(copy, '--check').status).toBe(0);
      expect(readFileSync(join(copy, 'src/messages/generated/types.ts'), 'utf8')).toContain(
        '  /** Speed of the wind, m/s. */\n  wind: number;\n}\n\n/**\n * iq_learn/msg/Transition:\n',
      );
      writeFileSync(join(copy, 'msg/Odd.msg'), 'mystery_msgs/Thing thing\n');
      expect(generate(copy).stderr).toMatch(
        /no definition of mystery_msgs\/Thing, which iq_learn\/Odd needs: add it to src\/messages\/interfaces/,
      );
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('has every definition of msg/ and srv/, and no other of iq_learn', () => {
    const ours = (names: readonly string[]): string[] => names.filter((name) => name.startsWith('iq_learn/')).sort();
    expect(definitionsIn('msg').map((file) => `iq_learn/msg/${file.slice(0, -4)}`)).toEqual(ours(messageTypeNames));
    expect(definitionsIn('srv').map((file) => `iq_learn/srv/${file.slice(0, -4)}`)).toEqual(ours(serviceTypeNames));
  });

  it.each([...definitionsIn('msg').map((f) => `msg/${f}`), ...definitionsIn('srv').map((f) => `srv/${f}`)])(
    '%s documents each of its fields',
    (path) => {
      for (const line of read(path).split('\n'))
        if (/^[a-z]/.test(line) && !line.includes('=')) expect(line).toMatch(/^\S+ \w+ +# \S/);
    },
  );

  it('embeds the common definitions field for field as the package of ROS 2 Jazzy has them', () => {
    const common = read('src/messages/interfaces/common.txt')
      .split('\n')
      .filter((line) => /^\w/.test(line));
    for (const type of common) {
      const expected = (ros2jazzy as Record<string, ReturnType<typeof parse>[number]>)[type]!;
      const [found] = parse(schemaOf(type), { ros2: true, skipTypeFixup: true });
      expect(found!.definitions, type).toEqual(expected.definitions.filter(({ isConstant }) => isConstant !== true));
    }
  });

  it('gives the constants of a definition', () => {
    const constants = parse(schemaOf('iq_learn/msg/EpisodeEvent'), { ros2: true })[0]!.definitions.filter(
      (f) => f.isConstant,
    );
    expect(Object.fromEntries(constants.map((c) => [c.name, c.value]))).toEqual(episodeEvent);
  });
});

describe('schemaOf', () => {
  it('is the text rosbag2 writes: every needed type once, after a line of =', () => {
    expect(schemaOf('geometry_msgs/msg/TwistStamped')).toBe(
      [
        'std_msgs/Header header',
        'geometry_msgs/Twist twist',
        '='.repeat(80),
        'MSG: std_msgs/Header',
        'builtin_interfaces/Time stamp',
        'string frame_id',
        '='.repeat(80),
        'MSG: builtin_interfaces/Time',
        'int32 sec',
        'uint32 nanosec',
        '='.repeat(80),
        'MSG: geometry_msgs/Twist',
        'geometry_msgs/Vector3 linear',
        'geometry_msgs/Vector3 angular',
        '='.repeat(80),
        'MSG: geometry_msgs/Vector3',
        'float64 x',
        'float64 y',
        'float64 z',
        '',
      ].join('\n'),
    );
  });

  it.each(messageTypeNames)('%s agrees with itself', (type) => {
    expect(() => checkSchema(type, schemaOf(type))).not.toThrow();
  });

  it('names the field in which a foreign definition differs', () => {
    const text = schemaOf('iq_learn/msg/TaskState');
    expect(() => checkSchema('iq_learn/msg/TaskState', text.replace('float64 reward', 'float32 reward'))).toThrow(
      /defined differently here; found: float32 reward; expected: float64 reward/,
    );
    expect(() =>
      checkSchema('iq_learn/msg/TaskState', text.replace('bool success', 'bool success\nbool more')),
    ).toThrow(/found: bool more; expected: no further field/);
    expect(() => checkSchema('iq_learn/msg/TaskState', text.slice(0, text.indexOf('===')))).toThrow(
      /definition of iq_learn\/msg\/TaskState cannot be read/,
    );
  });
});

describe('time', () => {
  it('goes both ways to the nanosecond, before 1970 too', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -2147483648_000000000n, max: 2147483647_999999999n }), (ns) => {
        const stamp = stampOf(ns);
        expect(nanosecondsOf(stamp)).toBe(ns);
        expect(stamp.nanosec).toBeGreaterThanOrEqual(0);
        expect(stamp.nanosec).toBeLessThan(1e9);
      }),
      { seed: 5 },
    );
    expect(header(1_500_000_000n, 'map')).toEqual({ stamp: { sec: 1, nanosec: 500_000_000 }, frame_id: 'map' });
    expect(() => stampOf(2n ** 63n)).toThrow(/does not fit/);
  });
});
