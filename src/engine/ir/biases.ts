import { type Graph, type IrNode, producer, sameShape, type Value } from './graph.js';
import { matMul } from './operations.js';
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

/** A bias of one row goes into the product it is added to (two axes only: ONNX's Gemm has no others). */
export function withBiases(graph: Graph): Graph {
  const uses = usesOf(graph);
  return rewrite(graph, (builder, _, { node, moved }) => {
    const found = biased(node, uses);
    if (found === undefined || node.outputs[0]!.shape.length !== 2) return undefined;
    const { product, bias } = found;
    const n = node.outputs[0]!.shape[1]!;
    const isRow =
      bias.shape.length <= 2 && bias.shape.at(-1) === n && bias.shape.slice(0, -1).every((size) => size === 1);
    if (!isRow) return undefined;
    const [a, b] = product.inputs.map(moved) as [Value, Value];
    return matMul(builder, a, b, transposesOf(product), moved(bias));
  });
}
