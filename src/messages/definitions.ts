import { readFileSync } from 'node:fs';
import { parse } from '@foxglove/rosmsg';
import { ros2jazzy } from '@foxglove/rosmsg-msgs-common';
import { IqLearnError, messageOf } from '../common/index.js';

type MessageDefinition = ReturnType<typeof parse>[number];
export type MessageDefinitionField = MessageDefinition['definitions'][number];

const separator = `${'='.repeat(80)}\n`;

/** 'iq_learn/msg/Transition' → 'iq_learn/Transition', as definitions name each other. */
function shortName(type: string): string {
  return type.replace('/msg/', '/');
}

/** The folder of our own definitions, msg/ of the package: they are the source of truth and are read as they are. */
const ownFolder = new URL('../../../msg/', import.meta.url);
/** Of ros-controls' control_msgs, which is none of ROS 2's common interfaces. */
const jointJog = `std_msgs/Header header
string[] joint_names
float64[] displacements
float64[] velocities
float64 duration
`;
const ownTexts = new Map<string, string>([['control_msgs/JointJog', jointJog]]);
const schemas = new Map<string, string>();

function ownText(name: string): string | undefined {
  const match = /^iq_learn\/(\w+)$/.exec(name);
  let text = ownTexts.get(name);
  if (text === undefined && match !== null) {
    const file = new URL(`${match[1]}.msg`, ownFolder);
    try {
      text = readFileSync(file, 'utf8');
    } catch (cause) {
      throw new IqLearnError('NOT_FOUND', `no definition of the message type ${name}`, {
        found: messageOf(cause),
        expected: `the file ${file.pathname}`,
        remedy: 'install the package again: its msg folder is incomplete',
        cause,
      });
    }
    ownTexts.set(name, text);
  }
  return text;
}

/** The fields of one type, constants left out. `type` is 'package/Name' or 'package/msg/Name'. Throws NOT_FOUND. */
export function fieldsOf(type: string): readonly MessageDefinitionField[] {
  const name = shortName(type);
  const own = ownText(name);
  const definition: MessageDefinition | undefined =
    own === undefined
      ? (ros2jazzy as Record<string, MessageDefinition>)[name]
      : parse(own, { ros2: true, skipTypeFixup: true })[0];
  if (definition === undefined)
    throw new IqLearnError('NOT_FOUND', `no definition of the message type ${type}`, {
      expected: "one of ROS 2's common interfaces, or of iq_learn's msg folder",
    });
  return definition.definitions.filter((field) => field.isConstant !== true);
}

/** `time` is what the parser makes of builtin_interfaces/Time; files and other readers know only the latter. */
function printedType(field: MessageDefinitionField): string {
  const base =
    field.type === 'time'
      ? 'builtin_interfaces/Time'
      : field.type === 'duration'
        ? 'builtin_interfaces/Duration'
        : field.type;
  const bounded = field.upperBound === undefined ? base : `${base}<=${field.upperBound}`;
  if (field.isArray !== true) return bounded;
  if (field.arrayLength !== undefined) return `${bounded}[${field.arrayLength}]`;
  return field.arrayUpperBound === undefined ? `${bounded}[]` : `${bounded}[<=${field.arrayUpperBound}]`;
}

function print(fields: readonly MessageDefinitionField[]): string {
  return fields
    .map(({ defaultValue, ...field }) => {
      const text = typeof defaultValue === 'bigint' ? String(defaultValue) : JSON.stringify(defaultValue);
      return `${printedType(field)} ${field.name}${defaultValue === undefined ? '' : ` ${text}`}\n`;
    })
    .join('');
}

/** The types `fields` need, depth first, each once. */
function dependencies(fields: readonly MessageDefinitionField[], found = new Set<string>()): Set<string> {
  for (const field of fields) {
    const type = printedType({ name: field.name, type: field.type });
    if (!type.includes('/') || found.has(type)) continue;
    found.add(type);
    dependencies(fieldsOf(type), found);
  }
  return found;
}

/**
 * The full `ros2msg` text of a type as MCAP files carry it: the definition, then every type it needs, each after a
 * line of 80 `=` and `MSG: package/Name`. Our own keep their comments (units, meaning).
 */
export function schemaOf(type: string): string {
  let schema = schemas.get(type);
  if (schema === undefined) {
    const text = (name: string): string => ownText(shortName(name)) ?? print(fieldsOf(name));
    const parts = [...dependencies(fieldsOf(type))].map((name) => `${separator}MSG: ${name}\n${text(name)}`);
    schema = [text(type), ...parts].join('');
    schemas.set(type, schema);
  }
  return schema;
}

/** A type's fields and those of the types it needs, one per line, so that two definitions can be compared. */
function layout(definitions: readonly MessageDefinition[]): string[] {
  const byName = new Map(definitions.map((definition) => [definition.name ?? '', definition.definitions]));
  const lines: string[] = [];
  const walk = (fields: readonly MessageDefinitionField[], prefix: string, depth: number): void => {
    if (depth > 16) throw new Error('definitions nested deeper than 16');
    for (const field of fields) {
      if (field.isConstant === true) continue;
      const { defaultValue: _, ...shape } = field;
      const nested = field.isComplex === true ? byName.get(field.type) : undefined;
      if (field.isComplex === true && nested === undefined) throw new Error(`no definition of ${field.type}`);
      lines.push(`${printedType(shape)} ${prefix}${field.name}`);
      if (nested !== undefined) walk(nested, `${prefix}${field.name}.`, depth + 1);
    }
  };
  walk(definitions[0]?.definitions ?? [], '', 0);
  return lines;
}

/**
 * Whether a `ros2msg` text (of a recording, a peer) lays out `type` exactly as this package does.
 * Throws MISMATCH naming the first field that differs, CORRUPT_DATA where the text is no definition.
 */
export function checkSchema(type: string, text: string): void {
  let found: string[];
  try {
    found = layout(parse(text, { ros2: true }));
  } catch (cause) {
    throw new IqLearnError('CORRUPT_DATA', `the definition of ${type} cannot be read`, {
      found: messageOf(cause),
      expected: 'a ros2msg definition with all types it needs',
      cause,
    });
  }
  const expected = layout(parse(schemaOf(type), { ros2: true }));
  const at = expected.findIndex((line, i) => line !== found[i]);
  const index = at === -1 && found.length > expected.length ? expected.length : at;
  if (index !== -1)
    throw new IqLearnError('MISMATCH', `${type} is defined differently here`, {
      found: found[index] ?? 'the definition ends',
      expected: expected[index] ?? 'no further field',
      remedy: 'use a recording made with the same version of the message package',
    });
}
