import { type Graph, GraphBuilder, type IrNode, sameShape, sizeOf, splatOf, type Value } from './graph.js';
import { replay } from './rewrite.js';

/** Operations that a kernel computes, each exactly rounded, so that a kernel gives the bits that onnxruntime gives. */
const exact = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sqrt', 'Neg']);
/** Vectors below this length are left to onnxruntime: what a pass over them costs is less than an end of a stage. */
const LONG = 16_384;
/** Kernels of fewer operations than this are left to onnxruntime. */
const FEWEST = 6;

/** A graph for onnxruntime; its inputs and outputs have names of places. */
export interface GraphStage {
  readonly kind: 'graph';
  readonly graph: Graph;
}

/** Elementwise operations on long vectors, which are computed in one pass over memory. */
export interface KernelStage {
  readonly kind: 'kernel';
  readonly nodes: readonly IrNode[];
  /** Names of places of the values that the nodes read and do not make, and of those that are read elsewhere. */
  readonly inputs: ReadonlyMap<Value, string>;
  readonly outputs: ReadonlyMap<Value, string>;
}

export type Stage = GraphStage | KernelStage;

/** What a program is done in, one stage after the other. */
export interface Stages {
  readonly stages: readonly Stage[];
  /** Values that one stage makes and another reads, by the name of their place; outputs of the program keep theirs. */
  readonly crossing: ReadonlyMap<string, Value>;
}

const isScalar = (value: Value): boolean => sizeOf(value.shape) === 1;

function fitsKernel({ op, inputs, outputs }: IrNode): boolean {
  const [output] = outputs;
  if (!exact.has(op) || output?.type !== 'float32' || output.shape.length !== 1 || sizeOf(output.shape) < LONG)
    return false;
  return inputs.every(
    (value) =>
      value.type === 'float32' &&
      (isScalar(value) || (sameShape(value.shape, output.shape) && value.origin.kind !== 'constant')) &&
      (value.origin.kind !== 'constant' || splatOf(value) !== undefined),
  );
}

const producerOf = ({ origin }: Value): IrNode | undefined => (origin.kind === 'node' ? origin.node : undefined);

/** For each node its stage: graphs have even numbers and kernels odd ones. Kernels take their nodes as late as they can. */
function schedule(graph: Graph, kernels: ReadonlySet<IrNode>): Map<IrNode, number> {
  const stages = new Map<IrNode, number>();
  for (const node of graph.nodes) {
    let stage = kernels.has(node) ? 1 : 0;
    for (const value of node.inputs) {
      const from = producerOf(value);
      if (from !== undefined)
        stage = Math.max(stage, stages.get(from)! + (kernels.has(from) === kernels.has(node) ? 0 : 1));
    }
    stages.set(node, stage);
  }
  const kept = new Set(graph.outputs.map(({ value }) => value));
  const latest = new Map<IrNode, number>();
  for (const node of graph.nodes.toReversed()) {
    const limit = latest.get(node);
    if (kernels.has(node) && limit !== undefined && !node.outputs.some((value) => kept.has(value)))
      stages.set(node, limit);
    for (const value of node.inputs) {
      const from = producerOf(value);
      if (from === undefined) continue;
      const last = stages.get(node)! - (kernels.has(node) ? 0 : 1);
      latest.set(from, Math.min(latest.get(from) ?? last, last));
    }
  }
  return stages;
}

/** The nodes that kernels compute, with the stage of every node. */
function assigned(graph: Graph): Map<IrNode, number> {
  let kernels = new Set(graph.nodes.filter(fitsKernel));
  for (;;) {
    const stages = schedule(graph, kernels);
    const counts = new Map<number, number>();
    for (const node of kernels) counts.set(stages.get(node)!, (counts.get(stages.get(node)!) ?? 0) + 1);
    const enough = [...kernels].filter((node) => counts.get(stages.get(node)!)! >= FEWEST);
    if (enough.length === kernels.size) return stages;
    kernels = new Set(enough);
  }
}

/** Values of as many rows as a condition has true ones, which is known at run time only. */
function chosenRows(graph: Graph): Set<Value> {
  const chosen = new Set<Value>();
  for (const { op, inputs, outputs } of graph.nodes)
    if (op === 'RowsWhere' || (op !== 'AddRows' && inputs.some((value) => chosen.has(value))))
      for (const output of outputs) chosen.add(output);
  return chosen;
}

/** The part of a graph that is done in one stage, with places for inputs and outputs. */
function partOf(
  graph: Graph,
  nodes: readonly IrNode[],
  inputs: ReadonlyMap<Value, string>,
  outputs: Graph['outputs'],
): Graph {
  const builder = new GraphBuilder({ share: true });
  const map = new Map<Value, Value>();
  for (const [value, name] of inputs) map.set(value, builder.input(name, value));
  replay({ ...graph, nodes, outputs }, builder, map);
  return {
    name: graph.name,
    inputs: builder.inputs,
    nodes: builder.nodes,
    outputs: outputs.map(({ name, value }) => ({ name, value: map.get(value)! })),
  };
}

/**
 * Cuts a graph where long vectors are worked on element by element, as optimisers do: onnxruntime goes over memory once
 * for each operation, a kernel once for all. Undefined where there is nothing to gain, or where what goes from stage to
 * stage has no fixed form.
 */
export function stagesOf(graph: Graph): Stages | undefined {
  const at = assigned(graph);
  const last = Math.max(0, ...at.values());
  if (last === 0) return undefined;
  const stageOf = (value: Value): number => at.get(producerOf(value)!) ?? 0;

  const places = new Map<Value, string>();
  for (const input of graph.inputs) if (input.origin.kind === 'input') places.set(input, input.origin.name);
  for (const { name, value } of graph.outputs) {
    if (!places.has(value) && value.origin.kind === 'node') places.set(value, name);
    else if (stageOf(value) % 2 === 1) return undefined; // a kernel's result under two names
  }
  const chosen = chosenRows(graph);
  const crossing = new Map<string, Value>();
  const readElsewhere = new Set<Value>();
  for (const node of graph.nodes)
    for (const value of node.inputs) {
      if (value.origin.kind !== 'node' || stageOf(value) === at.get(node)) continue;
      if (value.type !== 'float32' || chosen.has(value)) return undefined;
      readElsewhere.add(value);
      if (places.has(value)) continue;
      const name = `crossing/${crossing.size}`;
      places.set(value, name);
      crossing.set(name, value);
    }

  const stages: Stage[] = [];
  for (let stage = 0; stage <= last; stage++) {
    const nodes = graph.nodes.filter((node) => at.get(node) === stage);
    const made = new Set(nodes.flatMap((node) => node.outputs));
    const inputs = new Map<Value, string>();
    const read = (value: Value): void => {
      if (value.origin.kind !== 'constant' && !made.has(value)) inputs.set(value, places.get(value)!);
    };
    for (const node of nodes) node.inputs.forEach(read);
    const outputs = graph.outputs.filter(({ value }) => (value.origin.kind === 'node' ? made.has(value) : stage === 0));
    for (const { value } of outputs) read(value);
    const named = new Set(outputs.map(({ value }) => value));
    const passed = [...made].filter((value) => readElsewhere.has(value) && !named.has(value));
    const all = [...outputs, ...passed.map((value) => ({ name: places.get(value)!, value }))];
    if (stage % 2 === 0) stages.push({ kind: 'graph', graph: partOf(graph, nodes, inputs, all) });
    else stages.push({ kind: 'kernel', nodes, inputs, outputs: new Map(all.map(({ name, value }) => [value, name])) });
  }
  return { stages, crossing };
}
