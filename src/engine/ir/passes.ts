import { withBiases, withBiasGradients } from './biases.js';
import { foldConstants } from './fold.js';
import type { Graph } from './graph.js';
import { concatOnce, factorOut, keepTogether, mergeFactors, negateOnce, reshapeLate, sumTogether } from './launches.js';
import { layerNormalisation } from './layer-normalisation.js';
import { withLiveRows } from './live-rows.js';
import {
  clampOnce,
  dropBatchTiles,
  dropEmptySums,
  dropNeutralOperands,
  foldTransposes,
  gatedSums,
  joinMoves,
  spreadLate,
  stepFromOutput,
  sumOfPads,
  sumsOfRows,
  thinProducts,
} from './peepholes.js';
import { type Rule, rewrite, withoutDeadNodes } from './rewrite.js';
import { dropUnitAxes } from './unit-axes.js';

/** Every rewriting rule by name, in the order in which they are tried on a node; the first that applies is taken. */
export const rules: Readonly<Record<string, Rule>> = {
  foldConstants,
  layerNormalisation,
  joinMoves,
  dropNeutralOperands,
  spreadLate,
  dropEmptySums,
  stepFromOutput,
  foldTransposes,
  dropBatchTiles,
  sumOfPads,
  thinProducts,
  clampOnce,
  dropUnitAxes,
};

/** Rules that leave fewer operations, which are tried after the others. */
export const launchRules: Readonly<Record<string, Rule>> = {
  mergeFactors,
  negateOnce,
  factorOut,
  sumTogether,
  reshapeLate,
  concatOnce,
  keepTogether,
};

const anyOf =
  (tried: readonly Rule[]): Rule =>
  (builder, node, before) => {
    for (const rule of tried) {
      const made = rule(builder, node, before);
      if (made !== undefined) return made;
    }
    return undefined;
  };

export interface OptimiseOptions {
  /**
   * `cpu`, the default: a product may have as many rows as the data need, which is less work, and what onnxruntime's
   * CPU kernels are slow at is written in other ways. `gpu`: every shape is known beforehand.
   */
  readonly target?: 'cpu' | 'gpu';
}

/** The graph after rounds of `rule`, until one changes nothing: rules feed each other, and a few rounds are enough. */
function settled(graph: Graph, rule: Rule): Graph {
  let current = graph;
  for (let round = 0; round < 4; round++) {
    const next = withoutDeadNodes(rewrite(current, rule));
    const done = next.nodes.length === current.nodes.length && round > 0;
    current = next;
    if (done) break;
  }
  return current;
}

/** The graph made smaller and faster without changing what it computes (beyond rounding). */
export function optimise(graph: Graph, { target = 'cpu' }: OptimiseOptions = {}): Graph {
  const anyRule = anyOf([...Object.values(rules), ...Object.values(launchRules)]);
  const current = settled(withoutDeadNodes(rewrite(graph)), anyRule);
  const biased = withBiasGradients(withBiases(current));
  if (target === 'gpu') return settled(biased, anyRule);
  const fitted = withLiveRows(biased);
  // What onnxruntime joins itself gets another place in its order, which decides what is still in the caches.
  return withoutDeadNodes(rewrite(rewrite(fitted, anyOf([sumsOfRows, gatedSums])), joinMoves));
}
