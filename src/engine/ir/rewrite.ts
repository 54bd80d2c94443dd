import { type Graph, GraphBuilder, type IrNode, type Value } from './graph.js';

/** The graph that a rule rewrites: the node as it was, and what already stands for its values in the new one. */
export interface Before {
  readonly node: IrNode;
  moved(value: Value): Value;
}

/** What a node becomes in the new graph, given its new inputs; undefined leaves it as it is. */
export type Rule = (builder: GraphBuilder, node: IrNode, before: Before) => readonly Value[] | Value | undefined;

/** Copies constants and nodes of `graph` into `builder`; `map` gives what already stands for a value. */
export function replay(graph: Graph, builder: GraphBuilder, map: Map<Value, Value>, rule?: Rule): void {
  const moved = (value: Value): Value => {
    let to = map.get(value);
    if (to === undefined) {
      if (value.origin.kind !== 'constant') throw new Error(`value ${value.id} of ${graph.name} is not defined`);
      to = builder.constant(value, value.origin.data);
      map.set(value, to);
    }
    return to;
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(moved);
    const made =
      rule?.(builder, { ...node, inputs }, { node, moved }) ??
      builder.nodeOutputs(node.op, inputs, node.outputs, node.attributes);
    const values = 'id' in made ? [made] : made;
    node.outputs.forEach((output, i) => {
      map.set(output, values[i]!);
    });
  }
  for (const { value } of graph.outputs) moved(value);
}

/** A graph with every node passed through `rule`. With `share`, common subexpressions become one. */
export function rewrite(graph: Graph, rule?: Rule, options: { readonly share: boolean } = { share: true }): Graph {
  const builder = new GraphBuilder(options);
  const map = new Map<Value, Value>();
  for (const input of graph.inputs)
    map.set(input, builder.input(input.origin.kind === 'input' ? input.origin.name : '', input));
  replay(graph, builder, map, rule);
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: map.get(value)! }));
  return { name: graph.name, inputs: builder.inputs, nodes: builder.nodes, outputs };
}

/** Without the nodes that no output needs. */
export function withoutDeadNodes(graph: Graph): Graph {
  const needed = new Set<Value>(graph.outputs.map(({ value }) => value));
  const nodes = graph.nodes.toReversed().filter((node) => {
    const used = node.outputs.some((value) => needed.has(value));
    if (used) for (const value of node.inputs) needed.add(value);
    return used;
  });
  return { ...graph, nodes: nodes.toReversed() };
}
