import { IqLearnError } from '../common/index.js';
import { checkArrays } from './check.js';
import {
  createSession,
  loadOnnxruntime,
  type Ort,
  type OrtSession,
  type OrtTensor,
} from './executors/onnx-cpu/session.js';
import { typedArray } from './ir/graph.js';
import { optimise } from './ir/passes.js';
import { readModel } from './onnx/read.js';
import { dataType, type ValueInfoProto } from './onnx/schema.js';
import { writeOnnx } from './onnx/write.js';
import type { ArrayRecord, TensorRecord, TensorSpec, TensorSpecs } from './program.js';
import { traceFunction } from './trace/trace.js';

export interface InferenceOptions {
  readonly name: string;
  readonly inputs: TensorSpecs;
  /** Weights and other fixed tensors; they become the file's initializers. */
  readonly constants: Readonly<Record<string, { readonly spec: TensorSpec; readonly data: Float32Array | Int32Array }>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The ONNX file of a function of named tensors, of the shapes given (a policy: batch 1). Only standard operators, so
 * that any runtime reads it; what depends on constants alone is computed here. UNSUPPORTED, INVALID_ARGUMENT.
 */
export async function traceInference(
  fn: (inputs: TensorRecord, constants: TensorRecord) => TensorRecord,
  options: InferenceOptions,
): Promise<Uint8Array> {
  const { name, inputs, constants, metadata = {} } = options;
  const specs = Object.fromEntries(Object.entries(constants).map(([key, { spec }]) => [key, spec]));
  const arrays = Object.fromEntries(Object.entries(constants).map(([key, { data }]) => [key, data]));
  checkArrays('constant', specs, arrays);
  const graph = traceFunction(name, fn, inputs, constants);
  for (const { name: output } of graph.outputs)
    if (inputs[output] !== undefined)
      throw new IqLearnError('INVALID_ARGUMENT', `an input and an output of ${name} have one name`, {
        found: `'${output}'`,
        expected: 'different names',
      });
  return writeOnnx(optimise(graph), { portable: true, metadata });
}

/** A model that maps arrays to arrays, tuned for one row at a time. */
export interface InferenceModel {
  readonly name: string;
  readonly inputs: TensorSpecs;
  readonly outputs: TensorSpecs;
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Runs the model. Arrays given are copied in and those returned are the caller's.
   * INVALID_ARGUMENT names an entry of the wrong size.
   */
  run(inputs: ArrayRecord): Promise<ArrayRecord>;
  dispose(): Promise<void>;
}

const borderTypes = ['float32', 'int32', 'uint8'] as const;

function specsOf(infos: readonly ValueInfoProto[]): TensorSpecs {
  return Object.fromEntries(
    infos.map(({ name, type }): [string, TensorSpec] => {
      const dims = type?.tensorType?.shape?.dim?.map(({ dimValue }) => dimValue);
      const element = type?.tensorType?.elemType;
      const dtype = borderTypes.find((name) => dataType[name] === element);
      if (dtype === undefined || dims === undefined || !dims.every((n) => n !== undefined))
        throw new IqLearnError('UNSUPPORTED', `the model's entry '${name}' cannot be run`, {
          found: `element type ${element}, shape [${dims?.map((n) => n ?? '?') ?? '?'}]`,
          expected: 'float32, int32 or uint8 of a fixed shape',
        });
      return [name, { shape: dims as number[], dtype }];
    }),
  );
}

class OnnxInferenceModel implements InferenceModel {
  readonly #session: OrtSession;
  readonly #feeds: Record<string, OrtTensor> = {};
  readonly #fetches: Record<string, OrtTensor> = {};
  readonly #inputArrays: Record<string, Float32Array | Int32Array | Uint8Array> = {};
  readonly #outputArrays: Record<string, Float32Array | Int32Array | Uint8Array> = {};
  #tail: Promise<unknown> | undefined;
  #disposed = false;

  constructor(
    ort: Ort,
    session: OrtSession,
    readonly name: string,
    readonly inputs: TensorSpecs,
    readonly outputs: TensorSpecs,
    readonly metadata: Readonly<Record<string, string>>,
  ) {
    this.#session = session;
    const make = (
      specs: TensorSpecs,
      tensors: Record<string, OrtTensor>,
      arrays: Record<string, Float32Array | Int32Array | Uint8Array>,
    ): void => {
      for (const [key, { shape, dtype }] of Object.entries(specs)) {
        const size = shape.reduce((product, n) => product * n, 1);
        const array = typedArray(dtype, size);
        arrays[key] = array;
        tensors[key] = new ort.Tensor(dtype, array as Float32Array, shape);
      }
    };
    make(inputs, this.#feeds, this.#inputArrays);
    make(outputs, this.#fetches, this.#outputArrays);
  }

  async run(inputs: ArrayRecord): Promise<ArrayRecord> {
    while (this.#tail !== undefined) await this.#tail;
    if (this.#disposed)
      throw new IqLearnError('INVALID_ARGUMENT', 'the model is disposed', { remedy: 'load it again' });
    checkArrays('input', this.inputs, inputs);
    for (const key in this.#inputArrays) this.#inputArrays[key]!.set(inputs[key]!);
    const running = this.#session.run(this.#feeds, this.#fetches);
    this.#tail = running;
    try {
      await running;
    } finally {
      this.#tail = undefined;
    }
    const outputs: Record<string, Float32Array | Int32Array | Uint8Array> = {};
    for (const key in this.#outputArrays) outputs[key] = this.#outputArrays[key]!.slice();
    return outputs;
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#tail?.catch(() => undefined);
    await this.#session.release();
  }
}

/** A model from the bytes of its ONNX file. CORRUPT_DATA, UNSUPPORTED, UNAVAILABLE. */
export async function loadInference(
  bytes: Uint8Array,
  options: { readonly threads?: number } = {},
): Promise<InferenceModel> {
  const model = readModel(bytes);
  const ort = await loadOnnxruntime();
  const initial = new Set(model.graph.initializer.map(({ name }) => name));
  const inputs = specsOf(model.graph.input.filter(({ name }) => !initial.has(name)));
  const outputs = specsOf(model.graph.output);
  const session = await createSession(ort, bytes, { threads: options.threads ?? 1, spinning: false });
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  return new OnnxInferenceModel(ort, session, model.graph.name, inputs, outputs, metadata);
}
