import { parse } from '@foxglove/rosmsg';
import { IqLearnError, messageOf } from '../common/index.js';
import { definitions } from './generated/definitions.js';

type MessageDefinition = ReturnType<typeof parse>[number];
export type MessageDefinitionField = MessageDefinition['definitions'][number];

const separator = `${'='.repeat(80)}\n`;
const schemas = new Map<string, string>();
const fields = new Map<string, readonly MessageDefinitionField[]>();

/** 'iq_learn/msg/Transition' → 'iq_learn/Transition', as definitions name each other. */
function shortName(type: string): string {
  return type.replace(/\/(msg|srv)\//, '/');
}

function textOf(type: string): string {
  const name = shortName(type);
  if (!Object.hasOwn(definitions, name))
    throw new IqLearnError('NOT_FOUND', `no definition of the message type ${type}`, {
      expected: `one of ${Object.keys(definitions).join(', ')}`,
    });
  return definitions[name]!;
}

/**
 * The fields of one type in their order, constants left out. `type` is 'package/Name' or 'package/msg/Name'; request
 * and response of a service are 'package/srv/Name_Request' and 'package/srv/Name_Response'. Throws NOT_FOUND.
 */
export function fieldsOf(type: string): readonly MessageDefinitionField[] {
  let found = fields.get(type);
  if (found === undefined) {
    const [parsed] = parse(textOf(type), { ros2: true, skipTypeFixup: true });
    found = (parsed?.definitions ?? []).filter((field) => field.isConstant !== true);
    fields.set(type, found);
  }
  return found;
}

/** A field's type as definitions write it. The parser calls builtin_interfaces/Time `time`, which no other reader knows. */
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

/** The types that `fields` need, directly or through others: depth first, each once. */
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
 * line of 80 `=` and a line `MSG: package/Name`. iq_learn's own definitions keep their comments (units, meaning).
 */
export function schemaOf(type: string): string {
  let schema = schemas.get(type);
  if (schema === undefined) {
    const parts = [...dependencies(fieldsOf(type))].map((name) => `${separator}MSG: ${name}\n${textOf(name)}`);
    schema = [textOf(type), ...parts].join('');
    schemas.set(type, schema);
  }
  return schema;
}

/** The fields of the first type and of all types inside it, one line per field, so that two definitions can be compared. */
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

/** By type: this package's layout, and the last text that was found to lay it out so. A folder of recordings repeats it. */
const checked = new Map<string, { readonly layout: readonly string[]; readonly text: string }>();

/**
 * Checks that a `ros2msg` text (from a recording or another program) lays out `type` exactly as this package does.
 * Throws MISMATCH naming the first field that differs, and CORRUPT_DATA if the text is not a definition.
 */
export function checkSchema(type: string, text: string): void {
  const known = checked.get(type);
  if (known?.text === text) return;
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
  const expected = known?.layout ?? layout(parse(schemaOf(type), { ros2: true }));
  const at = expected.findIndex((line, i) => line !== found[i]);
  const index = at === -1 && found.length > expected.length ? expected.length : at;
  if (index !== -1)
    throw new IqLearnError('MISMATCH', `${type} is defined differently here`, {
      found: found[index] ?? 'the definition ends',
      expected: expected[index] ?? 'no further field',
      remedy: 'use a recording made with the same version of the message package',
    });
  checked.set(type, { layout: expected, text });
}
