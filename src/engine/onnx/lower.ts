import { type Attributes, type IrNode, type IrType, typedArray, type Value } from '../ir/graph.js';
import { type AttributeProto, attributeType, dataType } from './schema.js';

/** What lowering writes into: the ONNX graph being made. */
export interface Target {
  /** Standard ONNX operators only, for files that other runtimes read. */
  readonly portable: boolean;
  name(value: Value): string;
  /** A name for something between two ONNX nodes. */
  fresh(): string;
  /** The name of an int64 initializer. */
  int64(values: readonly number[], scalar?: boolean): string;
  /** The name of a scalar initializer. */
  scalar(type: IrType, value: number): string;
  emit(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: readonly AttributeProto[],
    domain?: string,
  ): void;
}

const int = (name: string, i: number): AttributeProto => ({ name, type: attributeType.int, i });
const ints = (name: string, values: readonly number[]): AttributeProto => ({
  name,
  type: attributeType.ints,
  ints: [...values],
});
const float = (name: string, f: number): AttributeProto => ({ name, type: attributeType.float, f });
const reduction = (how: string): AttributeProto => ({
  name: 'reduction',
  type: attributeType.string,
  s: new TextEncoder().encode(how),
});
const list = (attributes: Attributes, key: string): readonly number[] => attributes[key] as readonly number[];

/** Swaps the last two axes. */
const swapped = (rank: number): number[] =>
  Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : i === rank - 2 ? rank - 1 : rank - 2));

function lowerMatMul(node: IrNode, t: Target): void {
  const [a, b, bias] = node.inputs as readonly [Value, Value, Value?];
  const { transA, transB } = node.attributes;
  const [out] = node.outputs.map((value) => t.name(value)) as [string];
  if (a.shape.length === 2 && b.shape.length === 2) {
    const attributes = [...(transA ? [int('transA', 1)] : []), ...(transB ? [int('transB', 1)] : [])];
    t.emit('Gemm', [t.name(a), t.name(b), ...(bias ? [t.name(bias)] : [])], [out], attributes);
    return;
  }
  const product = bias ? t.fresh() : out;
  if (!t.portable && (transA || transB)) {
    const attributes = [int('transA', transA ? 1 : 0), int('transB', transB ? 1 : 0)];
    t.emit('FusedMatMul', [t.name(a), t.name(b)], [product], attributes, 'com.microsoft');
  } else {
    const turned = (value: Value, turn: boolean): string => {
      if (!turn) return t.name(value);
      const name = t.fresh();
      t.emit('Transpose', [t.name(value)], [name], [ints('perm', swapped(value.shape.length))]);
      return name;
    };
    t.emit('MatMul', [turned(a, transA === true), turned(b, transB === true)], [product]);
  }
  if (bias) t.emit('Add', [product, t.name(bias)], [out]);
}

type Lowering = (node: IrNode, t: Target, inputs: readonly string[], outputs: readonly string[]) => void;

const direct =
  (op: string, ...keys: readonly string[]): Lowering =>
  (node, t, inputs, outputs) => {
    const attributes = keys.map((key) => int(key, Number(node.attributes[key])));
    t.emit(op, inputs, outputs, attributes);
  };

const reduceLike: Lowering = (node, t, inputs, outputs) => {
  const axes = t.int64(list(node.attributes, 'axes'));
  t.emit(node.op, [...inputs, axes], outputs, [int('keepdims', node.attributes.keepDims ? 1 : 0)]);
};

const argLike: Lowering = (node, t, inputs, outputs) => {
  const index = t.fresh();
  t.emit(node.op, inputs, [index], [int('axis', Number(node.attributes.axis)), int('keepdims', 0)]);
  t.emit('Cast', [index], outputs, [int('to', dataType.int32)]);
};

const outputShape: Lowering = (node, t, inputs, outputs) => {
  t.emit(node.op, [...inputs, t.int64(node.outputs[0]!.shape)], outputs);
};

