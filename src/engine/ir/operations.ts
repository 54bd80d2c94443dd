import { type Attributes, type GraphBuilder, type IrType, sameShape, type Value } from './graph.js';

/** The shape of an elementwise result (numpy's rule). The caller has already checked that one exists. */
export function broadcastShape(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((shape) => shape[shape.length - rank + i] ?? 1);
    return sizes.find((n) => n !== 1) ?? 1;
  });
}

export function unary(
  b: GraphBuilder,
  op: string,
  x: Value,
  attributes: Attributes = {},
  type: IrType = x.type,
): Value {
  return b.node(op, [x], { type, shape: x.shape }, attributes);
}

/** An arithmetic operation of two values of one type, broadcast. */
export function binary(b: GraphBuilder, op: string, x: Value, y: Value, type: IrType = x.type): Value {
  return b.node(op, [x, y], { type, shape: broadcastShape(x.shape, y.shape) });
}

export function compare(b: GraphBuilder, op: string, x: Value, y: Value): Value {
  return binary(b, op, x, y, 'bool');
}

export function where(b: GraphBuilder, condition: Value, x: Value, y: Value): Value {
  const shape = broadcastShape(condition.shape, x.shape, y.shape);
  return b.node('Where', [condition, x, y], { type: x.type, shape });
}

export function cast(b: GraphBuilder, x: Value, type: IrType): Value {
  return x.type === type ? x : b.node('Cast', [x], { type, shape: x.shape });
}

export function reshape(b: GraphBuilder, x: Value, shape: readonly number[]): Value {
  return sameShape(x.shape, shape) ? x : b.node('Reshape', [x], { type: x.type, shape });
}

export function expand(b: GraphBuilder, x: Value, shape: readonly number[]): Value {
  return sameShape(x.shape, shape) ? x : b.node('Expand', [x], { type: x.type, shape });
}

export function transpose(b: GraphBuilder, x: Value, perm: readonly number[]): Value {
  if (perm.every((p, i) => p === i)) return x;
  return b.node('Transpose', [x], { type: x.type, shape: perm.map((p) => x.shape[p] ?? 1) }, { perm });
}

/** ReduceSum, ReduceMean, ReduceMax, ReduceMin or ReduceProd over `axes` (non-negative). */
export function reduce(b: GraphBuilder, op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  if (axes.length === 0) return x;
  const shape = x.shape.flatMap((n, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [n]));
  return b.node(op, [x], { type: x.type, shape }, { axes: [...axes].sort((p, q) => p - q), keepDims });
}

export function concat(b: GraphBuilder, values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (first === undefined || values.length === 1) return first!;
  const total = values.reduce((sum, value) => sum + (value.shape[axis] ?? 1), 0);
  return b.node('Concat', values, { type: first.type, shape: first.shape.with(axis, total) }, { axis });
}

export function split(b: GraphBuilder, x: Value, sizes: readonly number[], axis: number): readonly Value[] {
  if (sizes.length === 1) return [x];
  const forms = sizes.map((size) => ({ type: x.type, shape: x.shape.with(axis, size) }));
  return b.nodeOutputs('Split', [x], forms, { axis, sizes });
}

/** x[start : start + step·size : step] on every axis; `steps` may be negative, `starts` is then counted from 0. */
export function slice(
  b: GraphBuilder,
  x: Value,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[] = starts.map(() => 1),
): Value {
  if (sameShape(x.shape, sizes) && steps.every((s) => s === 1)) return x;
  return b.node('Slice', [x], { type: x.type, shape: sizes }, { starts, steps });
}

/** a·b over the last two axes with numpy's broadcasting of the others, plus `bias` where given (broadcast). */
export function matMul(
  builder: GraphBuilder,
  a: Value,
  b: Value,
  transposes: { readonly transA: boolean; readonly transB: boolean },
  bias?: Value,
): Value {
  const [m, n] = [a.shape.at(transposes.transA ? -1 : -2) ?? 1, b.shape.at(transposes.transB ? -2 : -1) ?? 1];
  const shape = [...broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n];
  return builder.node('MatMul', bias === undefined ? [a, b] : [a, b, bias], { type: a.type, shape }, { ...transposes });
}
