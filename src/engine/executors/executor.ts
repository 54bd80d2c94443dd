import type { ArrayRecord, Executable, Program } from '../program.js';

/**
 * What a program can be told to run on. `auto` takes the best of the others that is available here. `cpu` and `cuda`
 * run the traced program by onnxruntime, `tensorflow` and `wasm` run it operation by operation on a tfjs backend.
 */
export const devices = ['auto', 'cpu', 'cuda', 'tensorflow', 'wasm'] as const;
export type Device = (typeof devices)[number];
export type NamedDevice = Exclude<Device, 'auto'>;

/** Whether a device can be used on this machine: with what, or why not and what to do about it. */
export type Availability =
  | { readonly available: true; readonly detail: string }
  | { readonly available: false; readonly found: string; readonly expected: string; readonly remedy: string };
export type Unavailable = Exclude<Availability, { readonly available: true }>;

export interface ExecutorOptions {
  /** The first state; copied, and already checked against the program. */
  readonly initialState: ArrayRecord;
  /** Steps of the program in one run. Above 1, inputs and outputs have a leading axis of this length. */
  readonly steps: number;
  /**
   * Threads of onnxruntime on the CPU. The same number gives the same bits on one machine; another number may not.
   * `auto`, the default, is the number of cores (at most 8), whatever the load.
   */
  readonly threads?: number | 'auto';
  /** Whether waiting threads stay active (results do not depend on it); by default what is faster. */
  readonly spinning?: boolean;
  /** Makes onnxruntime write a profile (JSON) to a file of this prefix on `dispose`. */
  readonly profilePrefix?: string;
}

/** One way to run programs. A new one is a folder here and a line in `registry.ts`. */
export interface Executor {
  readonly name: string;
  /** The devices it serves, best first. */
  readonly devices: readonly NamedDevice[];
  /** `auto` takes the available executor with the highest priority. */
  readonly priority: number;
  /** Finds out whether a device can be used. Never throws; the answer is kept for the life of the process. */
  available(device: NamedDevice): Promise<Availability>;
  /** Compiles for a device that is available. UNSUPPORTED for a program that it cannot run. */
  compile(program: Program, device: NamedDevice, options: ExecutorOptions): Promise<Executable>;
}