const special: Readonly<Record<string, Lowering>> = {
  MatMul: (node, t) => lowerMatMul(node, t),
  // 1 for x > 0, else 0, in one pass: max(0, min(1, αx)) with α near the largest float.
  Step: (_node, t, inputs, outputs) => t.emit('HardSigmoid', inputs, outputs, [float('alpha', 3e38), float('beta', 0)]),
  Cast: (node, t, inputs, outputs) => t.emit('Cast', inputs, outputs, [int('to', dataType[node.outputs[0]!.type])]),
  Transpose: (node, t, inputs, outputs) =>
    t.emit('Transpose', inputs, outputs, [ints('perm', list(node.attributes, 'perm'))]),
  Reshape: outputShape,
  Expand: outputShape,
  Concat: direct('Concat', 'axis'),
  Gather: direct('Gather', 'axis'),
  Softmax: direct('Softmax', 'axis'),
  LayerNormalization: (node, t, inputs, outputs) =>
    t.emit('LayerNormalization', inputs, outputs, [int('axis', -1), float('epsilon', Number(node.attributes.epsilon))]),
  Clip: (node, t, inputs, outputs) => {
    const bounds = ['low', 'high'].map((key) => t.scalar('float32', Number(node.attributes[key])));
    t.emit('Clip', [...inputs, ...bounds], outputs);
  },
  ArgMax: argLike,
  ArgMin: argLike,
  ReduceSum: reduceLike,
  ReduceMean: reduceLike,
  ReduceMax: reduceLike,
  ReduceMin: reduceLike,
  ReduceProd: reduceLike,
  Split: (node, t, inputs, outputs) =>
    t.emit('Split', [...inputs, t.int64(list(node.attributes, 'sizes'))], outputs, [
      int('axis', Number(node.attributes.axis)),
    ]),
  Tile: (node, t, inputs, outputs) => t.emit('Tile', [...inputs, t.int64(list(node.attributes, 'repeats'))], outputs),
  Pad: (node, t, inputs, outputs) => {
    const value = t.scalar(node.outputs[0]!.type, Number(node.attributes.value));
    t.emit('Pad', [...inputs, t.int64(list(node.attributes, 'pads')), value], outputs);
  },
  Slice: (node, t, inputs, outputs) => {
    const [starts, steps] = [list(node.attributes, 'starts'), list(node.attributes, 'steps')];
    const ends = starts.map((start, i) => {
      const end = start + (steps[i] ?? 1) * (node.outputs[0]!.shape[i] ?? 1);
      return end < 0 ? -(2 ** 31) : end; // before the first element; −1 would mean the last
    });
    const axes = starts.map((_, i) => i);
    t.emit('Slice', [...inputs, t.int64(starts), t.int64(ends), t.int64(axes), t.int64(steps)], outputs);
  },
  // x + y·g with one number g a row.
  GatedAdd: (_node, t, [x = '', y = '', gate = ''], outputs) => {
    if (!t.portable) return t.emit('GatedAdd', [x, y, gate], outputs, [], 'com.microsoft');
    const product = t.fresh();
    t.emit('Mul', [y, gate], [product]);
    t.emit('Add', [x, product], outputs);
  },
  // The places of what is true in a vector, counted from `offset`: as many as there are.
  RowsWhere: (node, t, inputs, outputs) => {
    const [table, places] = [t.fresh(), t.fresh()];
    const offset = Number(node.attributes.offset);
    t.emit('NonZero', inputs, [table]);
    t.emit('Reshape', [table, t.int64([-1])], offset === 0 ? outputs : [places]);
    if (offset !== 0) t.emit('Add', [places, t.int64([offset])], outputs);
  },
  AddRows: (_node, t, [data = '', rows = '', updates = ''], outputs) => {
    const column = t.fresh();
    t.emit('Reshape', [rows, t.int64([-1, 1])], [column]);
    t.emit('ScatterND', [data, column, updates], outputs, [reduction('add')]);
  },
  // data[ids[i]] += updates[i] along the first axis; ids outside are refused by onnxruntime.
  ScatterSum: (node, t, [data = '', ids = '', updates = ''], outputs) => {
    const [wide, column] = [t.fresh(), t.fresh()];
    t.emit('Cast', [ids], [wide], [int('to', dataType.int64)]);
    t.emit('Reshape', [wide, t.int64([...node.inputs[1]!.shape, 1])], [column]);
    t.emit('ScatterND', [data, column, updates], outputs, [reduction('add')]);
  },
};

/** Writes one node of the graph as ONNX. Operations without an entry above have ONNX's name and meaning. */
export function lower(node: IrNode, t: Target): void {
  const [inputs, outputs] = [node.inputs.map((v) => t.name(v)), node.outputs.map((v) => t.name(v))];
  const how = special[node.op];
  if (how === undefined) t.emit(node.op, inputs, outputs);
  else how(node, t, inputs, outputs);
}

/** Little-endian bytes of a tensor's elements. */
export function rawBytes(data: {
  readonly buffer: ArrayBufferLike;
  byteOffset: number;
  byteLength: number;
}): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export const scalarBytes = (type: IrType, value: number): Uint8Array => rawBytes(typedArray(type, 1).fill(value));
