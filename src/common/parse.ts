import { z } from 'zod';
import { type ErrorCode, IqLearnError } from './errors.js';
import { nearest } from './suggest.js';

/** The first thing that a schema does not accept about a value, as parts of an error message. */
export interface Refusal {
  /** Path of the refused field, such as `learner.hiddenSizes.0`; empty where the value as a whole is refused. */
  readonly field: string;
  /** The offending value as JSON, or the name of the unknown field. */
  readonly found: string;
  readonly expected: string;
  /** A field that is spelt much like the unknown one. */
  readonly remedy?: string;
}

export interface ParseOptions {
  /** Code of the error; by default INVALID_CONFIG. */
  readonly code?: ErrorCode;
  /** Start of the message; a string is followed by the path of the refused field. */
  readonly what: string | ((field: string) => string);
  /** What the reader can do; it follows the name that an unknown field was probably meant to be. */
  readonly remedy?: string;
}

/** `value` as `schema` puts it. Throws an {@link IqLearnError} that names the first field that is refused. */
export function parseOrThrow<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { code = 'INVALID_CONFIG', what, remedy }: ParseOptions,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { field, remedy: meant, ...refusal } = refusalOf(parsed.error, schema, value);
  const message = typeof what === 'function' ? what(field) : field === '' ? what : `${what} ${field}`;
  const advice = [meant, remedy].filter((text) => text !== undefined).join(' ');
  throw new IqLearnError(code, message, { ...refusal, ...(advice === '' ? {} : { remedy: advice }) });
}

/** The first refusal in an error of zod. An unknown field goes first: a misspelt one shows as a missing one, too. */
export function refusalOf(error: z.ZodError, schema: z.ZodType, value: unknown): Refusal {
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]!;
  if (issue.code !== 'unrecognized_keys')
    return {
      field: issue.path.join('.'),
      found: shown(valueAt(value, issue.path)),
      expected: expectedOf(issue, schema),
    };
  const key = issue.keys[0]!;
  const known = fieldsAt(schema, issue.path);
  const meant = nearest(key, known);
  return {
    field: [...issue.path, key].join('.'),
    found: `an unknown field '${key}'`,
    expected: known.length === 0 ? issue.message : `one of ${known.join(', ')}`,
    ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
  };
}

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'fields with names',
  record: 'fields with names',
};

/** What a value should have been, in words; the schema's own words where it has some. Of a number all its bounds. */
export function expectedOf(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  const isOfBounds = issue.code === 'invalid_type' || issue.code === 'too_small' || issue.code === 'too_big';
  const range = isOfBounds ? rangeOf(schemaAt(schema, issue.path)) : undefined;
  if (range !== undefined) return range;
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.message;
    case 'too_small':
      return boundOf(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return boundOf(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}

function boundOf(origin: string, relation: string, bound: number | bigint): string {
  if (origin === 'array') return `${relation} ${bound} of them`;
  if (origin === 'string') return `${relation} ${bound} characters`;
  return `${KINDS[origin] ?? 'a number'}, ${relation} ${bound}`;
}

/** The value at `path` inside `value`; undefined where there is nothing. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null) return undefined;
    inner = (inner as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return inner;
}

/** A value that was found, for people: JSON has no words for NaN, infinity and nothing. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}

/** Names of the fields that `schema` knows at `path`; empty where it is not an object with named fields. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const inner = schemaAt(schema, path);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** What `schema` says of `path`, without what only says that it may be missing; undefined where it leads through anything but named fields and lists. */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): unknown {
  let inner: unknown = schema;
  for (const key of [undefined, ...path]) {
    if (key !== undefined) {
      if (inner instanceof z.ZodArray) inner = inner.element;
      else if (inner instanceof z.ZodObject) inner = inner.shape[String(key)];
      else return undefined;
    }
    while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable)
      inner = inner.unwrap();
  }
  return inner;
}

/** The bounds of a number in words; undefined for what is none, or has none. */
function rangeOf(schema: unknown): string | undefined {
  if (!(schema instanceof z.ZodNumber)) return undefined;
  const { type, minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = z.toJSONSchema(schema);
  const isMeant = (bound: unknown): bound is number =>
    typeof bound === 'number' && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  const low = isMeant(above) ? `more than ${above}` : isMeant(minimum) ? `at least ${minimum}` : undefined;
  const high = isMeant(below) ? `less than ${below}` : isMeant(maximum) ? `at most ${maximum}` : undefined;
  const bounds = [low, high].filter((bound) => bound !== undefined);
  return bounds.length === 0 ? undefined : `${KINDS[type === 'integer' ? 'int' : 'number']}, ${bounds.join(' and ')}`;
}
