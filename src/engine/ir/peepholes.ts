import { producer, sameShape, sizeOf, splatOf, type Value } from './graph.js';
import { binary, broadcastShape, concat, expand, matMul, reshape, transpose, unary } from './operations.js';
import type { Rule } from './rewrite.js';

const arithmetic = new Set(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Pow']);
const pointwise = new Set(['Neg', 'Exp', 'Log', 'Sqrt', 'Tanh', 'Sigmoid', 'Reciprocal', 'Abs', 'Step', 'Relu']);

/** x·1, x+0, x−0, x/1: the operand itself, spread to the result's shape where broadcasting did that. */
export const dropNeutralOperands: Rule = (builder, { op, inputs, outputs }) => {
  const [x, y] = inputs as readonly [Value, Value];
  const [output] = outputs as readonly [Value];
  if (op !== 'Add' && op !== 'Sub' && op !== 'Mul' && op !== 'Div') return undefined;
  const neutral = op === 'Add' || op === 'Sub' ? 0 : 1;
  if (splatOf(y) === neutral) return expand(builder, x, output.shape);
  if ((op === 'Mul' || op === 'Add') && splatOf(x) === neutral) return expand(builder, y, output.shape);
  if (op === 'Sub' && splatOf(x) === 0) return expand(builder, unary(builder, 'Neg', y), output.shape);
  return undefined;
};

/**
 * Gradients of sums and means are spread to full size before they are used. An elementwise operation spreads by
 * itself, so spread operands are taken as they were; where all operands were spread, the result is spread instead.
 */
export const spreadLate: Rule = (builder, { op, inputs, outputs, attributes }) => {
  const [output] = outputs as readonly [Value];
  const small = (value: Value): Value => {
    const spread = producer(value, 'Expand');
    if (spread !== undefined) return spread.inputs[0]!;
    const number = splatOf(value);
    return number === undefined || value.shape.length === 0 ? value : builder.scalar(value.type, number);
  };
  if (pointwise.has(op)) {
    const before = small(inputs[0]!);
    if (before === inputs[0]) return undefined;
    return expand(builder, unary(builder, op, before, attributes, output.type), output.shape);
  }
  if (!arithmetic.has(op)) return undefined;
  const [x, y] = inputs.map(small) as [Value, Value];
  if (x === inputs[0] && y === inputs[1]) return undefined;
  return expand(builder, binary(builder, op, x, y, output.type), output.shape);
};

/** Chains of what only moves or renames data. */
export const joinMoves: Rule = (builder, { op, inputs, outputs, attributes }) => {
  const [x] = inputs as readonly [Value];
  const [output] = outputs as readonly [Value];
  if (op === 'Identity') return x;
  if (op === 'Reshape') {
    if (sameShape(x.shape, output.shape)) return x;
    const before = producer(x, 'Reshape')?.inputs[0];
    if (before !== undefined) return reshape(builder, before, output.shape);
    const spread = producer(x, 'Expand')?.inputs[0];
    if (spread !== undefined && sizeOf(spread.shape) === 1)
      return expand(builder, reshape(builder, spread, []), output.shape);
    return undefined;
  }
  if (op === 'Expand') {
    if (sameShape(x.shape, output.shape)) return x;
    const before = producer(x, 'Expand')?.inputs[0];
    return before === undefined ? undefined : expand(builder, before, output.shape);
  }
  if (op === 'Transpose') {
    const before = producer(x, 'Transpose');
    if (before === undefined) return undefined;
    const [first, second] = [before.attributes.perm as number[], attributes.perm as number[]];
    return transpose(
      builder,
      before.inputs[0]!,
      second.map((p) => first[p]!),
    );
  }
  if (op === 'Split') {
    const joined = producer(x, 'Concat');
    if (joined === undefined || joined.attributes.axis !== attributes.axis) return undefined;
    const fits =
      joined.inputs.length === outputs.length && joined.inputs.every((v, i) => sameShape(v.shape, outputs[i]!.shape));
    return fits ? joined.inputs : undefined;
  }
  if (op === 'Concat') {
    const parts = producer(x, 'Split');
    const same =
      parts !== undefined && parts.attributes.axis === attributes.axis && parts.outputs.length === inputs.length;
    return same && inputs.every((value, i) => value === parts.outputs[i]) ? parts.inputs[0]! : undefined;
  }
  return undefined;
};

/** A sum over axes of length 1 is a change of shape. */
export const dropEmptySums: Rule = (builder, { op, inputs, outputs, attributes }) => {
  const [x] = inputs as readonly [Value];
  const axes = attributes.axes as readonly number[] | undefined;
  if (!op.startsWith('Reduce') || axes === undefined || !axes.every((axis) => x.shape[axis] === 1)) return undefined;
  return reshape(builder, x, outputs[0]!.shape);
};

/** The last two axes swapped, all others in place. */
const isSwap = (perm: readonly number[]): boolean => {
  const n = perm.length;
  return n >= 2 && perm[n - 1] === n - 2 && perm[n - 2] === n - 1 && perm.slice(0, -2).every((p, i) => p === i);
};

/** Transposed operands become flags of the product. */
export const foldTransposes: Rule = (builder, { op, inputs, attributes }) => {
  if (op !== 'MatMul') return undefined;
  const [a, b, bias] = inputs as readonly [Value, Value, Value?];
  const source = (value: Value): Value | undefined => {
    const turned = producer(value, 'Transpose');
    return turned !== undefined && isSwap(turned.attributes.perm as number[]) ? turned.inputs[0] : undefined;
  };
  const [sourceA, sourceB] = [source(a), source(b)];
  if (sourceA === undefined && sourceB === undefined) return undefined;
  const transA = (attributes.transA === true) !== (sourceA !== undefined);
  const transB = (attributes.transB === true) !== (sourceB !== undefined);
  return matMul(builder, sourceA ?? a, sourceB ?? b, { transA, transB }, bias);
};

/**
 * Products with a side of length 1, as the last layer's gradients are: an outer product is a broadcast
 * multiplication, and hᵀ·d with one column in d is dᵀ·h, which does not turn the large operand.
 */
export const thinProducts: Rule = (builder, { op, inputs, outputs, attributes }) => {
  if (op !== 'MatMul' || inputs.length > 2) return undefined;
  const [a, b] = inputs as readonly [Value, Value];
  const { shape } = outputs[0]!;
  if (a.shape.length !== shape.length || b.shape.length !== shape.length) return undefined;
  const [m, n] = shape.slice(-2) as [number, number];
  const inner = a.shape.at(attributes.transA === true ? -2 : -1)!;
  if (inner === 1) {
    const column = reshape(builder, a, [...a.shape.slice(0, -2), m, 1]);
    return binary(builder, 'Mul', column, reshape(builder, b, [...b.shape.slice(0, -2), 1, n]));
  }
  if (attributes.transA !== true || n !== 1) return undefined;
  const row = reshape(builder, b, [...b.shape.slice(0, -2), 1, inner]);
  return reshape(builder, matMul(builder, row, a, { transA: false, transB: false }), shape);
};

/** ReLU's derivative read from its output, so that nothing keeps the input alive. */
export const stepFromOutput: Rule = (builder, { op, inputs, outputs }) => {
  if (op !== 'Step') return undefined;
  const activated = builder.find('Relu', inputs, outputs[0]!);
  return activated === undefined ? undefined : unary(builder, 'Step', activated);
};

/** Repetitions that broadcasting makes by itself: copies along a batch axis of a product's operand. */
export const dropBatchTiles: Rule = (builder, { op, inputs, attributes, outputs }) => {
  if (op !== 'MatMul') return undefined;
  const whole = (value: Value): Value => {
    const tile = producer(value, 'Tile');
    if (tile === undefined) return value;
    const [x] = tile.inputs as readonly [Value];
    const repeats = tile.attributes.repeats as readonly number[];
    const batch = x.shape.length - 2;
    return repeats.every((n, i) => n === 1 || (i < batch && x.shape[i] === 1)) ? x : value;
  };
  const [a, b, ...rest] = inputs as readonly [Value, Value, ...Value[]];
  const [freeA, freeB] = [whole(a), whole(b)];
  if (freeA === a && freeB === b) return undefined;
  const [one, other] = freeA === a ? [a, freeB] : [freeA, b];
  const shape = broadcastShape(one.shape.slice(0, -2), other.shape.slice(0, -2));
  if (!sameShape(shape, outputs[0]!.shape.slice(0, -2))) return undefined;
  const transposes = { transA: attributes.transA === true, transB: attributes.transB === true };
  return matMul(builder, one, other, transposes, rest[0]);
};

/** The gradient of a slice or split is zeros around it; sums of such that meet end to end are a concatenation. */
export const sumOfPads: Rule = (builder, { op, inputs, outputs }) => {
  if (op !== 'Add') return undefined;
  const [x, y] = inputs.map((value) => producer(value, 'Pad'));
  if (x === undefined || y === undefined || x.attributes.value !== 0 || y.attributes.value !== 0) return undefined;
  const [shape, rank] = [outputs[0]!.shape, outputs[0]!.shape.length];
  if (!sameShape(x.outputs[0]!.shape, y.outputs[0]!.shape)) return undefined;
  const [p, q] = [x.attributes.pads as readonly number[], y.attributes.pads as readonly number[]];
  const padded = shape.flatMap((_, i) => (p[i] || p[i + rank] || q[i] || q[i + rank] ? [i] : []));
  const [axis] = padded;
  if (axis === undefined || padded.length > 1) return undefined;
  const [first, second] = p[axis] === 0 ? [x, y] : [y, x];
  const [a, b] = [first.inputs[0]!, second.inputs[0]!];
  const before = (second.attributes.pads as readonly number[])[axis]!;
  const whole = a.shape[axis]! + b.shape[axis]! === shape[axis]! && before === a.shape[axis]!;
  return whole ? concat(builder, [a, b], axis) : undefined;
};

/** Sums of fewer rows than this stay as they are. */
const MANY_ROWS = 8;

/**
 * A sum over rows as a product with a row of ones. onnxruntime's ReduceSum goes down each column, which takes six times
 * as long on a CPU for the gradients of biases (512 rows of 256: 210 against 26 µs).
 */
export const sumsOfRows: Rule = (builder, { op, inputs, outputs, attributes }) => {
  const [x] = inputs as readonly [Value];
  const axes = attributes.axes as readonly number[] | undefined;
  if (op !== 'ReduceSum' || x.type !== 'float32' || axes?.length !== 1 || axes[0] !== x.shape.length - 2)
    return undefined;
  const rows = x.shape.at(-2)!;
  if (rows < MANY_ROWS || x.shape.at(-1)! < MANY_ROWS) return undefined;
  const ones = builder.scalar(x.type, 1, [...x.shape.slice(0, -2), 1, rows]);
  return reshape(builder, matMul(builder, ones, x, { transA: false, transB: false }), outputs[0]!.shape);
};

/** Below this many numbers an operation costs more than a pass over them. */
const WIDE = 4096;

/**
 * x − y·c and x + y·c of matrices, with one number c a row, in one pass over memory. For the CPU: onnxruntime has the
 * operation for other providers as well, but there it saves nothing.
 */
export const gatedSums: Rule = (builder, { op, inputs, outputs }) => {
  const [output] = outputs as readonly [Value];
  const { shape, type } = output;
  if ((op !== 'Add' && op !== 'Sub') || shape.length !== 2 || type !== 'float32' || sizeOf(shape) < WIDE)
    return undefined;
  const [a, b] = inputs as readonly [Value, Value];
  for (const [x, product] of op === 'Sub'
    ? [[a, b] as const]
    : ([
        [a, b],
        [b, a],
      ] as const)) {
    const factors = producer(product, 'Mul')?.inputs ?? [];
    // Of two columns, either could be the number a row: the other one is the matrix.
    const at = factors.findIndex((factor) => sameShape(factor.shape, [shape[0]!, 1]));
    const [gate, y] = [factors[at], factors[1 - at]];
    if (gate === undefined || y === undefined || !sameShape(y.shape, shape) || !sameShape(x.shape, shape)) continue;
    return builder.node('GatedAdd', [x, y, op === 'Sub' ? unary(builder, 'Neg', gate) : gate], output);
  }
  return undefined;
};

/** min(max(x, low), high) in one operation. */
export const clampOnce: Rule = (builder, { op, inputs, outputs }) => {
  if (op !== 'Min' || outputs[0]!.type !== 'float32') return undefined;
  const [inner, bound] = inputs as readonly [Value, Value];
  const [x, floor] = producer(inner, 'Max')?.inputs ?? [];
  if (x === undefined || floor === undefined || !sameShape(x.shape, outputs[0]!.shape)) return undefined;
  const [low, high] = [splatOf(floor), splatOf(bound)];
  if (low === undefined || high === undefined || low > high) return undefined;
  return unary(builder, 'Clip', x, { low, high });
};
