import { foldConstants } from './fold.js';
import { type Graph, producer, type Value } from './graph.js';
import { matMul } from './operations.js';
import {
  dropBatchTiles,
  dropEmptySums,
  dropNeutralOperands,
  foldTransposes,
  joinMoves,
  spreadLate,
  stepFromOutput,
  sumOfPads,
  thinProducts,
} from './peepholes.js';
import { type Rule, rewrite, withoutDeadNodes } from './rewrite.js';

/** Every rewriting rule by name, in the order in which they are tried on a node; the first that applies is taken. */
export const rules: Readonly<Record<string, Rule>> = {
  foldConstants,
  joinMoves,
  dropNeutralOperands,
  spreadLate,
  dropEmptySums,
  stepFromOutput,
  foldTransposes,
  dropBatchTiles,
  sumOfPads,
  thinProducts,
};

const anyRule: Rule = (builder, node) => {
  for (const rule of Object.values(rules)) {
    const made = rule(builder, node);
    if (made !== undefined) return made;
  }
  return undefined;
};

/** A bias of one row into the product it is added to, where nothing else reads the product (two axes only). */
export function withBiases(graph: Graph): Graph {
  const uses = new Map<Value, number>();
  const use = (value: Value): void => void uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(use);
  for (const { value } of graph.outputs) use(value);
  const single = new Set(
    graph.nodes
      .filter((node) => node.op === 'MatMul' && uses.get(node.outputs[0]!) === 1)
      .map((node) => node.outputs[0]!),
  );
  // Counted in the old graph, so looked up there: the rule sees new values in the same order.
  const candidates = graph.nodes.map(
    (node) => node.op === 'Add' && node.inputs.some((value) => single.has(value) && value.shape.length === 2),
  );
  let at = 0;
  return rewrite(graph, (builder, node) => {
    if (!candidates[at++]) return undefined;
    const [x, y] = node.inputs as readonly [Value, Value];
    const product = producer(x, 'MatMul') ?? producer(y, 'MatMul');
    if (product === undefined || product.inputs.length > 2) return undefined;
    const bias = product.outputs[0] === x ? y : x;
    const [, n] = product.outputs[0]!.shape as [number, number];
    const row =
      bias.shape.at(-1) === n && bias.shape.slice(0, -1).every((size) => size === 1) && bias.shape.length <= 2;
    if (!row || node.outputs[0]!.shape.length !== 2) return undefined;
    const transposes = { transA: product.attributes.transA === true, transB: product.attributes.transB === true };
    return matMul(builder, product.inputs[0]!, product.inputs[1]!, transposes, bias);
  });
}

/** The graph made smaller and faster without changing what it computes (beyond rounding). */
export function optimise(graph: Graph): Graph {
  let current = withoutDeadNodes(rewrite(graph));
  // Rules feed each other; a few rounds reach a graph that no rule changes.
  for (let round = 0; round < 4; round++) {
    const next = withoutDeadNodes(rewrite(current, anyRule));
    const settled = next.nodes.length === current.nodes.length && round > 0;
    current = next;
    if (settled) break;
  }
  return withoutDeadNodes(withBiases(current));
}
