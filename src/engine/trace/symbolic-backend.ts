import type { DataType, Tensor, TensorInfo } from '@tensorflow/tfjs';
import { IqLearnError } from '../../common/index.js';
import type { GraphBuilder, IrType, Value } from '../ir/graph.js';
import { callSite } from './call-site.js';
import { elementwiseKernels } from './elementwise-kernels.js';
import type { Kernel, KernelCall } from './kernel.js';
import { reductionKernels } from './reduction-kernels.js';
import { shapeKernels } from './shape-kernels.js';
import { tf } from './tfjs.js';

const backendName = 'iq-learn-trace';
const kernels: Readonly<Record<string, Kernel>> = { ...elementwiseKernels, ...reductionKernels, ...shapeKernels };

/** tfjs kernels that can be traced, sorted. */
export function supportedKernels(): readonly string[] {
  return Object.keys(kernels).sort();
}

const unsupported = (what: string, remedy: string): IqLearnError =>
  new IqLearnError('UNSUPPORTED', `cannot trace ${what}`, { found: `at ${callSite(new Error().stack)}`, remedy });

const asIrType = (type: DataType | undefined): Exclude<IrType, 'uint8'> => {
  if (type === 'float32' || type === 'int32' || type === 'bool') return type;
  throw unsupported(`a tensor of type ${type}`, 'use float32, int32 or bool');
};

type BackendValues = tf.backend_util.BackendValues;
type Inputs = Readonly<Record<string, TensorInfo | undefined>>;

/** A tfjs backend whose data are values of a graph in the making: running a kernel records it. */
class SymbolicBackend extends tf.KernelBackend {
  #builder: GraphBuilder | undefined;
  #values = new Map<object, Value>();

  /** Records what `f` does into `builder`. */
  record<T>(builder: GraphBuilder, f: () => T): T {
    const before = [this.#builder, this.#values] as const;
    this.#builder = builder;
    this.#values = new Map();
    try {
      return f();
    } finally {
      [this.#builder, this.#values] = before;
    }
  }

  get builder(): GraphBuilder {
    if (this.#builder === undefined) throw new IqLearnError('INTERNAL', 'the tracing backend is used outside a trace');
    return this.#builder;
  }

  info(value: Value): TensorInfo {
    const dataId = {};
    this.#values.set(dataId, value);
    if (value.type === 'uint8') throw new IqLearnError('INTERNAL', 'bytes in a trace that were not cast to float32');
    return { dataId, shape: [...value.shape], dtype: value.type };
  }

  tensor(value: Value): Tensor {
    const { dataId, shape, dtype } = this.info(value);
    return tf.engine().makeTensorFromDataId(dataId, shape, dtype, this);
  }

  /** The value of a tensor; one that lives on another backend becomes a constant. */
  value(info: TensorInfo): Value {
    return this.#values.get(info.dataId) ?? this.#captured(info);
  }

  #captured(info: TensorInfo): Value {
    const engine = tf.engine() as unknown as {
      readonly state: { readonly tensorInfo: WeakMap<object, { readonly backend: tf.KernelBackend }> };
    };
    const owner = engine.state.tensorInfo.get(info.dataId)?.backend;
    if (owner === undefined || owner === this)
      throw unsupported('a tensor of another trace', 'let a program use only its arguments and constants');
    const type = asIrType(info.dtype);
    const data = owner.readSync(info.dataId) as Float32Array | Int32Array | Uint8Array;
    const value = this.builder.constant({ type, shape: info.shape }, data.slice());
    this.#values.set(info.dataId, value);
    return value;
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): object {
    const type = asIrType(dtype);
    const numbers = values as unknown as ArrayLike<number>;
    const array = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[type];
    return this.info(this.builder.constant({ type, shape }, array.from(numbers))).dataId;
  }

  override readSync(): never {
    throw unsupported(
      'a function that reads the data of a tensor (dataSync, arraySync, print)',
      'keep the program free of data: use tf.where instead of if, and give numbers as inputs',
    );
  }

  override async read(): Promise<never> {
    return this.readSync();
  }

  override disposeData(): boolean {
    return true;
  }
  override incRef(): void {}
  decRef(): boolean {
    return true;
  }
  override refCount(): number {
    return 1;
  }
  override numDataIds(): number {
    return this.#values.size;
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override dispose(): void {}
}

function kernelCall(backend: SymbolicBackend, name: string, inputs: Inputs, attrs: object | undefined): KernelCall {
  const attributes = (attrs ?? {}) as Readonly<Record<string, unknown>>;
  const optional = (key: string): Value | undefined => {
    const info = inputs[key];
    return info === undefined || info === null ? undefined : backend.value(info);
  };
  return {
    builder: backend.builder,
    optional,
    input: (key) => {
      const value = optional(key);
      if (value === undefined) throw new IqLearnError('INTERNAL', `tfjs kernel ${name} has no input '${key}'`);
      return value;
    },
    get list() {
      return Object.values(inputs).map((info) => backend.value(info!));
    },
    number: (key) => Number(attributes[key]),
    numbers: (key) => [attributes[key] ?? []].flat().map(Number),
    flag: (key) => attributes[key] === true,
    attribute: (key) => attributes[key],
    type: (key) => asIrType(attributes[key] as DataType),
    refuse: (what) => {
      throw unsupported(`${name} with ${what}`, 'write it with other operations');
    },
  };
}

let registered: SymbolicBackend | undefined;

/** The process' one symbolic backend, registered with tfjs on first use. */
export function symbolicBackend(): { readonly name: string; readonly backend: SymbolicBackend } {
  if (registered === undefined) {
    const backend = new SymbolicBackend();
    tf.registerBackend(backendName, () => backend, -1000);
    for (const [kernelName, kernel] of Object.entries(kernels))
      tf.registerKernel({
        kernelName,
        backendName,
        kernelFunc: ({ inputs, attrs }) => {
          const made = kernel(kernelCall(backend, kernelName, inputs as Inputs, attrs));
          return 'id' in made ? backend.info(made) : made.map((value) => backend.info(value));
        },
      });
    registered = backend;
  }
  return { name: backendName, backend: registered };
}
