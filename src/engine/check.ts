import { IqLearnError, unknownName } from '../common/index.js';
import { sizeOf } from './ir/graph.js';
import type { ArrayRecord, TensorSpecs } from './program.js';

/** The array that holds elements of each type. */
const arrayTypes = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;

/** Checks arrays against their specs: every entry is there, with its type and size, and no other. Throws INVALID_ARGUMENT. */
export function checkArrays(what: string, specs: TensorSpecs, arrays: ArrayRecord): void {
  for (const [name, spec] of Object.entries(specs)) {
    const array = arrays[name];
    const size = sizeOf(spec.shape);
    if (array instanceof arrayTypes[spec.dtype] && array.length === size) continue;
    const found = array === undefined ? 'nothing' : `${array.constructor.name} of ${array.length}`;
    throw new IqLearnError('INVALID_ARGUMENT', `wrong ${what} '${name}'`, {
      found,
      expected: `${arrayTypes[spec.dtype].name} of ${size} ([${spec.shape.join()}])`,
    });
  }
  checkNames(what, specs, Object.keys(arrays));
}

/** Checks that every name is one of the specs'. INVALID_ARGUMENT. */
export function checkNames(what: string, specs: TensorSpecs, names: readonly string[]): void {
  for (const name of names)
    if (!Object.hasOwn(specs, name)) {
      const unknown = unknownName(what, name, Object.keys(specs));
      throw new IqLearnError('INVALID_ARGUMENT', `unknown ${what}`, {
        found: `'${name}'`,
        ...(unknown.expected === undefined ? {} : { expected: unknown.expected }),
        ...(unknown.remedy === undefined ? {} : { remedy: unknown.remedy }),
      });
    }
}
