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

const valueInfo = (name: string, type: IrType, shape: readonly number[]): ValueInfoProto => ({
  name,
  type: { tensorType: { elemType: dataType[type], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
});

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
  const target: Target = {
    portable: options.portable,
    name: (value) => {
      let name = names.get(value);
      if (name === undefined && value.origin.kind === 'constant') {
        name = `constant_${initializers.length}`;
        const rawData = rawBytes(constantData(value)!);
        initializers.push({ name, dims: [...value.shape], dataType: dataType[value.type], rawData });
      } else if (name === undefined) {
        name = `v${infos.length}`; // numbered by file, so that equal graphs are equal bytes
        infos.push(valueInfo(name, value.type, value.shape));
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
