import { readdirSync, readFileSync } from 'node:fs';
import { parse } from '@foxglove/rosmsg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkSchema,
  episodeEvent,
  header,
  messageTypeNames,
  nanosecondsOf,
  schemaOf,
  stampOf,
} from '#src/messages/index.js';

const source = readFileSync(new URL('../../src/messages/types.ts', import.meta.url), 'utf8');

/** Field → TypeScript type of `export interface <name>` in types.ts, in order. */
function faceOf(name: string): [string, string][] {
  const body = new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1];
  if (body === undefined) throw new Error(`no interface ${name} in types.ts`);
  return [...body.matchAll(/^ {2}(\w+): (.+);$/gm)].map((m) => [m[1]!, m[2]!]);
}

const faces: Record<string, string> = Object.fromEntries(
  [...source.matchAll(/^ {2}'([\w/]+\/msg\/\w+)': (\w+);$/gm)].map((m) => [m[1]!, m[2]!]),
);

/** The TypeScript type a ros2msg field must have. */
function expectedFace(field: { type: string; isArray?: boolean }): string | RegExp {
  const scalar: Record<string, string> = {
    bool: 'boolean',
    string: 'string',
    int64: 'bigint',
    uint64: 'bigint',
    time: 'Time',
    duration: 'Duration',
    'std_msgs/Header': 'Header',
  };
  if (field.type.includes('/') && scalar[field.type] === undefined) return /^(?!number|string|bool)/;
  const base = scalar[field.type] ?? 'number';
  if (field.isArray !== true) return base;
  if (base !== 'number') return `${base}[]`;
  if (field.type === 'uint8') return 'Uint8Array';
  const bits = /\d+/.exec(field.type)?.[0];
  const kind = field.type.startsWith('float') ? 'Float' : field.type.startsWith('u') ? 'Uint' : 'Int';
  return `${kind}${bits}Array | number[]`;
}

describe('types.ts, msg/ and the codec', () => {
  it.each(messageTypeNames)('%s: the TypeScript face has the fields of the definition, in order', (type) => {
    const fields = parse(schemaOf(type), { ros2: true })[0]!.definitions.filter((f) => !f.isConstant);
    const face = faceOf(faces[type]!);
    expect(face.map(([name]) => name)).toEqual(fields.map((f) => f.name));
    for (const [i, field] of fields.entries()) {
      const expected = expectedFace(field);
      if (typeof expected === 'string') expect(face[i]![1], `${type}.${field.name}`).toBe(expected);
      else expect(face[i]![1], `${type}.${field.name}`).toMatch(expected);
    }
  });

  it('msg/ holds exactly our own types, each field documented', () => {
    const folder = new URL('../../msg/', import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith('.msg'));
    expect(files.map((name) => `iq_learn/msg/${name.slice(0, -4)}`).sort()).toEqual(
      messageTypeNames.filter((name) => name.startsWith('iq_learn/')).sort(),
    );
    for (const file of files)
      for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n'))
        if (/^[a-z]/.test(line) && !line.includes('=')) expect(line, file).toMatch(/^\S+ \w+ +# \S/);
  });

  it('the constants of EpisodeEvent are those of its definition', () => {
    const constants = parse(schemaOf('iq_learn/msg/EpisodeEvent'), { ros2: true })[0]!.definitions.filter(
      (f) => f.isConstant,
    );
    expect(Object.fromEntries(constants.map((c) => [c.name, c.value]))).toEqual(episodeEvent);
  });

  const services = readdirSync(new URL('../../srv/', import.meta.url));

  it('srv/ holds exactly our own services', () => {
    const ours = [...source.matchAll(/^ {2}'iq_learn\/srv\/(\w+)': \{$/gm)].map((m) => `${m[1]}.srv`);
    expect(services.sort()).toEqual(ours.sort());
  });

  it.each(services)('srv/%s has the fields of its TypeScript face, each documented', (file) => {
    const text = readFileSync(new URL(`../../srv/${file}`, import.meta.url), 'utf8');
    const [request, response] = text.split(/^---$/m).map((half) =>
      parse(half, { ros2: true })[0]!
        .definitions.map((f) => `${f.name}: ${expectedFace(f)}`)
        .join('; '),
    );
    const name = file.slice(0, -'.srv'.length);
    const face = new RegExp(
      `'iq_learn/srv/${name}': \\{\n\\s+request: \\{ (.+?) \\};\n\\s+response: \\{ (.+?) \\};`,
    ).exec(source);
    expect([face?.[1], face?.[2]]).toEqual([request, response]);
    for (const line of text.split('\n')) if (/^[a-z]/.test(line)) expect(line, file).toMatch(/^\S+ \w+ +# \S/);
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
