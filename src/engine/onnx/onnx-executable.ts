import { IqLearnError } from '../../common/index.js';
import { checkArrays, checkNames } from '../check.js';
import type { ArrayRecord, Executable, TensorSpecs } from '../program.js';
import { names } from '../trace/trace.js';
import type { PacedSession } from './paced-session.js';
import type { Ort, OrtTensor, SessionThreads } from './session.js';

type Feeds = Record<string, OrtTensor>;

/**
 * A compiled program on an onnxruntime session. The state lives in two sets of tensors: a run reads one and writes the
 * other, then they change places, so that nothing is copied and a failed run leaves the state as it was.
 */
export class OnnxExecutable implements Executable {
  readonly executor = 'onnx';
  /** The ONNX file, for viewers and `inspectModel`. */
  readonly model: Uint8Array;
  readonly state: TensorSpecs;
  readonly inputs: TensorSpecs;
  readonly outputs: TensorSpecs;
  readonly #ort: Ort;
  readonly #session: PacedSession;
  #current: Feeds = {};
  #next: Feeds = {};
  #tail: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(
    ort: Ort,
    session: PacedSession,
    parts: {
      readonly model: Uint8Array;
      readonly state: TensorSpecs;
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
    for (const [name, { shape, dtype }] of Object.entries(parts.state)) {
      const make = (): OrtTensor => {
        const size = shape.reduce((product, n) => product * n, 1);
        const data = dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
        return new ort.Tensor(dtype, data as Float32Array, shape);
      };
      this.#current[name] = make();
      this.#next[name] = make();
    }
    this.writeState(parts.initialState);
  }

  /** Threads as given; spinning as given or as the latest runs made it. */
  get threads(): SessionThreads {
    return this.#session.threads;
  }

  /** Inputs are not copied: leave them unchanged until the promise settles. Runs that overlap keep their order. */
  run(inputs: ArrayRecord): Promise<ArrayRecord> {
    const done = this.#tail.then(() => this.#runNow(inputs));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async #runNow(inputs: ArrayRecord): Promise<ArrayRecord> {
    this.#alive();
    checkArrays('input', this.inputs, inputs);
    const feeds: Feeds = {};
    const fetches: Record<string, OrtTensor | null> = {};
    for (const name of Object.keys(this.state)) {
      feeds[names.state(name)] = this.#current[name]!;
      fetches[names.nextState(name)] = this.#next[name]!;
    }
    for (const [name, { shape, dtype }] of Object.entries(this.inputs))
      feeds[names.input(name)] = new this.#ort.Tensor(dtype, inputs[name] as Float32Array, shape);
    for (const name of Object.keys(this.outputs)) fetches[names.output(name)] = null;
    const results = await this.#session.run(feeds, fetches);
    [this.#current, this.#next] = [this.#next, this.#current];
    const outputs: Record<string, Float32Array | Int32Array> = {};
    for (const name of Object.keys(this.outputs)) outputs[name] = results[names.output(name)]!.data as Float32Array;
    return outputs;
  }

  readState(entries: readonly string[] = Object.keys(this.state)): ArrayRecord {
    this.#alive();
    checkNames('state', this.state, entries);
    return Object.fromEntries(entries.map((name) => [name, (this.#current[name]!.data as Float32Array).slice()]));
  }

  writeState(state: ArrayRecord): void {
    this.#alive();
    checkArrays('state', this.state, state);
    for (const name of Object.keys(this.state)) (this.#current[name]!.data as Float32Array).set(state[name]!);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#tail;
    [this.#current, this.#next] = [{}, {}];
    await this.#session.release();
  }

  #alive(): void {
    if (!this.#disposed) return;
    throw new IqLearnError('INVALID_ARGUMENT', 'the executable is disposed', {
      expected: 'a living one',
      remedy: 'compile the program again',
    });
  }
}
