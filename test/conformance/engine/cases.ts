import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

type T = tf.Tensor;

/** One operation under test: how to draw its operands and how to apply it. */
export interface Case {
  readonly name: string;
  /** tfjs kernels that the case is there to cover. */
  readonly kernels: readonly string[];
  /** Operand shapes, and whatever parameters the operation takes. */
  readonly arbitrary: fc.Arbitrary<{ readonly shapes: readonly number[][]; readonly parameter: number }>;
  /** Range of the operands' elements. */
  readonly range: readonly [number, number];
  /** False where tfjs has no gradient or none is meant. */
  readonly gradient: boolean;
  /** Elements in which results may differ: relative to the largest. */
  readonly tolerance: number;
  readonly apply: (operands: readonly T[], parameter: number) => T;
}

const size = fc.integer({ min: 1, max: 4 });
const anyShape = fc.array(size, { minLength: 0, maxLength: 4 });
const filledShape = fc.array(size, { minLength: 1, maxLength: 4 });
const parameter = fc.nat({ max: 1000 });

/** Two shapes that broadcast: one with some axes cut off in front or reduced to 1, in either order. */
const broadcast = fc
  .tuple(anyShape, fc.nat({ max: 4 }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.boolean())
  .map(([shape, cut, ones, swap]) => {
    const other = shape.slice(Math.min(cut, shape.length)).map((n, i) => (ones[i] ? 1 : n));
    return swap ? [other, shape] : [shape, other];
  });

const with1 = (shape: fc.Arbitrary<number[]>): Case['arbitrary'] =>
  fc.record({ shapes: shape.map((s) => [s]), parameter });
const with2 = fc.record({ shapes: broadcast, parameter });
const same2 = fc.record({ shapes: anyShape.map((s) => [s, s]), parameter });

const shapesOf = (arbitrary: fc.Arbitrary<number[][]>): Case['arbitrary'] =>
  fc.record({ shapes: arbitrary, parameter });

type Settings = Partial<Pick<Case, 'range' | 'gradient' | 'tolerance' | 'arbitrary'>>;
const make = (
  name: string,
  kernels: string | readonly string[],
  arbitrary: Case['arbitrary'],
  apply: Case['apply'],
  settings: Settings = {},
): Case => ({
  name,
  kernels: [kernels].flat(),
  arbitrary,
  range: [-2, 2],
  gradient: true,
  tolerance: 2e-5,
  apply,
  ...settings,
});

const unary = (name: string, kernel: string | readonly string[], f: (x: T) => T, settings: Settings = {}): Case =>
  make(name, kernel, with1(anyShape), ([x]) => f(x!), settings);
const binary = (name: string, kernel: string, f: (x: T, y: T) => T, settings: Settings = {}): Case =>
  make(name, kernel, with2, ([x, y]) => f(x!, y!), settings);
const compare = (name: string, kernel: string, f: (x: T, y: T) => T): Case =>
  // Rounded operands, so that equal ones occur.
  binary(name, kernel, (x, y) => tf.cast(f(tf.round(x), tf.round(y)), 'float32'), { gradient: false });

/** Some axes chosen by the bits of a number. */
const axesOf = (x: T, bits: number): number[] | undefined =>
  bits % 5 === 0 ? undefined : x.shape.flatMap((_, i) => ((bits >> i) & 1 ? [i] : []));
const reduction = (
  name: string,
  kernel: string | readonly string[],
  f: (x: T, axes: number[] | undefined, keep: boolean) => T,
): Case => make(name, kernel, with1(filledShape), ([x], p) => f(x!, axesOf(x!, p >> 1), p % 2 === 1));

/** True and false by the bits of a number. */
const conditions = (shape: number[], bits: number): T =>
  tf.tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((bits >> (i % 9)) & 1) === 1),
    shape,
    'bool',
  );

const positive = { range: [0.1, 3] as const };
const noGradient = { gradient: false } as const;

