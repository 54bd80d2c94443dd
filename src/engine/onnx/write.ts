import { constantData, type Graph, type IrType, type Value } from '../ir/graph.js';
import { lower, rawBytes, scalarBytes, type Target } from './lower.js';
import { dataType, encodeModel, type NodeProto, type TensorProto, type ValueInfoProto } from './schema.js';

/** Read by onnxruntime from 1.20 on, and by every checker of that time. */
const opset = 21;
const irVersion = 10;

export interface WriteOptions {
  /** Only operators of the standard domain. */
  readonly portable: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

const valueInfo = (name: string, type: IrType, shape: readonly number[], rows?: string): ValueInfoProto => {
  const dim = shape.map((dimValue, i) => (i === 0 && rows !== undefined ? { dimParam: rows } : { dimValue }));
  return { name, type: { tensorType: { elemType: dataType[type], shape: { dim } } } };
};

/** Values with fewer rows than their shape says, as many as a condition has true rows: the symbol of that number. */
function symbolicRows(graph: Graph): Map<Value, string> {
  const symbols = new Map<Value, string>();
  const conditions = new Map<Value, string>();
  for (const { op, inputs, outputs } of graph.nodes) {
    const [condition] = inputs;
    if (op === 'RowsWhere' && condition !== undefined && !conditions.has(condition))
      conditions.set(condition, `rows${conditions.size}_of_${condition.shape}`);
    const symbol =
      op === 'RowsWhere' ? conditions.get(condition!) : inputs.map((input) => symbols.get(input)).find(Boolean);
    if (symbol !== undefined && op !== 'AddRows') for (const output of outputs) symbols.set(output, symbol);
  }
  return symbols;
}

/** The ONNX file of a graph, with the shapes of everything between, so that viewers and `inspect` can show them. */
export function writeOnnx(graph: Graph, options: WriteOptions): Uint8Array {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const infos: ValueInfoProto[] = [];
  const names = new Map<Value, string>();
  const shared = new Map<string, string>();
  const counts = new Map<string, number>();
  let lastFresh = 0;
  let contrib = false;

  const number = (kind: string): number => {
    const next = counts.get(kind) ?? 0;
    counts.set(kind, next + 1);
    return next;
  };
  const initializer = (key: string, make: () => Omit<TensorProto, 'name'>): string => {
    let name = shared.get(key);
    if (name === undefined) {
      name = `constant_${initializers.length}`;
      shared.set(key, name);
      initializers.push({ name, ...make() });
    }
    return name;
  };
  const symbols = symbolicRows(graph);
  const rowIndices = new Set(graph.nodes.flatMap(({ op, outputs }) => (op === 'RowsWhere' ? outputs : [])));
  const target: Target = {
    portable: options.portable,
    name: (value) => {
      let name = names.get(value);
      if (name === undefined && value.origin.kind === 'constant') {
        name = `constant_${initializers.length}`;
        const rawData = rawBytes(constantData(value)!);
        initializers.push({ name, dims: [...value.shape], dataType: dataType[value.type], rawData });
      } else if (name === undefined) {
        name = `v${number('value')}`; // numbered by file, so that equal graphs are equal bytes
        // ONNX's own indices are int64; they are described by what makes them.
        if (!rowIndices.has(value)) infos.push(valueInfo(name, value.type, value.shape, symbols.get(value)));
      }
      names.set(value, name);
      return name;
    },
    fresh: () => `t${++lastFresh}`,
    int64: (values) =>
      initializer(`int64 ${values}`, () => ({
        dims: [values.length],
        dataType: dataType.int64,
        rawData: rawBytes(BigInt64Array.from(values, BigInt)),
      })),
    scalar: (type, value) =>
      initializer(`${type} ${value}`, () => ({
        dims: [],
        dataType: dataType[type],
        rawData: scalarBytes(type, value),
      })),
    emit: (opType, input, output, attribute = [], domain = '') => {
      contrib ||= domain !== '';
      const name = `${opType}_${number(opType)}`;
      nodes.push({ input: [...input], output: [...output], name, opType, attribute: [...attribute], domain });
    },
  };

  const taken = new Set<Value>();
  for (const input of graph.inputs) {
    names.set(input, input.origin.kind === 'input' ? input.origin.name : '');
    taken.add(input);
  }
  const copies: { readonly value: Value; readonly name: string }[] = [];
  for (const { name, value } of graph.outputs) {
    // An output needs a node of its own under its name.
    if (taken.has(value) || value.origin.kind !== 'node') copies.push({ value, name });
    else names.set(value, name);
    taken.add(value);
  }
  for (const node of graph.nodes) lower(node, target);
  for (const { value, name } of copies) target.emit('Identity', [target.name(value)], [name]);

  const used = new Set(nodes.flatMap((node) => node.input));
  const inputs = graph.inputs.map((value) => valueInfo(target.name(value), value.type, value.shape));
  const outputs = graph.outputs.map(({ name, value }) => valueInfo(name, value.type, value.shape));
  const domains = [{ domain: '', version: opset }, ...(contrib ? [{ domain: 'com.microsoft', version: 1 }] : [])];
  return encodeModel({
    irVersion,
    producerName: 'iq_learn',
    graph: {
      name: graph.name,
      node: nodes,
      initializer: initializers.filter(({ name }) => used.has(name)),
      input: inputs,
      output: outputs,
      valueInfo: infos,
    },
    opsetImport: domains,
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
  });
}
