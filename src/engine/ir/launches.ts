import { type IrNode, producer, sameShape, sizeOf, splatOf, type Value } from './graph.js';
import { binary, concat, reduce, reshape } from './operations.js';
import type { Rule } from './rewrite.js';

/**
 * Rules that leave fewer nodes. On a GPU every node is a kernel to launch and costs as much as its launch; on a CPU it is
 * a pass over memory, or where it is small, a call that costs more than its work. They change the order in which numbers
 * are added and multiplied, so results agree with the graph as it was to rounding.
 */

/** A value scaled by a number: x·c, c·x, −x, x/c. */
function scaled(value: Value): { readonly x: Value; readonly factor: number } | undefined {
  const negated = producer(value, 'Neg');
  if (negated !== undefined) return { x: negated.inputs[0]!, factor: -1 };
  const product = producer(value, 'Mul');
  if (product === undefined || value.type !== 'float32') return undefined;
  const [a, b] = product.inputs as readonly [Value, Value];
  for (const [x, y] of [
    [a, b],
    [b, a],
  ] as const) {
    const factor = splatOf(y);
    if (factor !== undefined && sameShape(x.shape, value.shape)) return { x, factor };
  }
  return undefined;
}

/** (x·a)·b is x·(a·b), and so with signs. */
export const mergeFactors: Rule = (builder, { op, inputs, outputs }) => {
  if (op !== 'Mul' && op !== 'Neg') return undefined;
  const number = op === 'Neg' ? -1 : (splatOf(inputs[1]!) ?? splatOf(inputs[0]!));
  const other = op === 'Neg' || splatOf(inputs[1]!) !== undefined ? inputs[0]! : inputs[1]!;
  const inner = number === undefined ? undefined : scaled(other);
  if (inner === undefined || !sameShape(other.shape, outputs[0]!.shape)) return undefined;
  return binary(builder, 'Mul', inner.x, builder.scalar('float32', inner.factor * number!));
};

/** −(x + c) is (−c) − x. */
export const negateOnce: Rule = (builder, { op, inputs, outputs }) => {
  if (op !== 'Neg' || outputs[0]!.type !== 'float32') return undefined;
  const [a, b] = producer(inputs[0]!, 'Add')?.inputs ?? [];
  for (const [x, y] of [
    [a, b],
    [b, a],
  ]) {
    const c = y === undefined ? undefined : splatOf(y);
    if (x !== undefined && c !== undefined && sameShape(x.shape, outputs[0]!.shape))
      return binary(builder, 'Sub', builder.scalar('float32', -c), x);
  }
  return undefined;
};

/** x·c + y·c is (x + y)·c. */
export const factorOut: Rule = (builder, { op, inputs }) => {
  if (op !== 'Add') return undefined;
  const [a, b] = inputs.map(scaled);
  if (a === undefined || b === undefined || a.factor !== b.factor || !sameShape(a.x.shape, b.x.shape)) return undefined;
  return binary(builder, 'Mul', binary(builder, 'Add', a.x, b.x), builder.scalar('float32', a.factor));
};

/** What a sum goes over: a part of a Split, or the square of one. */
function summedPart(
  value: Value,
): { readonly sum: IrNode; readonly part: Value; readonly squared: boolean } | undefined {
  const sum = producer(value, 'ReduceSum');
  const axes = sum?.attributes.axes as readonly number[] | undefined;
  const [x] = sum?.inputs ?? [];
  if (sum === undefined || x === undefined || axes?.length !== x.shape.length) return undefined;
  const square = producer(x, 'Mul');
  const squared = square !== undefined && square.inputs[0] === square.inputs[1];
  return { sum, part: squared ? square.inputs[0]! : x, squared };
}

/** The sums over both parts of a Split, added up, are the sum over what was split. */
export const sumTogether: Rule = (builder, { op, inputs }) => {
  if (op !== 'Add') return undefined;
  const [a, b] = inputs.map(summedPart);
  if (a === undefined || b === undefined || a.squared !== b.squared || a.part === b.part) return undefined;
  const parts = producer(a.part, 'Split');
  if (parts === undefined || parts !== producer(b.part, 'Split') || parts.outputs.length !== 2) return undefined;
  const whole = parts.inputs[0]!;
  const terms = a.squared ? binary(builder, 'Mul', whole, whole) : whole;
  return reduce(
    builder,
    'ReduceSum',
    terms,
    a.sum.attributes.axes as readonly number[],
    a.sum.attributes.keepDims === true,
  );
};

const elementwise = new Set(['Mul', 'Add', 'Sub', 'Div']);

/** A change of shape comes after what is done to every element, so that the same done under two shapes is done once. */
export const reshapeLate: Rule = (builder, { op, inputs, outputs }) => {
  if (!elementwise.has(op)) return undefined;
  const at = inputs.findIndex((value) => producer(value, 'Reshape') !== undefined);
  const number = at < 0 ? undefined : inputs[1 - at];
  if (number === undefined || splatOf(number) === undefined || sizeOf(number.shape) !== 1) return undefined;
  const [output] = outputs as readonly [Value];
  if (!sameShape(inputs[at]!.shape, output.shape)) return undefined;
  const source = producer(inputs[at]!, 'Reshape')!.inputs[0]!;
  const scalar = builder.scalar(number.type, splatOf(number)!);
  const made = at === 0 ? binary(builder, op, source, scalar) : binary(builder, op, scalar, source);
  return reshape(builder, made, output.shape);
};

/** Concatenations of concatenations along the same axis, and of constants. */
export const concatOnce: Rule = (builder, { op, inputs, outputs, attributes }) => {
  if (op !== 'Concat') return undefined;
  const axis = Number(attributes.axis);
  const flat = inputs.flatMap((value) => {
    const inner = producer(value, 'Concat');
    return inner?.attributes.axis === axis ? inner.inputs : [value];
  });
  if (flat.every((value) => splatOf(value) !== undefined && splatOf(value) === splatOf(flat[0]!)))
    return builder.scalar(outputs[0]!.type, splatOf(flat[0]!)!, outputs[0]!.shape);
  return flat.length === inputs.length ? undefined : concat(builder, flat, axis);
};

/** Parts of a Split, each made flat, that are put together again in their order: what was split, made flat. */
export const keepTogether: Rule = (builder, { op, inputs, outputs }) => {
  if (op !== 'Concat' || outputs[0]!.shape.length !== 1) return undefined;
  const sourceOf = (value: Value): Value => producer(value, 'Reshape')?.inputs[0] ?? value;
  const joined: Value[] = [];
  for (let i = 0; i < inputs.length; ) {
    const parts = producer(sourceOf(inputs[i]!), 'Split');
    const run = parts === undefined ? [] : inputs.slice(i, i + parts.outputs.length).map(sourceOf);
    const axis = Number(parts?.attributes.axis);
    const whole =
      parts !== undefined &&
      run.every((value, k) => value === parts.outputs[k]) &&
      run.length === parts.outputs.length &&
      parts.inputs[0]!.shape.slice(0, axis).every((n) => n === 1);
    joined.push(whole ? reshape(builder, parts.inputs[0]!, [sizeOf(parts.inputs[0]!.shape)]) : inputs[i]!);
    i += whole ? run.length : 1;
  }
  return joined.length === inputs.length ? undefined : concat(builder, joined, 0);
};
