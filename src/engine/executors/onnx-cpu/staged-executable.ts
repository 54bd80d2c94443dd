import { InTurn } from '../../../common/index.js';
import { checkArrays, checkNames } from '../../check.js';
import { sizeOf } from '../../ir/graph.js';
import { kernelOf } from '../../kernels/kernel.js';
import type { LoweredStages } from '../../lowering.js';
import { disposedError, runInTurn } from '../../outputs.js';
import type { ArrayRecord, ElementType, Program, RunOutputs, TensorSpecs } from '../../program.js';
import { names } from '../../trace/trace.js';
import { arraysOver, type Block, blockOf, elementBytes } from '../onnx-cuda/block.js';
import { type Binding, type Bindings, BoundSession } from '../onnx-cuda/bound-session.js';
import type { CpuExecutable } from './cpu-executable.js';
import type { NativeOnnxruntime } from './native.js';
import type { SessionThreads } from './session.js';
import { SpinningChoice } from './threads.js';

/** One stage, made ready: a run of it reads the state from set `set` and writes the other. */
interface Step {
  run(set: 0 | 1): void;
  release(): void;
}

/** What TypeScript's library without a browser does not know of WebAssembly. */
interface WebAssemblyApi {
  readonly Memory: new (descriptor: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: { readonly run: (...addresses: number[]) => void } };
}
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };
const PAGE = 65_536;
/** Bytes that memory for kernels can have, with some to spare. */
export const MOST_BYTES = 2 ** 31;

const inSet = (set: 0 | 1, entry: string): string => `set ${set}/${entry}`;

/** Everything that a program reads and writes, by where it lies: both sets of the state, inputs, outputs, crossings. */
export function placesOf(program: Program, outputs: TensorSpecs, crossing: TensorSpecs): TensorSpecs {
  const named = (specs: TensorSpecs, rename: (name: string) => string): TensorSpecs =>
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [rename(name), spec]));
  return {
    ...named(program.state, (name) => inSet(0, name)),
    ...named(program.state, (name) => inSet(1, name)),
    ...named(program.inputs, names.input),
    ...named(outputs, names.output),
    ...crossing,
  };
}

/** Where the place of that name lies when set `set` has the current state. */
function placeIn(set: 0 | 1, name: string): string {
  const [current, next] = [names.state(''), names.nextState('')];
  if (name.startsWith(current)) return inSet(set, name.slice(current.length));
  return name.startsWith(next) ? inSet(set === 0 ? 1 : 0, name.slice(next.length)) : name;
}

/**
 * A compiled program that is run in stages: graphs by onnxruntime's C API, and what is done element by element on long
 * vectors by kernels of one pass. Everything lies at fixed places of one memory, so that nothing is copied between
 * stages and nothing of the state leaves it. The state has two sets of places: a run reads one and writes the other,
 * and a run that fails leaves the state as it was. Gives the bits that `OnnxExecutable` gives.
 */
export class StagedExecutable implements CpuExecutable {
  readonly executor = 'onnx-cpu';
  readonly batches = 1;
  readonly model: Uint8Array;
  readonly state: TensorSpecs;
  readonly inputs: TensorSpecs;
  readonly outputs: TensorSpecs;
  readonly #threads: number;
  readonly #block: Block;
  readonly #base: bigint;
  readonly #memory: { readonly buffer: ArrayBuffer };
  readonly #arrays: Record<string, Float32Array | Int32Array | Uint8Array>;
  /** The stages with waiting threads, with spinning threads, or both. */
  readonly #steps = new Map<boolean, readonly Step[]>();
  readonly #choice = new SpinningChoice();
  #set: 0 | 1 = 0;
  readonly #turns = new InTurn();
  #disposed = false;