const elementwise: readonly Case[] = [
  unary('abs', 'Abs', tf.abs),
  unary('neg', 'Neg', tf.neg),
  unary('exp', 'Exp', tf.exp),
  unary('log', 'Log', tf.log, positive),
  unary('log1p', 'Log1p', tf.log1p, { range: [-0.9, 3] }),
  unary('log1p near 0', 'Log1p', tf.log1p, { range: [-1e-5, 1e-5] }),
  unary('expm1', 'Expm1', tf.expm1),
  unary('expm1 near 0', 'Expm1', tf.expm1, { range: [-1e-5, 1e-5] }),
  unary('sqrt', 'Sqrt', tf.sqrt, positive),
  unary('rsqrt', 'Rsqrt', tf.rsqrt, positive),
  unary('square', 'Square', tf.square),
  unary('reciprocal', 'Reciprocal', tf.reciprocal, positive),
  unary('tanh', 'Tanh', tf.tanh),
  unary('sigmoid', 'Sigmoid', tf.sigmoid),
  unary('softplus', 'Softplus', tf.softplus, { range: [-20, 20] }),
  unary('relu', 'Relu', tf.relu),
  unary('relu6', 'Relu6', tf.relu6, { range: [-2, 9] }),
  unary('elu', ['Elu', 'EluGrad'], tf.elu),
  unary('selu', 'Selu', tf.selu),
  unary('leakyRelu', 'LeakyRelu', (x) => tf.leakyRelu(x, 0.3)),
  unary('erf', 'Erf', tf.erf),
  unary('sin', 'Sin', tf.sin),
  unary('cos', 'Cos', tf.cos),
  unary('tan', 'Tan', tf.tan, { range: [-1, 1] }),
  unary('asin', 'Asin', tf.asin, { range: [-0.9, 0.9] }),
  unary('acos', 'Acos', tf.acos, { range: [-0.9, 0.9] }),
  unary('atan', 'Atan', tf.atan),
  unary('sinh', 'Sinh', tf.sinh),
  unary('cosh', 'Cosh', tf.cosh),
  unary('asinh', 'Asinh', tf.asinh),
  unary('acosh', 'Acosh', tf.acosh, { range: [1.1, 4] }),
  unary('atanh', 'Atanh', tf.atanh, { range: [-0.9, 0.9] }),
  unary('sign', 'Sign', tf.sign),
  unary('floor', 'Floor', tf.floor),
  unary('ceil', 'Ceil', tf.ceil),
  unary('round', 'Round', tf.round),
  unary('step', 'Step', (x) => tf.step(x)),
  unary('step with alpha', 'Step', (x) => tf.step(x, -0.5)),
  unary('clipByValue', 'ClipByValue', (x) => tf.clipByValue(x, -0.5, 1)),
  unary('identity', 'Identity', (x) => tf.clone(x)),
  unary('zerosLike', 'ZerosLike', (x) => tf.add(tf.zerosLike(x), x)),
  unary('onesLike', 'OnesLike', (x) => tf.mul(tf.onesLike(x), x)),
  unary('isNaN', 'IsNan', (x) => tf.cast(tf.isNaN(tf.log(x)), 'float32'), noGradient),
  unary('cast to int32', 'Cast', (x) => tf.cast(tf.cast(tf.mul(x, 4), 'int32'), 'float32'), noGradient),
  // Whole numbers of 0 and 1: wasm keeps other numbers as they are in a bool.
  unary('cast to bool', 'Cast', (x) => tf.cast(tf.cast(tf.round(tf.abs(x)), 'bool'), 'float32'), {
    range: [-1, 1],
    gradient: false,
  }),
  binary('add', 'Add', tf.add),
  binary('sub', 'Sub', tf.sub),
  binary('mul', 'Multiply', tf.mul),
  binary('div', 'RealDiv', tf.div, positive),
  // tfjs' own gradients of these do not undo broadcasting.
  binary('minimum', 'Minimum', tf.minimum, noGradient),
  binary('maximum', 'Maximum', tf.maximum, noGradient),
  make('gradient of minimum', 'Minimum', same2, ([x, y]) => tf.minimum(x!, y!)),
  make('gradient of maximum', 'Maximum', same2, ([x, y]) => tf.maximum(x!, y!)),
  binary('pow', 'Pow', tf.pow, positive),
  binary('squaredDifference', 'SquaredDifference', tf.squaredDifference, noGradient),
  make('gradient of squaredDifference', 'SquaredDifference', same2, ([x, y]) => tf.squaredDifference(x!, y!)),
  binary('floorDiv', 'FloorDiv', tf.floorDiv, { ...positive, ...noGradient }),
  binary(
    'floorDiv of int32',
    'FloorDiv',
    (x, y) => {
      const divisor = tf.add(tf.cast(tf.mul(y, 3), 'int32'), tf.scalar(20, 'int32'));
      return tf.cast(tf.floorDiv(tf.cast(tf.mul(x, 40), 'int32'), tf.neg(divisor)), 'float32');
    },
    noGradient,
  ),
  make('addN', 'AddN', same2, ([x, y]) => tf.addN([x!, y!, x!])),
  compare('greater', 'Greater', tf.greater),
  compare('greaterEqual', 'GreaterEqual', tf.greaterEqual),
  compare('less', 'Less', tf.less),
  compare('lessEqual', 'LessEqual', tf.lessEqual),
  compare('equal', 'Equal', tf.equal),
  compare('notEqual', 'NotEqual', tf.notEqual),
  compare('logicalAnd', 'LogicalAnd', (x, y) => tf.logicalAnd(tf.greater(x, 0), tf.greater(y, 0))),
  compare('logicalOr', 'LogicalOr', (x, y) => tf.logicalOr(tf.greater(x, 0), tf.greater(y, 0))),
  unary('logicalNot', 'LogicalNot', (x) => tf.cast(tf.logicalNot(tf.greater(x, 0)), 'float32'), noGradient),
  make('prelu', 'Prelu', shapesOf(filledShape.map((s) => [s, s])), ([x, y]) => tf.prelu(x!, y!)),
  make('where', 'Select', same2, ([x, y], p) => tf.where(conditions(x!.shape, p), x!, tf.mul(y!, 3))),
  make('where of a comparison', 'Select', same2, ([x, y]) => tf.where(tf.greater(x!, y!), x!, y!), noGradient),
];

