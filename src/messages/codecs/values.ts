import { IqLearnError } from '../../common/index.js';
import type { MessageDefinitionField } from '../definitions.js';

/** A value that does not fit its field. The path is put together on the way up to the message. */
export class ValueError extends Error {
  path = '';
  constructor(
    readonly found: string,
    readonly expected: string,
  ) {
    super();
  }

  /** The same error, seen from the parent of the field. */
  within(key: string): this {
    this.path = this.path === '' || this.path.startsWith('[') ? key + this.path : `${key}.${this.path}`;
    return this;
  }

  /** The error for the caller who gave the message. */
  refusal(type: string): IqLearnError {
    return new IqLearnError('INVALID_ARGUMENT', `a message is no ${type}`, {
      found: `${this.path === '' ? 'the message' : this.path} = ${this.found}`,
      expected: this.expected,
    });
  }
}

/** What to throw on where `error` came from the field or element `key`. */
export function located(error: unknown, key: string): unknown {
  return error instanceof ValueError ? error.within(key) : error;
}

/** A value in a few words, for errors. */
export function describe(value: unknown): string {
  if (value === null || typeof value !== 'object') return typeof value === 'string' ? `'${value}'` : String(value);
  return value.constructor?.name ?? 'object';
}

type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** A number type of message definitions. */
export interface NumberType {
  readonly bits: 8 | 16 | 32 | 64;
  readonly kind: 'int' | 'uint' | 'float';
  readonly array: {
    new (length: number): TypedArray;
    new (buffer: ArrayBuffer): TypedArray;
  };
  /** Throws ValueError for a value that the type cannot hold. */
  check(value: unknown): void;
}

function integer(bits: 8 | 16 | 32, kind: 'int' | 'uint', array: NumberType['array']): NumberType {
  const low = kind === 'int' ? -(2 ** (bits - 1)) : 0;
  const high = kind === 'int' ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return {
    bits,
    kind,
    array,
    check: (value) => {
      if (!Number.isInteger(value) || (value as number) < low || (value as number) > high)
        throw new ValueError(describe(value), `an integer in ${low}…${high}`);
    },
  };
}

function bigInteger(kind: 'int' | 'uint', array: NumberType['array']): NumberType {
  const low = kind === 'int' ? -(2n ** 63n) : 0n;
  const high = kind === 'int' ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  return {
    bits: 64,
    kind,
    array,
    check: (value) => {
      if (typeof value !== 'bigint' || value < low || value > high)
        throw new ValueError(describe(value), `a bigint in ${low}…${high}`);
    },
  };
}

function float(bits: 32 | 64, array: NumberType['array']): NumberType {
  return {
    bits,
    kind: 'float',
    array,
    check: (value) => {
      if (typeof value !== 'number') throw new ValueError(describe(value), 'a number');
    },
  };
}

/** Number types by their names in definitions. */
export const numberTypes: Readonly<Record<string, NumberType>> = {
  int8: integer(8, 'int', Int8Array),
  uint8: integer(8, 'uint', Uint8Array),
  int16: integer(16, 'int', Int16Array),
  uint16: integer(16, 'uint', Uint16Array),
  int32: integer(32, 'int', Int32Array),
  uint32: integer(32, 'uint', Uint32Array),
  int64: bigInteger('int', BigInt64Array),
  uint64: bigInteger('uint', BigUint64Array),
  float32: float(32, Float32Array),
  float64: float(64, Float64Array),
};

/** Throws ValueError unless `value` is a string, within its bound if the definition has one. */
export function checkString(value: unknown, upperBound: number | undefined): asserts value is string {
  if (typeof value !== 'string') throw new ValueError(describe(value), 'a string');
  if (upperBound !== undefined && value.length > upperBound)
    throw new ValueError(`${value.length} characters`, `at most ${upperBound}`);
}

/** Throws ValueError unless `value` is an array of anything. */
export function checkArray(value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw new ValueError(describe(value), 'an array');
}

/** Throws ValueError unless `value` is an array or typed array. */
export function checkNumberArray(value: unknown): asserts value is ArrayLike<unknown> {
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && !(value instanceof DataView)))
    throw new ValueError(describe(value), 'an array of numbers');
}

/** How many elements an array may have: exactly, at most, or any number. */
export interface Length {
  readonly exact: number | undefined;
  readonly most: number | undefined;
}

export function lengthOf(field: MessageDefinitionField): Length {
  return { exact: field.arrayLength, most: field.arrayUpperBound };
}

/** What is wrong with a number of elements, or null. */
export function wrongLength(length: number, { exact, most }: Length): { found: string; expected: string } | null {
  if (exact !== undefined && length !== exact) return { found: `${length} elements`, expected: `exactly ${exact}` };
  if (most !== undefined && length > most) return { found: `${length} elements`, expected: `at most ${most}` };
  return null;
}

/** Throws ValueError for a wrong number of elements. */
export function checkLength(length: number, limit: Length): void {
  const wrong = wrongLength(length, limit);
  if (wrong !== null) throw new ValueError(wrong.found, wrong.expected);
}

/** The type inside a field, if it is a message of its own: 'geometry_msgs/Twist'. */
export function innerType(field: MessageDefinitionField): string | null {
  if (field.isComplex === true) return field.type;
  if (field.type === 'time') return 'builtin_interfaces/Time';
  return field.type === 'duration' ? 'builtin_interfaces/Duration' : null;
}

/** The error for a field whose type no codec has (wstring and the like). */
export function unsupportedField(field: MessageDefinitionField): IqLearnError {
  return new IqLearnError('UNSUPPORTED', 'a field type that has no portable encoding', {
    found: `${field.type} ${field.name}`,
    expected: `bool, string, ${Object.keys(numberTypes).join(', ')}`,
  });
}
