import { InTurn } from '../../../common/index.js';
import { checkArrays, checkNames } from '../../check.js';
import { sizeOf } from '../../ir/graph.js';
import type { View } from '../../ir/views.js';
import { disposedError, runInTurn } from '../../outputs.js';
import type { ArrayRecord, RunOutputs, TensorSpecs } from '../../program.js';
import { names } from '../../trace/trace.js';
import type { CpuExecutable } from './cpu-executable.js';
import { discard } from './discard.js';
import type { PacedSession } from './paced-session.js';
import type { Ort, OrtTensor, SessionThreads } from './session.js';

/** One set of the state's tensors, and what a run that reads it is fed: the same tensors and views of their memory. */
interface StateSet {
  readonly tensors: Readonly<Record<string, OrtTensor>>;
  readonly feeds: Readonly<Record<string, OrtTensor>>;
}

const dataOf = (tensor: OrtTensor): Float32Array => tensor.data as Float32Array;

/**
 * A compiled program on an onnxruntime session. The state lives in two sets of tensors: a run reads one and writes the
 * other, then they change places, so that nothing is copied and a failed run leaves the state as it was.
 */
export class OnnxExecutable implements CpuExecutable {
  readonly executor = 'onnx-cpu';
  readonly batches = 1;
  /** The ONNX file, for viewers and `inspectModel`. */
  readonly model: Uint8Array;
  readonly state: TensorSpecs;
  readonly inputs: TensorSpecs;
  readonly outputs: TensorSpecs;
  readonly #ort: Ort;
  readonly #session: PacedSession;
  #current: StateSet;
  #next: StateSet;
  readonly #turns = new InTurn();
  #disposed = false;

  constructor(
    ort: Ort,
    session: PacedSession,
    parts: {
      readonly model: Uint8Array;
      readonly state: TensorSpecs;
      /** Graph inputs that are parts of state entries. */
      readonly views: readonly View[];
      readonly inputs: TensorSpecs;
      readonly outputs: TensorSpecs;
      readonly initialState: ArrayRecord;
    },
  ) {
    this.#ort = ort;
    this.#session = session;
    this.model = parts.model;
    this.state = parts.state;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    const stateSet = (): StateSet => {
      const tensors: Record<string, OrtTensor> = {};
      const feeds: Record<string, OrtTensor> = {};
      for (const [name, { shape, dtype }] of Object.entries(parts.state)) {
        const size = sizeOf(shape);
        const data = dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
        const tensor = new ort.Tensor(dtype, data as Float32Array, shape);
        tensors[name] = tensor;
        feeds[names.state(name)] = tensor;
      }
      for (const { name, of, offset, shape } of parts.views) {
        const { type, data } = feeds[of]!;
        const part = (data as Float32Array).subarray(offset, offset + sizeOf(shape));
        feeds[name] = new ort.Tensor(type as 'float32', part, shape);
      }
      return { tensors, feeds };
    };
    this.#current = stateSet();
    this.#next = stateSet();
    this.writeState(parts.initialState);
  }

  /** Threads as given; spinning as given or as the latest runs made it. */
  get threads(): SessionThreads {
    return this.#session.threads;
  }

  /** Inputs are not copied: leave them unchanged until the promise settles. Runs that overlap keep their order. */
  run(inputs: ArrayRecord): Promise<ArrayRecord> {
    return this.#turns.run(() => this.#runNow(inputs));
  }

  async #runNow(inputs: ArrayRecord): Promise<ArrayRecord> {
    this.#alive();
    checkArrays('input', this.inputs, inputs);
    const feeds: Record<string, OrtTensor> = { ...this.#current.feeds };
    const fetches: Record<string, OrtTensor | null> = {};
    for (const [name, tensor] of Object.entries(this.#next.tensors)) fetches[names.nextState(name)] = tensor;
    for (const [name, { shape, dtype }] of Object.entries(this.inputs))
      feeds[names.input(name)] = new this.#ort.Tensor(dtype, inputs[name] as Float32Array, shape);
    for (const name of Object.keys(this.outputs)) fetches[names.output(name)] = null;
    const results = await this.#session.run(feeds, fetches);
    const copies = Object.entries(this.#next.tensors).flatMap(([name, tensor]) => {
      const copy = dataOf(results[names.nextState(name)] as OrtTensor);
      return copy.buffer === dataOf(tensor).buffer ? [] : [copy];
    });
    if (copies.length > 0) discard(copies);
    [this.#current, this.#next] = [this.#next, this.#current];
    const outputs: Record<string, Float32Array | Int32Array> = {};
    for (const name of Object.keys(this.outputs)) outputs[name] = results[names.output(name)]!.data as Float32Array;
    return outputs;
  }

  runAll(batches: readonly ArrayRecord[]): Promise<RunOutputs> {
    return runInTurn(this, batches);
  }

  readState(entries: readonly string[] = Object.keys(this.state)): ArrayRecord {
    this.#alive();
    checkNames('state', this.state, entries);
    return Object.fromEntries(entries.map((name) => [name, dataOf(this.#current.tensors[name]!).slice()]));
  }

  writeState(state: ArrayRecord): void {
    this.#alive();
    checkArrays('state', this.state, state);
    for (const name of Object.keys(this.state)) dataOf(this.#current.tensors[name]!).set(state[name]!);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#turns.ended();
    this.#current = this.#next = { tensors: {}, feeds: {} };
    await this.#session.release();
  }

  #alive(): void {
    if (this.#disposed) throw disposedError();
  }
}
