import { z } from 'zod';
import { IqLearnError, refusalOf } from '../../common/index.js';
import type { ParameterDeclaration, ParameterType, ParameterValue } from '../../transport/ros2/index.js';

type Values = Readonly<Record<string, unknown>>;

/** The part of a parameter's JSON Schema that is used here. */
interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly dynamic?: boolean;
  readonly readOnly?: boolean;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape;
  readonly prefixItems?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

interface Declared {
  /** Path in the schema: `learner`, `bufferSize`. */
  readonly path: readonly string[];
  readonly declaration: ParameterDeclaration;
  readonly dynamic: boolean;
  /** What 0 (or an empty string) stands for where a value may be null or not given: ROS 2 has no word for either. */
  readonly nothing: 'null' | 'not given' | undefined;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * Parameters by their ROS names: synchronousSegment → synchronous_segment, or task.synchronous_segment where they are of
 * the group `task`.
 */
export function rosNames<Value>(parameters: Readonly<Record<string, Value>>, group?: string): Record<string, Value> {
  const prefix = group === undefined ? '' : `${group}.`;
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`${prefix}${snake(name)}`, value]));
}

/**
 * A schema of parameters as ROS 2 sees them: `bufferSize` of `learner` is `learner.buffer_size`, with type, default,
 * range, choices and description. The schema decides which values are valid, also where ROS 2 cannot express the rule.
 */
export class ParameterSet {
  readonly #schema: z.ZodObject;
  readonly #declared: readonly Declared[];

  /** `schema` may have booleans, numbers, strings, enums, arrays of these, and objects of these one level down. */
  constructor(schema: z.ZodObject) {
    this.#schema = schema;
    const json = z.toJSONSchema(schema, { io: 'input' }) as Shape;
    const members = (group: Shape, path: readonly string[]): Declared[] =>
      Object.entries(group.properties ?? {}).flatMap(([name, shape]) =>
        shape.type === 'object'
          ? members(shape, [...path, name])
          : [declared([...path, name], shape, group.required?.includes(name) !== true)],
      );
    this.#declared = members(json, []);
  }

  get declarations(): ParameterDeclaration[] {
    return this.#declared.map(({ declaration }) => declaration);
  }

  /** Whether a ROS parameter of this name may be set while the node runs. */
  isDynamic(name: string): boolean {
    return this.#declared.some(({ declaration, dynamic }) => declaration.name === name && dynamic);
  }

  has(name: string): boolean {
    return this.#declared.some(({ declaration }) => declaration.name === name);
  }

  /** Turns ROS parameters into a value of the schema. Throws INVALID_CONFIG naming the parameter. */
  parse(values: Readonly<Record<string, ParameterValue>>): Values {
    const nested = this.#nested(values);
    const parsed = this.#schema.safeParse(nested);
    if (parsed.success) return parsed.data;
    const { field, ...refusal } = refusalOf(parsed.error, this.#schema, nested);
    const at = this.#declared.find(({ path }) => `${field}.`.startsWith(`${path.join('.')}.`));
    throw new IqLearnError('INVALID_CONFIG', `bad parameter ${at?.declaration.name ?? field}`, {
      ...(at === undefined ? {} : { remedy: at.declaration.description }),
      ...refusal,
    });
  }

  /** Some ROS parameters under the schema's names, for a node whose parameters change. */
  rename(values: Readonly<Record<string, ParameterValue>>): Values {
    return this.#nested(values);
  }

  #nested(values: Readonly<Record<string, ParameterValue>>): Values {
    const out: Record<string, Record<string, unknown> | unknown> = {};
    for (const { path, declaration, nothing } of this.#declared) {
      const value = values[declaration.name];
      const stands = nothing !== undefined && (value === 0 || value === '');
      if (value === undefined || (stands && nothing === 'not given')) continue;
      const own = stands ? null : value;
      const [outer, inner] = path;
      if (inner === undefined) out[outer!] = own;
      else {
        const group = (out[outer!] ?? {}) as Record<string, unknown>;
        group[inner] = own;
        out[outer!] = group;
      }
    }
    return out;
  }
}

function declared(path: readonly string[], given: Shape, mayMiss: boolean): Declared {
  const name = path.map(snake).join('.');
  const alternatives = given.anyOf ?? [];
  const isMissing = mayMiss && given.default === undefined;
  const nothing = alternatives.some(({ type }) => type === 'null') ? 'null' : isMissing ? 'not given' : undefined;
  const shape = { ...given, ...alternatives.find(({ type }) => type !== 'null') };
  const constants = alternatives.flatMap(({ const: value }) => (typeof value === 'number' ? [value] : []));
  const type = typeOf(name, shape, constants);
  const { default: initial = emptyOf(type), dynamic = false, readOnly } = given;
  const range =
    constants.length > 0 ? { from: Math.min(...constants), to: Math.max(...constants) } : rangeOf(shape, type);
  return {
    path,
    dynamic,
    nothing,
    declaration: {
      name,
      type,
      default: (initial ?? emptyOf(type)) as ParameterValue,
      description: descriptionOf(given, nothing),
      ...(range === undefined
        ? {}
        : { range: nothing === undefined ? range : { ...range, from: Math.min(0, range.from) } }),
      ...(shape.enum === undefined ? {} : { choices: shape.enum }),
      ...(readOnly === true ? { readOnly } : {}),
    },
  };
}

function descriptionOf({ description = '', dynamic }: Shape, nothing: Declared['nothing']): string {
  const zero = { null: ['0: none.'], 'not given': ['0: not given.'] };
  const notes = [
    ...(nothing === undefined ? [] : zero[nothing]),
    ...(dynamic === true ? ['May change while the node runs.'] : []),
  ];
  return [description, ...notes].join(' ').replaceAll('`', "'");
}

function typeOf(name: string, { type, items, prefixItems }: Shape, constants: readonly number[]): ParameterType {
  if (constants.length > 0) return constants.every(Number.isInteger) ? 'integer' : 'double';
  const scalars: Readonly<Record<string, 'bool' | 'integer' | 'double' | 'string'>> = {
    boolean: 'bool',
    integer: 'integer',
    number: 'double',
    string: 'string',
  };
  const scalar = scalars[type ?? ''];
  if (scalar !== undefined) return scalar;
  const element = scalars[items?.type ?? prefixItems?.[0]?.type ?? ''];
  if (type === 'array' && element !== undefined) return `${element}_array`;
  throw new IqLearnError('INTERNAL', `the parameter ${name} has no type in ROS 2`, { found: type ?? 'no type' });
}

function emptyOf(type: ParameterType): ParameterValue {
  if (type.endsWith('_array')) return [];
  return type === 'bool' ? false : type === 'string' ? '' : 0;
}

function rangeOf(shape: Shape, type: ParameterType): { from: number; to: number } | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = shape.items ?? shape;
  const bounds = [minimum ?? exclusiveMinimum, maximum ?? exclusiveMaximum];
  const widest = type.startsWith('integer') ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE;
  const [from = -widest, to = widest] = bounds;
  return Math.abs(from) === widest && Math.abs(to) === widest ? undefined : { from, to };
}
