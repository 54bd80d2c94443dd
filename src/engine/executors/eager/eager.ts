import type { Availability, Executor, NamedDevice } from '../executor.js';
import { backendStatus } from './backends.js';
import { EagerExecutable } from './eager-executable.js';

const available = (device: NamedDevice): Promise<Availability> =>
  backendStatus(device === 'tensorflow' ? 'tensorflow' : 'wasm');

/** Runs programs operation by operation on a tfjs backend: the reference for the others, and slower than they are. */
export const eager: Executor = {
  name: 'eager',
  devices: ['tensorflow', 'wasm'],
  priority: 0,
  available,
  async compile(program, device, { steps, initialState }) {
    return new EagerExecutable(program, { backend: device, steps, initialState });
  },
};
