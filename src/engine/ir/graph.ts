/** Element types inside a graph. `bool` never crosses the engine's border; of `uint8` are only inputs, which are cast. */
export type IrType = 'float32' | 'int32' | 'bool' | 'uint8';
export type IrData = Float32Array | Int32Array | Uint8Array;
export type Attributes = Readonly<Record<string, number | boolean | readonly number[]>>;

/** Where a value comes from. A splat constant holds one element for its whole shape. */
export type Origin =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: IrData; readonly splat: boolean }
  | { readonly kind: 'node'; readonly node: IrNode; readonly index: number };

export interface Value {
  readonly id: number;
  readonly type: IrType;
  readonly shape: readonly number[];
  readonly origin: Origin;
}

/**
 * One operation. Names and meaning are ONNX's, with three differences that keep graphs small to reason about: what
 * ONNX passes as int64 tensors (axes, shapes, sizes, pads) are attributes or the output's shape; `MatMul` carries
 * transposes and an optional bias; every shape is fixed.
 */
export interface IrNode {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  /** In an order in which every node stands after what it reads. */
  readonly nodes: readonly IrNode[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
}

export interface Form {
  readonly type: IrType;
  readonly shape: readonly number[];
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

export function typedArray(type: IrType, length: number): IrData {
  if (type === 'float32') return new Float32Array(length);
  return type === 'int32' ? new Int32Array(length) : new Uint8Array(length);
}

/** An array of `length` elements over a part of a buffer. */
export function typedArrayOver(type: IrType, buffer: ArrayBuffer, offset: number, length: number): IrData {
  if (type === 'float32') return new Float32Array(buffer, offset, length);
  return type === 'int32' ? new Int32Array(buffer, offset, length) : new Uint8Array(buffer, offset, length);
}

/** The node that makes a value, when its operation is `op`. */
export function producer(value: Value, op: string): IrNode | undefined {
  return value.origin.kind === 'node' && value.origin.node.op === op ? value.origin.node : undefined;
}

/** What a value was before it got another shape; the value itself where it did not. */
export function beforeReshape(value: Value): Value {
  return producer(value, 'Reshape')?.inputs[0] ?? value;
}

/** The one number a constant holds everywhere, or undefined. */
export function splatOf(value: Value): number | undefined {
  return value.origin.kind === 'constant' && value.origin.splat ? value.origin.data[0] : undefined;
}

/** All elements of a constant, row-major, or undefined for what is not a constant. */
export function constantData(value: Value): IrData | undefined {
  if (value.origin.kind !== 'constant') return undefined;
  const { data, splat } = value.origin;
  const size = sizeOf(value.shape);
  return splat && size !== 1 ? typedArray(value.type, size).fill(data[0] ?? 0) : data;
}

let lastId = 0;

/** Collects the nodes of one graph; with `share`, equal nodes and constants become one (common subexpressions). */
export class GraphBuilder {
  readonly nodes: IrNode[] = [];
  readonly inputs: Value[] = [];
  readonly #share: boolean;
  readonly #known = new Map<string, readonly Value[]>();
  readonly #arrays = new Map<IrData, number>();

  constructor(options: { readonly share: boolean }) {
    this.#share = options.share;
  }

  input(name: string, form: Form): Value {
    const value = this.#value(form, { kind: 'input', name });
    this.inputs.push(value);
    return value;
  }

  /** A constant; `data` has one element (a splat) or the shape's size, and is not copied. */
  constant(form: Form, data: IrData): Value {
    const splat = data.length === 1 || (data.length > 0 && data.every((x) => Object.is(x, data[0])));
    const kept = splat && data.length > 1 ? data.slice(0, 1) : data;
    const make = (): readonly Value[] => [this.#value(form, { kind: 'constant', data: kept, splat })];
    const content = kept.length <= 64 ? Array.from(kept, (x) => (Object.is(x, -0) ? '-0' : x)) : this.#identity(kept);
    return this.#shared(`constant|${splat}|${content}|${form.type}|${form.shape}`, make)[0]!;
  }

  /** A constant of one number everywhere. */
  scalar(type: IrType, number: number, shape: readonly number[] = []): Value {
    return this.constant({ type, shape }, typedArray(type, 1).fill(number));
  }

  nodeOutputs(
    op: string,
    inputs: readonly Value[],
    forms: readonly Form[],
    attributes: Attributes = {},
  ): readonly Value[] {
    const outputs: Value[] = [];
    const make = (): readonly Value[] => {
      const node: IrNode = { op, inputs, attributes, outputs };
      forms.forEach((form, index) => {
        outputs.push(this.#value(form, { kind: 'node', node, index }));
      });
      this.nodes.push(node);
      return outputs;
    };
    const ids = inputs.map((value) => value.id).join();
    const shapes = forms.map((form) => `${form.type}:${form.shape}`).join(';');
    return this.#shared(`${op}|${ids}|${JSON.stringify(attributes)}|${shapes}`, make);
  }

  /** As {@link nodeOutputs}, for operations with one output. */
  node(op: string, inputs: readonly Value[], form: Form, attributes: Attributes = {}): Value {
    return this.nodeOutputs(op, inputs, [form], attributes)[0]!;
  }

  /** An equal node that is already in the graph. */
  find(op: string, inputs: readonly Value[], form: Form): Value | undefined {
    const ids = inputs.map((value) => value.id).join();
    return this.#known.get(`${op}|${ids}|{}|${form.type}:${form.shape}`)?.[0];
  }

  #value(form: Form, origin: Origin): Value {
    return { id: ++lastId, type: form.type, shape: form.shape, origin };
  }

  #identity(data: IrData): string {
    let id = this.#arrays.get(data);
    if (id === undefined) {
      id = this.#arrays.size;
      this.#arrays.set(data, id);
    }
    return `array ${id}`;
  }

  #shared(key: string, make: () => readonly Value[]): readonly Value[] {
    if (!this.#share) return make();
    let values = this.#known.get(key);
    if (values === undefined) {
      values = make();
      this.#known.set(key, values);
    }
    return values;
  }
}
