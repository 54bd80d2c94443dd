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

/** Collects the nodes, initializers and shapes of a file while a graph is lowered. */
class FileTarget implements Target {
  readonly portable: boolean;
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly infos: ValueInfoProto[] = [];
  /** Names of values; inputs and outputs of the graph are named before it is lowered. */
  readonly names = new Map<Value, string>();
  /** Whether there is an operator of onnxruntime's own domain. */
  contrib = false;
  readonly #symbols: ReadonlyMap<Value, string>;
  /** ONNX's own indices of rows, which are int64 and are described by what makes them. */
  readonly #rowIndices: ReadonlySet<Value>;
  readonly #shared = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #lastFresh = 0;

  constructor(graph: Graph, portable: boolean) {
    this.portable = portable;
    this.#symbols = symbolicRows(graph);
    this.#rowIndices = new Set(graph.nodes.flatMap(({ op, outputs }) => (op === 'RowsWhere' ? outputs : [])));
  }

  name(value: Value): string {
    let name = this.names.get(value);
    if (name === undefined && value.origin.kind === 'constant') {
      name = `constant_${this.initializers.length}`;
      const rawData = rawBytes(constantData(value)!);
      this.initializers.push({ name, dims: [...value.shape], dataType: dataType[value.type], rawData });
    } else if (name === undefined) {
      name = `v${this.#number('value')}`; // numbered by file, so that equal graphs are equal bytes
      if (!this.#rowIndices.has(value))
        this.infos.push(valueInfo(name, value.type, value.shape, this.#symbols.get(value)));
    }
    this.names.set(value, name);
    return name;
  }

  fresh(): string {
    return `t${++this.#lastFresh}`;
  }

  int64(values: readonly number[]): string {
    return this.#initializer(`int64 ${values}`, () => ({
      dims: [values.length],
      dataType: dataType.int64,
      rawData: rawBytes(BigInt64Array.from(values, BigInt)),
    }));
  }

  scalar(type: IrType, value: number): string {
    return this.#initializer(`${type} ${value}`, () => ({
      dims: [],
      dataType: dataType[type],
      rawData: scalarBytes(type, value),
    }));
  }

  emit(...[opType, input, output, attribute = [], domain = '']: Parameters<Target['emit']>): void {
    this.contrib ||= domain !== '';
    const name = `${opType}_${this.#number(opType)}`;
    this.nodes.push({ input: [...input], output: [...output], name, opType, attribute: [...attribute], domain });
  }

  #number(kind: string): number {
    const next = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, next + 1);
    return next;
  }

  #initializer(key: string, make: () => Omit<TensorProto, 'name'>): string {
    let name = this.#shared.get(key);
    if (name === undefined) {
      name = `constant_${this.initializers.length}`;
      this.#shared.set(key, name);
      this.initializers.push({ name, ...make() });
    }
    return name;
  }
}

/** Lowers a graph whose inputs and outputs keep their names. */
function lowerGraph(graph: Graph, target: FileTarget): void {
  const { names } = target;
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
}

/** The ONNX file of a graph, with the shapes of everything between, so that viewers and `inspect` can show them. */
export function writeOnnx(graph: Graph, options: WriteOptions): Uint8Array {
  const target = new FileTarget(graph, options.portable);
  lowerGraph(graph, target);
  const { nodes, initializers, infos, contrib } = target;
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
