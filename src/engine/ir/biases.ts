import { type Graph, type GraphBuilder, type IrNode, producer, sameShape, type Value } from './graph.js';
import { concat, matMul, reshape, split } from './operations.js';
import { rewrite } from './rewrite.js';

/** How often each value is read. */
function usesOf(graph: Graph): Map<Value, number> {
  const uses = new Map<Value, number>();
  const use = (value: Value): void => void uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(use);
  for (const { value } of graph.outputs) use(value);
  return uses;
}

/** The product and the bias of a sum, where nothing but the sum reads the product. */
function biased(node: IrNode, uses: ReadonlyMap<Value, number>): { product: IrNode; bias: Value } | undefined {
  const [x, y] = node.inputs as readonly [Value, Value];
  if (node.op !== 'Add') return undefined;
  const product = producer(x, 'MatMul') ?? producer(y, 'MatMul');
  if (product === undefined || product.inputs.length > 2) return undefined;
  const [value] = product.outputs as readonly [Value];
  if (uses.get(value) !== 1 || !sameShape(value.shape, node.outputs[0]!.shape)) return undefined;
  return { product, bias: value === x ? y : x };
}

const transposesOf = ({ attributes }: IrNode): { transA: boolean; transB: boolean } => ({
  transA: attributes.transA === true,
  transB: attributes.transB === true,
});

/** Inputs up to this many get their bias as one more row of weights: no second pass over a result that is far larger. */
const THIN = 32;

/** x with a column of ones behind the last; concatenations are extended rather than made twice. */
function withOnes(builder: GraphBuilder, x: Value): Value {
  const ones = (value: Value): Value => builder.scalar(x.type, 1, [...value.shape.slice(0, -1), 1]);
  const shaped = producer(x, 'Reshape')?.inputs[0];
  const source = shaped?.shape.at(-1) === x.shape.at(-1) ? shaped! : x;
  const last = source.shape.length - 1;
  const joined = producer(source, 'Concat');
  const parts = joined?.attributes.axis === last ? joined.inputs : [source];
  const wide = concat(builder, [...parts, ones(source)], last);
  return reshape(builder, wide, [...x.shape.slice(0, -1), wide.shape[last]!]);
}

/** [x, 1]·[W; b] for x·W + b of stacked thin layers. */
function augmented(builder: GraphBuilder, [x, w]: readonly [Value, Value], bias: Value): Value | undefined {
  const rank = w.shape.length;
  const [inner, n] = w.shape.slice(-2) as [number, number];
  const row = [...w.shape.slice(0, -2), 1, n];
  if (inner > THIN || x.shape.length !== rank || !sameShape(bias.shape, row)) return undefined;
  return matMul(builder, withOnes(builder, x), concat(builder, [w, bias], rank - 2), NONE);
}

const NONE = { transA: false, transB: false };

/**
 * Biases within products: with two axes as the bias of ONNX's Gemm (which has no more), in stacks as one more row of
 * the weights where the layer is thin.
 */
export function withBiases(graph: Graph): Graph {
  const uses = usesOf(graph);
  return rewrite(graph, (builder, _, { node, moved }) => {
    const found = biased(node, uses);
    if (found === undefined) return undefined;
    const { product, bias } = found;
    const transposes = transposesOf(product);
    const [a, b] = product.inputs.map(moved) as [Value, Value];
    if (node.outputs[0]!.shape.length !== 2)
      return transposes.transA || transposes.transB ? undefined : augmented(builder, [a, b], moved(bias));
    const n = node.outputs[0]!.shape[1]!;
    const isRow =
      bias.shape.length <= 2 && bias.shape.at(-1) === n && bias.shape.slice(0, -1).every((size) => size === 1);
    return isRow ? matMul(builder, a, b, transposes, moved(bias)) : undefined;
  });
}

/**
 * The gradients of a thin layer's weights and biases in one product: xᵀ·d and the sum of d's rows are [x, 1]ᵀ·d.
 */
export function withBiasGradients(graph: Graph): Graph {
  const positions = new Map<Value, number>();
  graph.nodes.forEach((node, i) => {
    for (const value of node.outputs) positions.set(value, i);
  });
  const products = new Map<Value, IrNode>();
  const sums = new Map<Value, IrNode>();
  for (const node of graph.nodes) {
    const [x, d] = node.inputs as readonly [Value, Value];
    const turned = node.attributes.transA === true && node.attributes.transB === false;
    const rank = node.outputs[0]!.shape.length;
    if (
      node.op === 'MatMul' &&
      node.inputs.length === 2 &&
      turned &&
      x.shape.length === rank &&
      x.shape.at(-1)! <= THIN
    )
      products.set(d, node);
    const axes = node.attributes.axes as readonly number[] | undefined;
    if (node.op === 'ReduceSum' && axes?.length === 1 && axes[0] === x.shape.length - 2) sums.set(x, node);
  }
  const made = (builder: GraphBuilder, d: Value, moved: (value: Value) => Value): readonly Value[] | undefined => {
    const [product, sum] = [products.get(d), sums.get(d)];
    if (product === undefined || sum === undefined) return undefined;
    const [x] = product.inputs as readonly [Value];
    // x must be there when the first of the two is made.
    const first = Math.min(positions.get(product.outputs[0]!)!, positions.get(sum.outputs[0]!)!);
    if ((positions.get(x) ?? -1) >= first) return undefined;
    const rank = x.shape.length;
    const both = matMul(builder, withOnes(builder, moved(x)), moved(d), { transA: true, transB: false });
    return split(builder, both, [both.shape[rank - 2]! - 1, 1], rank - 2);
  };
  return rewrite(graph, (builder, _, { node, moved }) => {
    if (node.op === 'MatMul' && products.get(node.inputs[1]!) === node)
      return made(builder, node.inputs[1]!, moved)?.[0];
    if (node.op !== 'ReduceSum' || sums.get(node.inputs[0]!) !== node) return undefined;
    const row = made(builder, node.inputs[0]!, moved)?.[1];
    return row === undefined ? undefined : reshape(builder, row, node.outputs[0]!.shape);
  });
}
