import { IqLearnError } from '../common/index.js';
import { sizeOf } from './ir/graph.js';
import { readModel } from './onnx/read.js';
import { dataType, type GraphProto, type NodeProto, type ValueInfoProto } from './onnx/schema.js';

/** A tensor of a model, with its element type by ONNX's name; unknown or symbolic sizes are -1. */
export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface NodeSummary {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A matrix product of `stack` pairs: [rows, inner] · [inner, columns]. */
export interface ProductSummary {
  readonly name: string;
  readonly stack: number;
  /** A symbol where the number is known at run time only (`rows0_of_512`: at most 512). */
  readonly rows: number | string;
  readonly inner: number;
  readonly columns: number;
}

export interface ModelSummary {
  readonly name: string;
  readonly producer: string;
  readonly opset: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly TensorSummary[];
  readonly outputs: readonly TensorSummary[];
  readonly initializers: readonly TensorSummary[];
  readonly nodes: readonly NodeSummary[];
  /** How many nodes of each operator, most first. */
  readonly operators: Readonly<Record<string, number>>;
  /** Numbers in float32 initializers. */
  readonly parameters: number;
  readonly products: readonly ProductSummary[];
  /**
   * Additions and multiplications of one run: 2·m·n·k for a matrix product, one for each element otherwise. Rows whose
   * number is known at run time only are not counted.
   */
  readonly flops: number;
  readonly bytes: number;
}

const typeNames = new Map<number | undefined, string>(Object.entries(dataType).map(([name, id]) => [id, name]));

/** Operators that move or rename data. */
const free = new Set(
  'Identity Reshape Transpose Concat Split Slice Expand Tile Pad Gather Cast Squeeze Unsqueeze Constant Shape'.split(
    ' ',
  ),
);

const summary = ({ name, type }: ValueInfoProto): TensorSummary => ({
  name,
  dtype: typeNames.get(type?.tensorType?.elemType) ?? `type ${type?.tensorType?.elemType}`,
  shape: (type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => dimValue ?? -1),
});

/** Sizes, and symbols in the place of sizes known at run time only. */
type Dimensions = readonly (number | string)[];

const sizeOfKnown = (shape: Dimensions): number =>
  shape.reduce<number>((product, n) => (typeof n === 'number' ? product * n : 0), 1);

const isProduct = ({ opType }: NodeProto): boolean => /^(Fused)?MatMul$|^Gemm$/.test(opType);

/** Of a product: its output's shape and the length of its sums. */
function productOf(node: NodeProto, shapes: ReadonlyMap<string, Dimensions>): { shape: Dimensions; inner: number } {
  const first = shapes.get(node.input[0] ?? '') ?? [];
  const turned = node.attribute?.some(({ name, i }) => name === 'transA' && i === 1) ?? false;
  const inner = first.at(turned ? -2 : -1) ?? 1;
  return { shape: shapes.get(node.output[0] ?? '') ?? [], inner: typeof inner === 'number' ? inner : 0 };
}

function productSummary(node: NodeProto, shapes: ReadonlyMap<string, Dimensions>): ProductSummary {
  const { shape, inner } = productOf(node, shapes);
  const columns = shape.at(-1) ?? 1;
  return {
    name: node.name,
    stack: sizeOfKnown(shape.slice(0, -2)),
    rows: shape.at(-2) ?? 1,
    inner,
    columns: typeof columns === 'number' ? columns : 0,
  };
}

function flopsOf(node: NodeProto, shapes: ReadonlyMap<string, Dimensions>): number {
  if (free.has(node.opType)) return 0;
  if (isProduct(node)) {
    const { shape, inner } = productOf(node, shapes);
    return 2 * sizeOfKnown(shape) * inner;
  }
  const measured = node.opType.startsWith('Reduce') ? node.input[0] : node.output[0];
  return sizeOfKnown(shapes.get(measured ?? '') ?? []);
}

const dimensions = ({ type }: ValueInfoProto): Dimensions =>
  (type?.tensorType?.shape?.dim ?? []).map(({ dimValue, dimParam }) => dimValue ?? dimParam ?? '?');

function shapesOf(graph: GraphProto): Map<string, Dimensions> {
  const infos = [...graph.input, ...graph.output, ...graph.valueInfo];
  return new Map<string, Dimensions>([
    ...infos.map((info) => [info.name, dimensions(info)] as const),
    ...graph.initializer.map(({ name, dims }) => [name, dims] as const),
  ]);
}

/** What is in an ONNX file. Throws CORRUPT_DATA if the bytes are not an ONNX model. */
export function inspectModel(bytes: Uint8Array): ModelSummary {
  const model = readModel(bytes);
  const { graph } = model;
  const standard = model.opsetImport.find(({ domain }) => (domain ?? '') === '');
  if (standard === undefined)
    throw new IqLearnError('CORRUPT_DATA', 'the model names no version of the standard operators', {
      found: model.opsetImport.map(({ domain }) => domain).join() || 'none',
    });
  const shapes = shapesOf(graph);
  const counts = new Map<string, number>();
  for (const { opType } of graph.node) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  const initial = new Set(graph.initializer.map(({ name }) => name));
  const initializers = graph.initializer.map(({ name, dims, dataType: type }) => ({
    name,
    dtype: typeNames.get(type) ?? `type ${type}`,
    shape: dims,
  }));
  return {
    name: graph.name,
    producer: model.producerName ?? '',
    opset: standard.version,
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
    inputs: graph.input.filter(({ name }) => !initial.has(name)).map(summary),
    outputs: graph.output.map(summary),
    initializers,
    nodes: graph.node.map(({ name, opType, input, output }) => ({ name, op: opType, inputs: input, outputs: output })),
    operators: Object.fromEntries([...counts].sort(([, p], [, q]) => q - p)),
    parameters: initializers.reduce((sum, { dtype, shape }) => sum + (dtype === 'float32' ? sizeOf(shape) : 0), 0),
    products: graph.node.filter(isProduct).map((node) => productSummary(node, shapes)),
    flops: graph.node.reduce((sum, node) => sum + flopsOf(node, shapes), 0),
    bytes: bytes.length,
  };
}
