import { sizeOf } from '../../ir/graph.js';
import type { ElementType } from '../../program.js';
import { elementBytes } from './block.js';
import { type Address, type Handle, made } from './ffi.js';
import type { OrtApi } from './ort-api.js';

/** A tensor of a graph and the memory that it is bound to for good. */
export interface Binding {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: ElementType;
  readonly address: Address;
}

export interface BoundSessionOptions {
  readonly provider: 'cpu' | 'cuda';
  /** Threads on the CPU. */
  readonly threads: number;
  /** Whether threads of the CPU wait actively during a run; not by default. */
  readonly spinning?: boolean;
}

/** Where a run of a graph reads and writes: all of its inputs and outputs. */
export interface Bindings {
  readonly inputs: readonly Binding[];
  readonly outputs: readonly Binding[];
}

/** Element types by ONNX's numbers. */
const ELEMENT_TYPE = { float32: 1, uint8: 2, int32: 6 } as const;
/** onnxruntime logs from this level on (errors). */
const LOG_LEVEL = 3;

/** One environment for the process, as onnxruntime expects; never released. */
const environments = new Map<OrtApi, Handle>();

/**
 * A model on onnxruntime whose inputs and outputs stay at fixed places of the device's memory. On `cuda` its first run
 * is captured in a CUDA graph: every later run is one launch.
 */
export class BoundSession {
  readonly #api: OrtApi;
  readonly #session: Handle;
  readonly #bindings: Handle[] = [];
  readonly #run: Handle;
  readonly #values: Handle[] = [];

  /**
   * With one set of bindings or several, between which runs choose. CORRUPT_DATA where onnxruntime refuses the model;
   * what was made until then is freed.
   */
  constructor(api: OrtApi, model: Uint8Array, options: BoundSessionOptions, sets: readonly Bindings[]) {
    this.#api = api;
    if (!environments.has(api)) environments.set(api, made(api.CreateEnv, LOG_LEVEL, 'iq_learn'));
    const sessionOptions = made(api.CreateSessionOptions);
    try {
      configure(api, sessionOptions, options);
      this.#session = made(api.CreateSessionFromArray, environments.get(api), model, model.length, sessionOptions);
    } finally {
      api.ReleaseSessionOptions(sessionOptions);
    }
    this.#run = made(api.CreateRunOptions);
    const memory = made(api.CreateMemoryInfo, options.provider === 'cuda' ? 'Cuda' : 'Cpu', 0, 0, 0);
    try {
      for (const set of sets) this.#bind(memory, set);
    } catch (error) {
      this.release();
      throw error;
    } finally {
      api.ReleaseMemoryInfo(memory);
    }
  }

  #bind(memory: Handle, { inputs, outputs }: Bindings): void {
    const api = this.#api;
    const binding = made(api.CreateIoBinding, this.#session);
    this.#bindings.push(binding);
    for (const [bind, tensors] of [
      [api.BindInput, inputs],
      [api.BindOutput, outputs],
    ] as const)
      for (const { name, shape, dtype, address } of tensors) {
        const dims = BigInt64Array.from(shape, BigInt);
        const bytes = sizeOf(shape) * elementBytes(dtype);
        const type = ELEMENT_TYPE[dtype];
        const value = made(api.CreateTensorWithDataAsOrtValue, memory, address, bytes, dims, shape.length, type);
        this.#values.push(value);
        bind(binding, name, value);
      }
  }

  /** Reads the inputs where they lie and writes the outputs of one of the sets; has done so when it returns. */
  run(set = 0): void {
    this.#api.RunWithBinding(this.#session, this.#run, this.#bindings[set]);
  }

  release(): void {
    for (const binding of this.#bindings) this.#api.ReleaseIoBinding(binding);
    for (const value of this.#values) this.#api.ReleaseValue(value);
    this.#api.ReleaseRunOptions(this.#run);
    this.#api.ReleaseSession(this.#session);
  }
}

/** Loads the CUDA provider's libraries. INTERNAL, with onnxruntime's words, where they do not load. */
export function probeCuda(api: OrtApi): void {
  if (!environments.has(api)) environments.set(api, made(api.CreateEnv, LOG_LEVEL, 'iq_learn'));
  const options = made(api.CreateSessionOptions);
  try {
    configure(api, options, { provider: 'cuda', threads: 1 });
  } finally {
    api.ReleaseSessionOptions(options);
  }
}

function configure(api: OrtApi, options: Handle, { provider, threads, spinning = false }: BoundSessionOptions): void {
  api.SetSessionLogSeverityLevel(options, LOG_LEVEL);
  api.SetIntraOpNumThreads(options, threads);
  api.SetInterOpNumThreads(options, 1);
  api.AddSessionConfigEntry(options, 'session.intra_op.allow_spinning', spinning ? '1' : '0');
  // Threads of one session never spin while another runs.
  if (spinning) api.AddSessionConfigEntry(options, 'session.force_spinning_stop', '1');
  if (provider === 'cpu') return;
  const cuda = made(api.CreateCUDAProviderOptions);
  try {
    // Without TF32, results agree with the CPU's to rounding of float32.
    api.UpdateCUDAProviderOptions(cuda, ['enable_cuda_graph', 'use_tf32'], ['1', '0'], 2);
    api.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda);
  } finally {
    api.ReleaseCUDAProviderOptions(cuda);
  }
}