const reductions: readonly Case[] = [
  reduction('sum', 'Sum', (x, axes, keep) => tf.sum(x, axes, keep)),
  reduction('mean', 'Mean', (x, axes, keep) => tf.mean(x, axes, keep)),
  reduction('max', 'Max', (x, axes, keep) => tf.max(x, axes, keep)),
  reduction('min', 'Min', (x, axes, keep) => tf.min(x, axes, keep)),
  reduction('logSumExp', ['Max', 'Exp', 'Log'], (x, axes, keep) => tf.logSumExp(x, axes, keep)),
  make('prod', 'Prod', with1(filledShape), ([x], p) => tf.prod(x!, axesOf(x!, p >> 1), p % 2 === 1), noGradient),
  make(
    'all',
    'All',
    with1(filledShape),
    ([x], p) => tf.cast(tf.all(tf.greater(x!, -1), axesOf(x!, p >> 1), p % 2 === 1), 'float32'),
    noGradient,
  ),
  make(
    'any',
    'Any',
    with1(filledShape),
    ([x], p) => tf.cast(tf.any(tf.greater(x!, 1), axesOf(x!, p >> 1), p % 2 === 1), 'float32'),
    noGradient,
  ),
  make('sum of bool', 'Sum', with1(filledShape), ([x]) => tf.cast(tf.sum(tf.greater(x!, 0), 0), 'float32'), noGradient),
  make('argMax', 'ArgMax', with1(filledShape), ([x], p) => tf.cast(tf.argMax(x!, p % x!.rank), 'float32'), noGradient),
  make('argMin', 'ArgMin', with1(filledShape), ([x], p) => tf.cast(tf.argMin(x!, p % x!.rank), 'float32'), noGradient),
  make('softmax', 'Softmax', with1(filledShape), ([x]) => tf.softmax(x!)),
  make('logSoftmax', 'Max', with1(filledShape), ([x]) => tf.logSoftmax(x!)),
];

/** Operands of a product: batch axes that are equal, the matrices transposed by the parameter's bits. */
const product = fc
  .tuple(fc.array(size, { maxLength: 2 }), size, size, size, fc.nat({ max: 3 }))
  .map(([batch, m, k, n, bits]) => ({
    shapes: [
      [...batch, ...(bits & 1 ? [k, m] : [m, k])],
      [...batch, ...(bits & 2 ? [n, k] : [k, n])],
    ],
    parameter: bits,
  }));
const affine = fc
  .tuple(size, size, size, fc.nat({ max: 3 }), fc.nat({ max: 5 }))
  .map(([m, k, n, bits, activation]) => ({
    shapes: [bits & 1 ? [k, m] : [m, k], bits & 2 ? [n, k] : [k, n], [n]],
    parameter: bits + 4 * activation,
  }));
const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const;