  /** CORRUPT_DATA where onnxruntime refuses a stage; what was made until then is freed. */
  constructor(
    native: NativeOnnxruntime,
    program: Program,
    lowered: LoweredStages & { readonly model: Uint8Array; readonly outputs: TensorSpecs },
    options: { readonly threads: number; readonly spinning: readonly boolean[]; readonly initialState: ArrayRecord },
  ) {
    this.model = lowered.model;
    this.state = program.state;
    this.inputs = program.inputs;
    this.outputs = lowered.outputs;
    this.#threads = options.threads;
    const places = placesOf(program, lowered.outputs, lowered.crossing);
    this.#block = blockOf(places);
    this.#memory = new wasm.Memory({ initial: Math.ceil(this.#block.bytes / PAGE) });
    this.#arrays = arraysOver(this.#memory.buffer, this.#block, places);
    this.#base = native.addressOf(new Uint8Array(this.#memory.buffer));
    const kernels = lowered.stages.map((stage) => (stage.kind === 'kernel' ? this.#kernel(stage) : undefined));
    try {
      for (const spinning of options.spinning) {
        const steps: Step[] = [];
        this.#steps.set(spinning, steps);
        for (const [i, stage] of lowered.stages.entries()) {
          if (stage.kind === 'kernel') steps.push(kernels[i]!);
          else {
            const session = { provider: 'cpu' as const, threads: options.threads, spinning };
            const sets = ([0, 1] as const).map((set) => this.#bindings(stage, set));
            steps.push(new BoundSession(native.api, stage.model, session, sets));
          }
        }
      }
      this.writeState(options.initialState);
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  #address(set: 0 | 1, name: string): number {
    return this.#block.offsets.get(placeIn(set, name))!;
  }

  #kernel(stage: Extract<LoweredStages['stages'][number], { kind: 'kernel' }>): Step {
    const { module, places } = kernelOf(stage);
    const instance = new wasm.Instance(new wasm.Module(module), { engine: { memory: this.#memory } });
    const addresses = ([0, 1] as const).map((set) => places.map((place) => this.#address(set, place)));
    return { run: (set) => instance.exports.run(...addresses[set]!), release: () => undefined };
  }

  #bindings(stage: Extract<LoweredStages['stages'][number], { kind: 'graph' }>, set: 0 | 1): Bindings {
    const binding = (
      name: string,
      of: string,
      offset: number,
      shape: readonly number[],
      dtype: ElementType,
    ): Binding => {
      const address = this.#base + BigInt(this.#address(set, of) + offset * elementBytes(dtype));
      return { name, shape, dtype, address };
    };
    const whole = (specs: TensorSpecs): Binding[] =>
      Object.entries(specs).map(([name, { shape, dtype }]) => binding(name, name, 0, shape, dtype));
    const views = stage.views.map(({ name, of, offset, shape }) =>
      binding(name, of, offset, shape, stage.inputs[of]!.dtype),
    );
    return { inputs: [...whole(stage.inputs), ...views], outputs: whole(stage.outputs) };
  }

  /** Threads as given; spinning as given or as the latest runs made it. */
  get threads(): SessionThreads {
    const [only] = this.#steps.keys();
    return { threads: this.#threads, spinning: this.#steps.size === 1 ? only! : this.#choice.spinning };
  }

  /** Leave inputs unchanged until the promise settles. Runs that overlap keep their order. */
  run(inputs: ArrayRecord): Promise<ArrayRecord> {
    return this.#turns.run(() => this.#runNow(inputs));
  }

  async #runNow(inputs: ArrayRecord): Promise<ArrayRecord> {
    this.#alive();
    checkArrays('input', this.inputs, inputs);
    // What else the process has to do gets its turn between two runs.
    await new Promise((resolve) => setImmediate(resolve));
    for (const name of Object.keys(this.inputs)) this.#arrays[names.input(name)]!.set(inputs[name]!);
    const start = performance.now();
    for (const step of this.#steps.get(this.threads.spinning)!) step.run(this.#set);
    this.#choice.took(performance.now() - start);
    this.#set = this.#set === 0 ? 1 : 0;
    return Object.fromEntries(
      Object.keys(this.outputs).map((name) => [name, this.#arrays[names.output(name)]!.slice()]),
    );
  }

  runAll(batches: readonly ArrayRecord[]): Promise<RunOutputs> {
    return runInTurn(this, batches);
  }

  readState(entries: readonly string[] = Object.keys(this.state)): ArrayRecord {
    this.#alive();
    checkNames('state', this.state, entries);
    return Object.fromEntries(entries.map((name) => [name, this.#arrays[inSet(this.#set, name)]!.slice()]));
  }

  writeState(state: ArrayRecord): void {
    this.#alive();
    checkArrays('state', this.state, state);
    for (const name of Object.keys(this.state)) this.#arrays[inSet(this.#set, name)]!.set(state[name]!);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#turns.ended();
    this.#release();
  }

  #release(): void {
    for (const step of [...this.#steps.values()].flat()) step.release();
    this.#steps.clear();
  }

  #alive(): void {
    if (this.#disposed) throw disposedError();
  }
}

/** Whether a program's places fit a memory for kernels. */
export const fitsMemory = (places: TensorSpecs): boolean =>
  Object.values(places).reduce((bytes, { shape, dtype }) => bytes + sizeOf(shape) * elementBytes(dtype), 0) <
  MOST_BYTES;
