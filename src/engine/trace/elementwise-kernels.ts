import type { GraphBuilder, Value } from '../ir/graph.js';
import { binary, cast, compare, unary, where } from '../ir/operations.js';
import type { Kernel, Kernels } from './kernel.js';

const one = (b: GraphBuilder, x: Value): Value => b.scalar(x.type, 1);
const zero = (b: GraphBuilder, x: Value): Value => b.scalar(x.type, 0);

const sameName = (...names: readonly string[]): Kernels =>
  Object.fromEntries(names.map((name): [string, Kernel] => [name, (c) => unary(c.builder, name, c.input('x'))]));

const arithmetic =
  (op: string): Kernel =>
  (c) => {
    const [a, b] = [c.input('a'), c.input('b')];
    const type = a.type === 'bool' ? 'int32' : a.type;
    return binary(c.builder, op, cast(c.builder, a, type), cast(c.builder, b, type));
  };
const comparison =
  (op: string): Kernel =>
  (c) =>
    compare(c.builder, op, c.input('a'), c.input('b'));

/** log(1 + x) without cancellation (Higham, Accuracy and Stability of Numerical Algorithms, §1.14.1). */
const log1p: Kernel = (c) => {
  const [b, x] = [c.builder, c.input('x')];
  const u = binary(b, 'Add', x, one(b, x));
  const ratio = binary(b, 'Div', binary(b, 'Mul', unary(b, 'Log', u), x), binary(b, 'Sub', u, one(b, x)));
  const rest = where(b, compare(b, 'Less', x, b.scalar('float32', 1e10)), ratio, unary(b, 'Log', u));
  return where(b, compare(b, 'Equal', u, one(b, x)), x, rest);
};

/** exp(x) − 1 by the same idea near 0, directly elsewhere. */
const expm1: Kernel = (c) => {
  const [b, x] = [c.builder, c.input('x')];
  const u = unary(b, 'Exp', x);
  const direct = binary(b, 'Sub', u, one(b, x));
  const near = binary(b, 'Div', binary(b, 'Mul', direct, x), unary(b, 'Log', u));
  const small = compare(b, 'Less', unary(b, 'Abs', x), b.scalar('float32', 0.5));
  return where(b, compare(b, 'Equal', u, one(b, x)), x, where(b, small, near, direct));
};

/** tfjs' Step: 1 for x > 0, `alpha` otherwise. */
const step: Kernel = (c) => {
  const [b, x, alpha] = [c.builder, c.input('x'), c.number('alpha')];
  if (alpha === 0 && x.type === 'float32') return unary(b, 'Step', x);
  return where(b, compare(b, 'Greater', x, zero(b, x)), one(b, x), b.scalar(x.type, alpha));
};

const floorDiv: Kernel = (c) => {
  const [b, x, y] = [c.builder, c.input('a'), c.input('b')];
  const quotient = binary(b, 'Div', x, y);
  if (x.type === 'float32') return unary(b, 'Floor', quotient);
  const rest = binary(b, 'Sub', x, binary(b, 'Mul', quotient, y));
  const signs = compare(b, 'Less', binary(b, 'Mul', unary(b, 'Sign', rest), unary(b, 'Sign', y)), zero(b, x));
  return binary(b, 'Sub', quotient, cast(b, signs, 'int32'));
};

const leaky = (b: GraphBuilder, x: Value, slope: Value): Value =>
  where(b, compare(b, 'Greater', x, zero(b, x)), x, binary(b, 'Mul', x, slope));

/** The activation of tfjs' fused kernels by its name there. */
export function activation(b: GraphBuilder, name: string, x: Value, alpha: number, slope?: Value): Value | undefined {
  if (name === 'linear') return x;
  if (name === 'relu') return unary(b, 'Relu', x);
  if (name === 'relu6') return binary(b, 'Min', unary(b, 'Relu', x), b.scalar('float32', 6));
  if (name === 'elu') return unary(b, 'Elu', x);
  if (name === 'sigmoid') return unary(b, 'Sigmoid', x);
  if (name === 'leakyrelu') return leaky(b, x, b.scalar('float32', alpha));
  return name === 'prelu' && slope !== undefined ? leaky(b, x, slope) : undefined;
}

export const elementwiseKernels: Kernels = {
  ...sameName('Abs', 'Neg', 'Exp', 'Log', 'Sqrt', 'Tanh', 'Sigmoid', 'Softplus', 'Relu', 'Elu', 'Reciprocal', 'Sign'),
  ...sameName('Floor', 'Ceil', 'Round', 'Erf', 'Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh', 'Asinh'),
  ...sameName('Acosh', 'Atanh', 'Identity', 'Selu'),
  Add: arithmetic('Add'),
  Sub: arithmetic('Sub'),
  Multiply: arithmetic('Mul'),
  RealDiv: arithmetic('Div'),
  Minimum: arithmetic('Min'),
  Maximum: arithmetic('Max'),
  Pow: arithmetic('Pow'),
  FloorDiv: floorDiv,
  SquaredDifference: (c) => {
    const difference = binary(c.builder, 'Sub', c.input('a'), c.input('b'));
    return binary(c.builder, 'Mul', difference, difference);
  },
  AddN: (c) => c.list.reduce((sum, value) => binary(c.builder, 'Add', sum, value)),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterOrEqual'),
  Less: comparison('Less'),
  LessEqual: comparison('LessOrEqual'),
  Equal: comparison('Equal'),
  NotEqual: (c) => unary(c.builder, 'Not', compare(c.builder, 'Equal', c.input('a'), c.input('b'))),
  LogicalAnd: comparison('And'),
  LogicalOr: comparison('Or'),
  LogicalNot: (c) => unary(c.builder, 'Not', c.input('x')),
  IsNan: (c) => unary(c.builder, 'IsNaN', c.input('x'), {}, 'bool'),
  Cast: (c) => {
    const [b, x, type] = [c.builder, c.input('x'), c.type('dtype')];
    if (type !== 'bool') return cast(b, x, type);
    return x.type === 'bool' ? x : unary(b, 'Not', compare(b, 'Equal', x, zero(b, x)));
  },
  Square: (c) => binary(c.builder, 'Mul', c.input('x'), c.input('x')),
  Rsqrt: (c) => unary(c.builder, 'Reciprocal', unary(c.builder, 'Sqrt', c.input('x'))),
  Log1p: log1p,
  Expm1: expm1,
  Step: step,
  Relu6: (c) => activation(c.builder, 'relu6', c.input('x'), 0)!,
  LeakyRelu: (c) => activation(c.builder, 'leakyrelu', c.input('x'), c.number('alpha'))!,
  Prelu: (c) => leaky(c.builder, c.input('x'), c.input('alpha')),
  EluGrad: (c) => {
    const [b, dy, y] = [c.builder, c.input('dy'), c.input('y')];
    const below = binary(b, 'Mul', dy, binary(b, 'Add', y, one(b, y)));
    return where(b, compare(b, 'GreaterOrEqual', y, zero(b, y)), dy, below);
  },
  ClipByValue: (c) => {
    const [b, x] = [c.builder, c.input('x')];
    const above = binary(b, 'Max', x, b.scalar(x.type, c.number('clipValueMin')));
    return binary(b, 'Min', above, b.scalar(x.type, c.number('clipValueMax')));
  },
  Select: (c) => where(c.builder, c.input('condition'), c.input('t'), c.input('e')),
};
