import { withBiases, withBiasGradients } from './biases.js';
import { foldConstants } from './fold.js';
import type { Graph } from './graph.js';
import { withLiveRows } from './live-rows.js';
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

const anyRule: Rule = (builder, node, before) => {
  for (const rule of Object.values(rules)) {
    const made = rule(builder, node, before);
    if (made !== undefined) return made;
  }
  return undefined;
};

export interface OptimiseOptions {
  /** Whether the number of rows in a product may depend on data: less work, but not for CUDA graphs. By default yes. */
  readonly dynamicRows?: boolean;
}

/** The graph made smaller and faster without changing what it computes (beyond rounding). */
export function optimise(graph: Graph, { dynamicRows = true }: OptimiseOptions = {}): Graph {
  let current = withoutDeadNodes(rewrite(graph));
  // Rules feed each other; a few rounds reach a graph that no rule changes.
  for (let round = 0; round < 4; round++) {
    const next = withoutDeadNodes(rewrite(current, anyRule));
    const settled = next.nodes.length === current.nodes.length && round > 0;
    current = next;
    if (settled) break;
  }
  const biased = withBiasGradients(withBiases(current));
  const fitted = dynamicRows ? withLiveRows(biased) : biased;
  // What onnxruntime joins itself gets another place in its order, which decides what is still in the caches.
  return withoutDeadNodes(rewrite(fitted, joinMoves));
}
