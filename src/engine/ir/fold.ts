import { constantData, type IrData, type IrNode, sizeOf, typedArray, type Value } from './graph.js';
import type { Rule } from './rewrite.js';

/** Results above this size are left to onnxruntime, so that a file does not grow by what it can compute. */
const largestResult = 1 << 22;

const unaryFunctions: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Abs: Math.abs,
  Exp: Math.exp,
  Log: Math.log,
  Sqrt: Math.sqrt,
  Tanh: Math.tanh,
  Reciprocal: (x) => 1 / x,
  Not: (x) => (x === 0 ? 1 : 0),
};

const binaryFunctions: Readonly<Record<string, (x: number, y: number) => number>> = {
  Add: (x, y) => x + y,
  Sub: (x, y) => x - y,
  Mul: (x, y) => x * y,
  Div: (x, y) => x / y,
  Max: Math.max,
  Min: Math.min,
  Pow: (x, y) => x ** y,
};

const stridesOf = (shape: readonly number[]): number[] => {
  const strides = Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
};

/** Calls `visit(flat index in the result, flat index in the source)` for strides of the source along each axis. */
function walk(
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  visit: (to: number, from: number) => void,
): void {
  const index = Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  let from = offset;
  for (let to = 0; to < size; to++) {
    visit(to, from);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis] = index[axis]! + 1;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** Strides that read a value of `shape` as if it had the broadcast shape `to`. */
const broadcastStrides = (shape: readonly number[], to: readonly number[]): number[] => {
  const strides = stridesOf(shape);
  const lead = to.length - shape.length;
  return to.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]!));
};

function elementwise(node: IrNode, data: readonly IrData[]): IrData | undefined {
  const [output] = node.outputs as readonly [Value];
  // Integer division and the like follow other rules; only float32 and logic are computed here.
  if (node.inputs.some(({ type }) => type === 'int32')) return undefined;
  const result = typedArray(output.type, sizeOf(output.shape));
  const [one, two] = [unaryFunctions[node.op], binaryFunctions[node.op]];
  if (one !== undefined) {
    for (let i = 0; i < result.length; i++) result[i] = one(data[0]![i]!);
    return result;
  }
  if (two === undefined) return undefined;
  const [x, y] = data as [IrData, IrData];
  const other = new Int32Array(result.length);
  walk(output.shape, broadcastStrides(node.inputs[1]!.shape, output.shape), 0, (to, from) => {
    other[to] = from;
  });
  walk(output.shape, broadcastStrides(node.inputs[0]!.shape, output.shape), 0, (to, from) => {
    result[to] = two(x[from]!, y[other[to]!]!);
  });
  return result;
}

function moved(node: IrNode, data: readonly IrData[]): readonly IrData[] | undefined {
  const [x] = node.inputs as readonly [Value];
  const [source] = data as readonly [IrData];
  const picked = (output: Value, strides: readonly number[], offset = 0): IrData => {
    const result = typedArray(output.type, sizeOf(output.shape));
    walk(output.shape, strides, offset, (to, from) => {
      result[to] = source[from]!;
    });
    return result;
  };
  const [output] = node.outputs as readonly [Value];
  const strides = stridesOf(x.shape);
  if (node.op === 'Reshape' || node.op === 'Identity') return [source];
  if (node.op === 'Cast') return [typedArray(output.type, source.length).map((_, i) => Math.trunc(source[i]!))];
  if (node.op === 'Expand') return [picked(output, broadcastStrides(x.shape, output.shape))];
  if (node.op === 'Transpose')
    return [
      picked(
        output,
        (node.attributes.perm as number[]).map((p) => strides[p]!),
      ),
    ];
  if (node.op === 'Slice') {
    const [starts, steps] = [node.attributes.starts as number[], node.attributes.steps as number[]];
    const offset = starts.reduce((sum, start, i) => sum + start * strides[i]!, 0);
    return [
      picked(
        output,
        strides.map((stride, i) => stride * steps[i]!),
        offset,
      ),
    ]; // prettier-ignore
  }
  if (node.op === 'Split') {
    const axis = Number(node.attributes.axis);
    let start = 0;
    return node.outputs.map((part) => {
      const offset = start * strides[axis]!;
      start += part.shape[axis]!;
      return picked(part, strides, offset);
    });
  }
  return undefined;
}

/** Computes what depends on constants alone (elementwise float32, and what only moves or renames data). */
export const foldConstants: Rule = (builder, node) => {
  if (node.inputs.length === 0 || !node.inputs.every(({ origin }) => origin.kind === 'constant')) return undefined;
  if (node.outputs.some(({ shape }) => sizeOf(shape) > largestResult)) return undefined;
  if (node.op === 'Cast' && node.inputs[0]!.type === 'float32' && node.outputs[0]!.type === 'bool') return undefined;
  const truncates = node.op === 'Cast' && node.outputs[0]!.type === 'int32';
  const floats = node.op === 'Cast' && node.outputs[0]!.type === 'float32';
  if (node.op === 'Cast' && !truncates && !floats) return undefined;
  const data = node.inputs.map((value) => constantData(value)!);
  const single = elementwise(node, data);
  const results = single === undefined ? moved(node, data) : [single];
  return results?.map((result, i) => builder.constant(node.outputs[i]!, result));
};
