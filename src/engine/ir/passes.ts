import type { Graph } from './graph.js';
import { rewrite, withoutDeadNodes } from './rewrite.js';

/** The graph made smaller and faster without changing what it computes (beyond rounding). */
export function optimise(graph: Graph): Graph {
  return withoutDeadNodes(rewrite(graph));
}
