import type { Tensor } from '@tensorflow/tfjs';
import { checkArrays, checkNames } from '../../check.js';
import { sizeOf } from '../../ir/graph.js';
import { disposedError, runInTurn } from '../../outputs.js';
import type {
  ArrayRecord,
  Executable,
  Program,
  RunOutputs,
  TensorRecord,
  TensorSpec,
  TensorSpecs,
} from '../../program.js';
import { tf, withBackend } from '../../trace/tfjs.js';
import { checkNextState, formOf, names, stacked, traceProgram } from '../../trace/trace.js';

type Arrays = Record<string, Float32Array | Int32Array>;

/** Runs a program operation by operation on a tfjs backend: the reference that the onnx executor is held against. */
export class EagerExecutable implements Executable {
  readonly batches = 1;
  readonly executor: string;
  readonly state: TensorSpecs;
  readonly inputs: TensorSpecs;
  readonly outputs: TensorSpecs;
  readonly #program: Program;
  readonly #steps: number;
  readonly #backend: string;
  #current: Record<string, Tensor> = {};
  #disposed = false;

  /** `backend` must be ready. The program is traced once, for the shapes of its outputs and as a check. */
  constructor(program: Program, options: { backend: string; steps: number; initialState: ArrayRecord }) {
    this.executor = `eager/${options.backend}`;
    this.#program = program;
    this.#steps = options.steps;
    this.#backend = options.backend;
    this.state = program.state;
    this.inputs = stacked(program.inputs, options.steps);
    const traced = traceProgram(program).outputs.filter(({ name }) => name.startsWith(names.output('')));
    const outputs = traced.map(({ name, value }) => [name.slice(names.output('').length), formOf(value)] as const);
    this.outputs = stacked(Object.fromEntries(outputs), options.steps);
    this.writeState(options.initialState);
  }

  async run(inputs: ArrayRecord): Promise<ArrayRecord> {
    this.#alive();
    checkArrays('input', this.inputs, inputs);
    const collected: Arrays = {};
    for (const [name, { shape, dtype }] of Object.entries(this.outputs))
      collected[name] = dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape));
    withBackend(this.#backend, () => {
      for (let k = 0; k < this.#steps; k++) this.#step(inputs, k, collected);
    });
    return collected;
  }

  #step(inputs: ArrayRecord, k: number, collected: Arrays): void {
    const next = tf.tidy(() => {
      const given: Record<string, Tensor> = {};
      for (const [name, spec] of Object.entries(this.#program.inputs)) {
        const size = sizeOf(spec.shape);
        given[name] = tensorOf(spec, inputs[name]!.subarray(k * size, (k + 1) * size));
      }
      const { state, outputs } = this.#program.step(this.#current, given);
      checkNextState(this.#program.name, this.state, state);
      for (const [name, array] of Object.entries(collected))
        array.set(outputs[name]!.dataSync(), (k * array.length) / this.#steps);
      // Copies, so that an entry returned twice or unchanged has a tensor of its own.
      return Object.fromEntries(Object.entries(state).map(([name, tensor]) => [name, tf.keep(tf.clone(tensor))]));
    });
    for (const tensor of Object.values(this.#current)) tensor.dispose();
    this.#current = next;
  }

  runAll(batches: readonly ArrayRecord[]): Promise<RunOutputs> {
    return runInTurn(this, batches);
  }

  readState(entries: readonly string[] = Object.keys(this.state)): ArrayRecord {
    this.#alive();
    checkNames('state', this.state, entries);
    const read = (name: string): [string, Float32Array] => [
      name,
      (this.#current[name]!.dataSync() as Float32Array).slice(),
    ];
    return withBackend(this.#backend, () => Object.fromEntries(entries.map(read)));
  }

  writeState(state: ArrayRecord): void {
    this.#alive();
    checkArrays('state', this.state, state);
    withBackend(this.#backend, () => {
      for (const tensor of Object.values(this.#current)) tensor.dispose();
      const make = ([name, spec]: [string, TensorSpec]): [string, Tensor] => [
        name,
        tf.keep(tensorOf(spec, state[name]!)),
      ];
      this.#current = Object.fromEntries(Object.entries(this.state).map(make)) satisfies TensorRecord;
    });
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    withBackend(this.#backend, () => {
      for (const tensor of Object.values(this.#current)) tensor.dispose();
    });
    this.#current = {};
  }

  #alive(): void {
    if (this.#disposed) throw disposedError();
  }
}

const tensorOf = ({ shape, dtype }: TensorSpec, data: Float32Array | Int32Array | Uint8Array): Tensor =>
  dtype === 'uint8'
    ? tf.tensor(Float32Array.from(data), [...shape], 'float32')
    : tf.tensor(data.slice(), [...shape], dtype);
