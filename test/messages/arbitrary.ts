import { parse } from '@foxglove/rosmsg';
import fc from 'fast-check';
import { type MessageTypeName, schemaOf } from '#src/messages/index.js';

type Field = ReturnType<typeof parse>[number]['definitions'][number];

const typedArrays: Record<string, (values: never[]) => unknown> = {
  float32: (v) => Float32Array.from(v),
  float64: (v) => Float64Array.from(v),
  int32: (v) => Int32Array.from(v),
  uint8: (v) => Uint8Array.from(v),
};
const scalars: Record<string, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  string: fc.string({ unit: 'grapheme' }),
  int8: fc.integer({ min: -128, max: 127 }),
  uint8: fc.integer({ min: 0, max: 255 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  float32: fc.float(),
  float64: fc.double(),
};

/** Any message of a definition, made from the definition alone. */
export function anyMessage(type: MessageTypeName): fc.Arbitrary<unknown> {
  const definitions = parse(schemaOf(type), { ros2: true });
  const named = new Map(definitions.map((d) => [d.name, d.definitions]));
  const scalar = (field: Field): fc.Arbitrary<unknown> => {
    if (field.isComplex) return struct(named.get(field.type)!);
    if (field.type === 'time' || field.type === 'duration')
      return fc.record({ sec: scalars.int32!, nanosec: scalars.uint32! });
    return scalars[field.type]!;
  };
  const struct = (fields: Field[]): fc.Arbitrary<unknown> =>
    fc.record(
      Object.fromEntries(
        fields
          .filter((f) => !f.isConstant)
          .map((field) => {
            if (!field.isArray) return [field.name, scalar(field)];
            const n = field.arrayLength;
            const values = fc.array(
              scalar(field),
              n === undefined ? { maxLength: 20 } : { minLength: n, maxLength: n },
            );
            const typed = field.isComplex ? undefined : typedArrays[field.type];
            return [field.name, typed === undefined ? values : values.map((v) => typed(v as never[]))];
          }),
      ),
      { noNullPrototype: true },
    );
  return struct(definitions[0]!.definitions);
}
