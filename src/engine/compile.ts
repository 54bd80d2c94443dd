import { IqLearnError } from '../common/index.js';
import { checkArrays } from './check.js';
import type { Device, ExecutorOptions } from './executors/executor.js';
import type { CpuExecutable } from './executors/onnx-cpu/cpu-executable.js';
import { chooseDevice, executorOf } from './executors/registry.js';
import type { Executable, Program } from './program.js';

export interface CompileOptions extends Omit<ExecutorOptions, 'steps'> {
  /** `auto` by default: the best device that is available, see `chooseDevice`. */
  readonly device?: Device;
  /** Steps of the program in one run, 1 by default: above 1, inputs and outputs get a leading axis of this length. */
  readonly unroll?: number;
}

/**
 * Compiles a program. INVALID_ARGUMENT for a state, unroll or program that does not fit, UNSUPPORTED for what cannot
 * be traced (with the kernel and the line) or run on the device, UNAVAILABLE where the device cannot be used.
 */
export function compile(program: Program, options: CompileOptions & { readonly device: 'cpu' }): Promise<CpuExecutable>;
export function compile(program: Program, options: CompileOptions): Promise<Executable>;
export async function compile(program: Program, options: CompileOptions): Promise<Executable> {
  const { device: wanted = 'auto', unroll = 1, ...rest } = options;
  if (!Number.isInteger(unroll) || unroll < 1)
    throw new IqLearnError('INVALID_ARGUMENT', 'wrong unroll', { found: `${unroll}`, expected: 'an integer from 1' });
  checkArrays('state', program.state, options.initialState);
  const { device } = await chooseDevice(wanted);
  return executorOf(device).compile(program, device, { ...rest, steps: unroll });
}
