import { type Graph, GraphBuilder, type Value } from './graph.js';
import { concat, reshape, split } from './operations.js';
import { replay } from './rewrite.js';

/** How a graph's entries take part in unrolling. */
export interface UnrollRoles {
  /** For a state input its next-state output's name; undefined for an input given anew with each step. */
  nextOf(inputName: string): string | undefined;
}

/** A graph of `steps` steps in a row: state goes in and out once, inputs and outputs get a leading axis `steps`. */
export function unroll(graph: Graph, steps: number, roles: UnrollRoles): Graph {
  if (steps === 1) return graph;
  const builder = new GraphBuilder({ share: true });
  const state = new Map<string, Value>();
  const parts = new Map<Value, readonly Value[]>();
  for (const input of graph.inputs) {
    if (input.origin.kind !== 'input') continue;
    const next = roles.nextOf(input.origin.name);
    if (next !== undefined) {
      state.set(next, builder.input(input.origin.name, input));
      continue;
    }
    const whole = builder.input(input.origin.name, { type: input.type, shape: [steps, ...input.shape] });
    const pieces = split(builder, whole, Array<number>(steps).fill(1), 0);
    parts.set(
      input,
      pieces.map((piece) => reshape(builder, piece, input.shape)),
    );
  }
  const collected = new Map<string, Value[]>();
  for (let k = 0; k < steps; k++) {
    const map = new Map<Value, Value>();
    for (const input of graph.inputs) {
      const next = input.origin.kind === 'input' ? roles.nextOf(input.origin.name) : undefined;
      map.set(input, next === undefined ? parts.get(input)![k]! : state.get(next)!);
    }
    replay(graph, builder, map);
    const results = graph.outputs.map(({ name, value }) => ({ name, value: map.get(value)! }));
    for (const { name, value } of results) {
      if (state.has(name)) state.set(name, value);
      else collected.set(name, [...(collected.get(name) ?? []), reshape(builder, value, [1, ...value.shape])]);
    }
  }
  const outputs = graph.outputs.map(({ name }) => ({
    name,
    value: state.get(name) ?? concat(builder, collected.get(name)!, 0),
  }));
  return { name: graph.name, inputs: builder.inputs, nodes: builder.nodes, outputs };
}
