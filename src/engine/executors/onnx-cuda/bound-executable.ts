import { IqLearnError } from '../../../common/index.js';
import { checkArrays, checkNames } from '../../check.js';
import type { LoweredProgram } from '../../lowering.js';
import { disposedError, runIndex } from '../../outputs.js';
import type { ArrayRecord, Executable, RunOutputs, TensorSpecs } from '../../program.js';
import { names } from '../../trace/trace.js';
import { arraysOver, type Block, blockOf, elementBytes } from './block.js';
import { type Binding, BoundSession, type BoundSessionOptions } from './bound-session.js';
import type { Address } from './ffi.js';
import type { DeviceMemory } from './memory.js';
import type { OrtApi } from './ort-api.js';

/** Runs between two fetches of outputs: enough that waiting for the device costs little. */
const BATCHES = 16;

/** What a bound executable runs on. */
export interface BoundDevice extends BoundSessionOptions {
  readonly api: OrtApi;
  readonly memory: DeviceMemory;
}

/** Entries of one kind: where they lie on the device and in the process. */
interface Place {
  readonly block: Block;
  readonly address: Address;
  readonly specs: TensorSpecs;
}

/**
 * A compiled program whose state, inputs and outputs stay at fixed places of a device. A run uploads the inputs in one
 * copy, makes the next state from the current one, and copies it over the current one on the device; a run that fails
 * leaves the state as it was. Outputs stay on the device until they are read.
 */
export class BoundExecutable implements Executable {
  readonly executor: string;
  readonly batches = BATCHES;
  /** The ONNX file, for viewers and `inspectModel`. */
  readonly model: Uint8Array;
  readonly state: TensorSpecs;
  readonly inputs: TensorSpecs;
  readonly outputs: TensorSpecs;
  readonly #memory: DeviceMemory;
  readonly #session: BoundSession;
  readonly #allocated: Address[] = [];
  readonly #current: Place;
  readonly #next: Place;
  readonly #input: Place;
  readonly #output: Place;
  readonly #staged: Uint8Array;
  readonly #stagedArrays: Record<string, Float32Array | Int32Array | Uint8Array>;
  /** Room for the outputs of several runs. */
  #kept: { readonly address: Address; readonly runs: number } | undefined;
  /** Counts calls that overwrite outputs on the device. */
  #generation = 0;
  #disposed = false;

  /** CORRUPT_DATA where onnxruntime refuses the model; nothing stays allocated then. */
  constructor(
    device: BoundDevice,
    lowered: LoweredProgram,
    options: { readonly executor: string; readonly state: TensorSpecs; readonly initialState: ArrayRecord },
  ) {
    this.executor = options.executor;
    this.model = lowered.model;
    this.state = options.state;
    this.inputs = lowered.inputs;
    this.outputs = lowered.outputs;
    this.#memory = device.memory;
    try {
      this.#current = this.#place(this.state);
      this.#next = this.#place(this.state);
      this.#input = this.#place(this.inputs);
      this.#output = this.#place(this.outputs);
      const buffer = new ArrayBuffer(this.#input.block.bytes);
      this.#staged = new Uint8Array(buffer);
      this.#stagedArrays = arraysOver(buffer, this.#input.block, this.inputs);
      const views = lowered.views.map(({ name, of, offset, shape }): Binding => {
        const isState = of.startsWith(names.state(''));
        const place = isState ? this.#current : this.#input;
        const entry = of.slice((isState ? names.state('') : names.input('')).length);
        const { dtype } = place.specs[entry]!;
        const address = addressOf(place, entry) + BigInt(offset * elementBytes(dtype));
        return { name, shape, dtype, address };
      });
      const inputs = [...bindings(this.#current, names.state), ...bindings(this.#input, names.input), ...views];
      const outputs = [...bindings(this.#next, names.nextState), ...bindings(this.#output, names.output)];
      this.#session = new BoundSession(device.api, lowered.model, device, [{ inputs, outputs }]);
    } catch (error) {
      this.#free();
      throw error;
    }
    this.writeState(options.initialState);
  }

  async run(inputs: ArrayRecord): Promise<ArrayRecord> {
    return (await this.runAll([inputs])).read();
  }

  async runAll(batches: readonly ArrayRecord[]): Promise<RunOutputs> {
    const generation = ++this.#generation;
    const runs = batches.length;
    for (const [k, batch] of batches.entries()) {
      this.#step(batch);
      if (runs > 1) this.#memory.move(this.#keptAt(k, runs), this.#output.address, this.#output.block.bytes);
    }
    return {
      runs,
      read: (run) => {
        this.#alive();
        const k = runIndex(run, runs);
        if (generation !== this.#generation)
          throw new IqLearnError('INVALID_ARGUMENT', 'these outputs have been overwritten', {
            found: 'a later run',
            expected: 'reading before it',
          });
        return this.#read(this.#output, runs > 1 ? this.#keptAt(k, runs) : this.#output.address);
      },
    };
  }

  #step(inputs: ArrayRecord): void {
    this.#alive();
    checkArrays('input', this.inputs, inputs);
    for (const [name, array] of Object.entries(this.#stagedArrays)) array.set(inputs[name]!);
    this.#memory.write(this.#input.address, this.#staged);
    this.#session.run();
    this.#memory.move(this.#current.address, this.#next.address, this.#current.block.bytes);
  }

  /** Where the outputs of run k of `runs` are kept. */
  #keptAt(k: number, runs: number): Address {
    const { bytes } = this.#output.block;
    if (this.#kept === undefined || this.#kept.runs < runs) {
      if (this.#kept !== undefined) this.#memory.free(this.#kept.address);
      this.#kept = { address: this.#memory.allocate(bytes * runs), runs };
    }
    return this.#kept.address + BigInt(k * bytes);
  }

  readState(entries: readonly string[] = Object.keys(this.state)): ArrayRecord {
    this.#alive();
    checkNames('state', this.state, entries);
    const specs = Object.fromEntries(entries.map((name) => [name, this.state[name]!]));
    return this.#read({ ...this.#current, specs });
  }

  writeState(state: ArrayRecord): void {
    this.#alive();
    checkArrays('state', this.state, state);
    for (const name of Object.keys(this.state)) this.#memory.write(addressOf(this.#current, name), state[name]!);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#session.release();
    if (this.#kept !== undefined) this.#memory.free(this.#kept.address);
    this.#free();
  }

  #place(specs: TensorSpecs): Place {
    const block = blockOf(specs);
    const address = this.#memory.allocate(block.bytes);
    this.#allocated.push(address);
    return { block, address, specs };
  }

  /** Copies of a place's entries, from where it lies or from `address` if given. */
  #read(place: Place, address = place.address): ArrayRecord {
    // In one copy: each waits for the device.
    const buffer = new ArrayBuffer(place.block.bytes);
    this.#memory.read(new Uint8Array(buffer), address);
    const arrays = Object.entries(arraysOver(buffer, place.block, place.specs));
    return Object.fromEntries(arrays.map(([name, array]) => [name, array.slice()]));
  }

  #free(): void {
    for (const address of this.#allocated) this.#memory.free(address);
  }

  #alive(): void {
    if (this.#disposed) throw disposedError();
  }
}

const addressOf = ({ address, block }: Place, name: string): Address => address + BigInt(block.offsets.get(name)!);

const bindings = (place: Place, rename: (name: string) => string): Binding[] =>
  Object.entries(place.specs).map(([name, { shape, dtype }]) => ({
    name: rename(name),
    shape,
    dtype,
    address: addressOf(place, name),
  }));
