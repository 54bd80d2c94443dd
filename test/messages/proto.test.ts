import { readdirSync, readFileSync } from 'node:fs';
import { parse } from '@foxglove/rosmsg';
import { ros2jazzy } from '@foxglove/rosmsg-msgs-common';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';

/** 'type name' of each field, in order; protobuf's types. */
type Fields = readonly string[];
type Interfaces = Readonly<Record<string, Fields>>;

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const scalars: Readonly<Record<string, string>> = {
  bool: 'bool',
  string: 'string',
  int8: 'sint32',
  int16: 'sint32',
  int32: 'sint32',
  int64: 'sint64',
  uint8: 'uint32',
  uint16: 'uint32',
  uint32: 'uint32',
  uint64: 'uint64',
  float32: 'float',
  float64: 'double',
  time: 'Time',
};

type Definition = ReturnType<typeof parse>[number]['definitions'];

function ofDefinition(definition: Definition): Fields {
  return definition
    .filter(({ isConstant }) => isConstant !== true)
    .map(({ type, name, isArray }) => {
      if (isArray && type === 'uint8') return `bytes ${name}`;
      const mapped = scalars[type] ?? type.replace(/^std_msgs\//, '');
      return `${isArray ? 'repeated ' : ''}${mapped} ${name}`;
    });
}

/** What msg/ and srv/ say, and the two common types they need, as protobuf must. */
function expected(): Interfaces {
  const found: Record<string, Fields> = {};
  const common = ros2jazzy as Record<string, { definitions: Definition }>;
  for (const name of ['builtin_interfaces/Time', 'std_msgs/Header'])
    found[name.split('/')[1]!] = ofDefinition(common[name]!.definitions);
  const parsed = (text: string): Fields =>
    ofDefinition(parse(text, { ros2: true, skipTypeFixup: true })[0]!.definitions);
  for (const file of readdirSync(new URL('../../msg/', import.meta.url)))
    found[file.replace('.msg', '')] = parsed(read(`msg/${file}`));
  for (const file of readdirSync(new URL('../../srv/', import.meta.url))) {
    const [request, response] = read(`srv/${file}`).split(/^---$/m);
    found[file.replace('.srv', 'Request')] = parsed(request!);
    found[file.replace('.srv', 'Response')] = parsed(response!);
  }
  return found;
}

function ofProto(text: string, packageName = 'iq_learn'): Interfaces {
  const { root } = protobuf.parse(text, { keepCase: true });
  const found: Record<string, Fields> = {};
  for (const message of (root.lookup(packageName) as protobuf.Namespace).nestedArray) {
    const { name, fieldsArray } = message as protobuf.Type;
    found[name] = fieldsArray.map((f) => `${f.repeated ? 'repeated ' : ''}${f.type} ${f.name}`);
    expect(new Set(fieldsArray.map(({ id }) => id)).size, name).toBe(fieldsArray.length);
  }
  return found;
}

describe('proto/iq_learn.proto', () => {
  const text = read('proto/iq_learn.proto');

  it('has the fields of msg/ and srv/: names, types, order', () => {
    expect(ofProto(text)).toEqual(expected());
  });

  it('gives each field the number of its place, as the codec does', () => {
    const { root } = protobuf.parse(text, { keepCase: true });
    for (const message of (root.lookup('iq_learn') as protobuf.Namespace).nestedArray) {
      const { name, fieldsArray } = message as protobuf.Type;
      const numbers = fieldsArray.map(({ id }) => id);
      expect(numbers, name).toEqual(numbers.map((_, i) => i + 1));
    }
  });

  it.each([
    ['a type', 'repeated float action', 'repeated double action'],
    ['one instead of many', 'repeated string names', 'string names'],
    ['a name', 'sint64 seed = 7', 'sint64 seeds = 7'],
    ['a missing field', '  bool success = 7;\n', ''],
    ['a missing message', /message LoadPolicyRequest \{[^}]*\}/, ''],
    [
      'the order',
      '  bool terminated = 12;\n  bool truncated = 13;\n',
      '  bool truncated = 13;\n  bool terminated = 12;\n',
    ],
  ])('differs in %s, and the check says so', (_, from, to) => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    expect(ofProto(changed)).not.toEqual(expected());
  });
});

describe('proto/iq_learn_link.proto', () => {
  it('has the fields of src/messages/interfaces/iq_learn_link: names, types, order', () => {
    const folder = 'src/messages/interfaces/iq_learn_link/';
    const found = readdirSync(new URL(`../../${folder}`, import.meta.url)).flatMap((file) => {
      const halves = file.endsWith('.srv') ? ['Request', 'Response'] : [''];
      const texts = read(folder + file).split(/^---\n/m);
      return halves.map((half, i) => [
        file.replace(/\.(msg|srv)$/, half),
        ofDefinition(parse(texts[i]!, { ros2: true, skipTypeFixup: true })[0]!.definitions).map((field) =>
          field.replace('iq_learn_link/', ''),
        ),
      ]);
    });
    expect(ofProto(read('proto/iq_learn_link.proto'), 'iq_learn_link')).toEqual(Object.fromEntries(found));
  });
});
