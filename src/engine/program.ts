import type { Tensor } from '@tensorflow/tfjs';

/**
 * Element types a program's state, inputs and outputs may have. `uint8` is for inputs (images): the array given is a
 * Uint8Array, the function sees a float32 tensor of the numbers 0 to 255.
 */
export type ElementType = 'float32' | 'int32' | 'uint8';

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

export type TensorSpecs = Readonly<Record<string, TensorSpec>>;
/** Symbolic or real tfjs tensors by name: what a program's function is written on. */
export type TensorRecord = Readonly<Record<string, Tensor>>;
/** Values at the border of the engine: flat, row-major, by name. */
export type ArrayRecord = Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;

/**
 * A pure step on named tensors: (state, inputs) → (state, outputs). It may use any tfjs operation whose kernels the
 * engine supports, `tf.grads`/`tf.variableGrads` included; it may not read data, draw random numbers or keep
 * anything between calls. Every state entry must be returned, with its shape.
 */
export interface Program {
  readonly name: string;
  /** Tensors that live from one run to the next: parameters, moments, targets. */
  readonly state: TensorSpecs;
  /** Tensors given with every run: batches, noise, learning-rate coefficients. */
  readonly inputs: TensorSpecs;
  readonly step: (state: TensorRecord, inputs: TensorRecord) => { state: TensorRecord; outputs: TensorRecord };
}

/** The outputs of one or more runs. What lies on a device is fetched when it is read. */
export interface RunOutputs {
  readonly runs: number;
  /**
   * The outputs of run `run`, from 0; the last by default. INVALID_ARGUMENT for a run that was not made, and where a
   * later run of the executable has overwritten outputs that were not read.
   */
  read(run?: number): ArrayRecord;
}

/** A compiled program with its state. Runs block the calling thread: call them where nothing else must happen. */
export interface Executable {
  /** The executor, and where it serves several devices the device: `onnx-cpu`, `eager/wasm`. */
  readonly executor: string;
  readonly state: TensorSpecs;
  /** As declared, with a leading axis `unroll` where unroll > 1. */
  readonly inputs: TensorSpecs;
  /** As traced, with a leading axis `unroll` where unroll > 1. */
  readonly outputs: TensorSpecs;
  /** Runs the step (`unroll` steps), advances the state and gives the outputs. Shapes are checked: INVALID_ARGUMENT. */
  run(inputs: ArrayRecord): Promise<ArrayRecord>;
  /** How many batches {@link runAll} is best given at once: 1 where more gain nothing. */
  readonly batches: number;
  /**
   * As many runs in order as there are batches of inputs. On a GPU this is faster than one by one, because the outputs
   * stay there until they are read. Where a batch is refused, the runs before it have been made.
   */
  runAll(batches: readonly ArrayRecord[]): Promise<RunOutputs>;
  /** A copy of the state, or only of the entries named. INVALID_ARGUMENT for a name that it does not have. */
  readState(entries?: readonly string[]): ArrayRecord;
  /** Replaces the state (all entries). */
  writeState(state: ArrayRecord): void;
  dispose(): Promise<void>;
}