const products: readonly Case[] = [
  make('matMul', 'BatchMatMul', product, ([x, y], p) => tf.matMul(x!, y!, (p & 1) === 1, (p & 2) === 2)),
  make(
    'matMul after transpose',
    ['BatchMatMul', 'Transpose'],
    shapesOf(
      fc.tuple(size, size, size).map(([m, k, n]) => [
        [k, m],
        [n, k],
      ]),
    ),
    ([x, y]) => tf.matMul(tf.transpose(x!), tf.transpose(y!)),
  ),
  make('relu of matMul and bias', ['BatchMatMul', 'Add', 'Relu', 'Step'], affine, ([x, y, bias], p) =>
    tf.relu(tf.add(tf.matMul(x!, y!, (p & 1) === 1, (p & 2) === 2), bias!)),
  ),
  make(
    'matMul of tiled rows',
    ['Tile', 'BatchMatMul'],
    shapesOf(
      fc.tuple(size, size, size, size).map(([c, m, k, n]) => [
        [m, k],
        [c, k, n],
      ]),
    ),
    ([x, y]) => tf.matMul(tf.tile(tf.expandDims(x!, 0), [y!.shape[0]!, 1, 1]), y!),
  ),
];

const longer = fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 4 });
const axisOf = (x: T, p: number): number => p % x.rank;
/** A part of an axis: [first, length]. */
const partOf = (n: number, p: number): [number, number] => {
  const first = p % n;
  return [first, 1 + ((p >> 3) % (n - first))];
};
const partsOf = (x: T, p: number): [number[], number[]] => {
  const parts = x.shape.map((n, i) => partOf(n, p + 7 * i));
  return [parts.map(([first]) => first), parts.map(([, length]) => length)];
};

const shapes: readonly Case[] = [
  make('reshape', 'Reshape', with1(longer), ([x]) => tf.reshape(x!, [x!.shape.at(-1)!, -1])),
  make('expandDims', 'ExpandDims', with1(longer), ([x], p) => tf.expandDims(x!, (p % (x!.rank + 1)) - (p % 2 ? 1 : 0))),
  make('squeeze', 'Reshape', with1(longer), ([x]) => tf.squeeze(tf.expandDims(x!, 1))),
  make('transpose', 'Transpose', with1(longer), ([x], p) => {
    const axes = x!.shape.map((_, i) => i);
    return tf.transpose(
      x!,
      axes.map((i) => (i + p) % x!.rank),
    ); // prettier-ignore
  }),
  make('split', 'SplitV', with1(longer), ([x], p) => {
    const axis = axisOf(x!, p);
    const first = 1 + (p % (x!.shape[axis]! - 1));
    const [head, tail] = tf.split(x!, [first, x!.shape[axis]! - first], axis) as [T, T];
    return tf.concat([tf.mul(tail, 2), head, tf.square(head)], axis);
  }),
  make('split evenly', ['SplitV', 'Multiply'], with1(longer.map((s) => [...s, 6])), ([x], p) => {
    const parts = tf.split(x!, 2 + (p % 2), -1);
    return tf.mul(parts[0]!, parts.at(-1)!);
  }),
  make('slice', 'Slice', with1(longer), ([x], p) => tf.slice(x!, ...partsOf(x!, p))),
  make('slices end to end', ['Slice', 'PadV2'], with1(longer), ([x], p) => {
    const cut = 1 + (p % (x!.shape[0]! - 1));
    const zeros = x!.shape.map(() => 0);
    const [head, tail] = [tf.slice(x!, zeros, [cut, ...x!.shape.slice(1)]), tf.slice(x!, [cut, ...zeros.slice(1)])];
    return tf.concat([tf.square(head), tf.mul(tail, 3)], 0);
  }),
  make(
    'stridedSlice',
    'StridedSlice',
    with1(longer),
    ([x], p) => {
      const shrink = p % 3 === 0;
      const steps = x!.shape.map((_, i) =>
        shrink && i === 0 ? 1 : ((p >> i) & 1 ? -1 : 1) * (1 + ((p >> (i + 2)) % 2)),
      );
      const begin = x!.shape.map((n, i) => (steps[i]! > 0 ? p % n : n - 1));
      const end = x!.shape.map((n, i) => (steps[i]! > 0 ? n : -n - 1));
      return tf.stridedSlice(x!, begin, end, steps, 0, 0, 0, 0, shrink ? 1 : 0);
    },
    noGradient,
  ),
  make(
    'stridedSlice with masks',
    'StridedSlice',
    with1(fc.constant([3, 4, 5, 2])),
    ([x], p) => {
      const [begin, end] = [p % 8, (p >> 3) % 8];
      return tf.stridedSlice(x!, [1, 0, 1], [3, 3, 2], [1, 2, 1], begin, end, 2, 0, p % 2 ? 4 : 0);
    },
    noGradient,
  ),
  make(
    'concat',
    'Concat',
    shapesOf(fc.tuple(longer, size, fc.nat()).map(([s, n, p]) => [s, s.with(p % s.length, n)])),
    ([x, y]) => {
      const axis = x!.shape.findIndex((n, i) => n !== y!.shape[i]);
      return tf.concat([x!, y!, x!], Math.max(axis, 0));
    },
  ),
  make('stack', 'Pack', same2, ([x, y], p) => tf.stack([x!, y!, x!], p % (x!.rank + 1))),
  make('unstack', 'Unpack', with1(longer), ([x], p) => {
    const parts = tf.unstack(x!, axisOf(x!, p));
    return tf.mul(parts[0]!, parts.at(-1)!);
  }),
  make(
    'pad',
    'PadV2',
    with1(longer),
    ([x], p) =>
      tf.pad(
        x!,
        x!.shape.map((_, i): [number, number] => [(p >> i) % 3, (p >> (i + 2)) % 2]),
        p % 2,
      ), // prettier-ignore
  ),
  make('tile', 'Tile', with1(longer), ([x], p) =>
    tf.tile(
      x!,
      x!.shape.map((_, i) => 1 + ((p >> i) % 2)),
    ),
  ),
  make('broadcastTo', 'Tile', with1(longer.map((s) => s.slice(0, 3))), ([x]) =>
    tf.broadcastTo(tf.expandDims(x!, 0), [3, ...x!.shape]),
  ),
  make('reverse', 'Reverse', with1(longer), ([x], p) => tf.reverse(x!, axisOf(x!, p))),
  make(
    'gather',
    'GatherV2',
    with1(longer),
    ([x], p) => {
      const axis = axisOf(x!, p);
      const indices = Array.from({ length: 3 }, (_, i) => (p + i) % x!.shape[axis]!);
      return tf.gather(x!, tf.tensor1d(indices, 'int32'), axis);
    },
    noGradient,
  ),
  make(
    'gather in batches',
    'GatherV2',
    with1(fc.tuple(size, size, size).map((s) => [2, ...s])),
    ([x], p) => {
      const axis = 1 + (p % 3);
      const n = x!.shape[axis]!;
      return tf.gather(x!, tf.tensor2d([p % n, (p + 1) % n, (p + 2) % n, p % n], [2, 2], 'int32'), axis, 1);
    },
    noGradient,
  ),
  make(
    'oneHot',
    'OneHot',
    with1(longer),
    ([x], p) => {
      const labels = tf.cast(tf.mul(tf.abs(x!), 2), 'int32');
      return tf.cast(tf.oneHot(labels, 2 + (p % 4), p % 2 ? 2 : 1, p % 2 ? -1 : 0), 'float32');
    },
    noGradient,
  ),
  make('fill', 'Fill', with1(longer), ([x]) => tf.mul(tf.fill(x!.shape, 2.5), x!)),
  make('range', 'Range', with1(fc.tuple(size, size)), ([x]) => tf.add(x!, tf.range(1, 1 + 2 * x!.shape[1]!, 2))),
];

/** Every case; together they cover every supported kernel but those of the next list. */
export const cases: readonly Case[] = [...elementwise, ...reductions, ...products, ...shapes];

/** Cases whose kernels the wasm backend lacks or gets wrong (its fused product with transposes spreads the bias wrongly): the reference is tfjs' plain JavaScript backend. */
export const casesWithoutWasm: readonly Case[] = [
  make('gradient of gather', ['GatherV2', 'UnsortedSegmentSum'], with1(longer), ([x], p) => {
    const axis = axisOf(x!, p);
    const indices = Array.from({ length: 4 }, (_, i) => (p * i) % x!.shape[axis]!);
    return tf.gather(x!, tf.tensor1d(indices, 'int32'), axis);
  }),
  make(
    'fused matMul',
    '_FusedMatMul',
    affine,
    ([x, y, bias], p) =>
      tf.fused.matMul({
        a: x as tf.Tensor2D,
        b: y as tf.Tensor2D,
        transposeA: (p & 1) === 1,
        transposeB: (p & 2) === 2,
        bias: bias!,
        activation: activations[p >> 2]!,
        leakyreluAlpha: 0.2,
      }),
    noGradient,
  ),
];
