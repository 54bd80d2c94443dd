import { IqLearnError } from '../../../common/index.js';
import { type Address, type Koffi, loadLibrary, made } from './ffi.js';

/** Memory of the device that a program runs on. Copies have been made when they return. */
export interface DeviceMemory {
  /** At an address that is a multiple of {@link ALIGNMENT}. */
  allocate(bytes: number): Address;
  free(address: Address): void;
  write(to: Address, from: ArrayBufferView): void;
  read(to: ArrayBufferView, from: Address): void;
  /** From one place on the device to another. */
  move(to: Address, from: Address, bytes: number): void;
}

/** What CUDA's own allocator guarantees, and its libraries expect for speed. */
export const ALIGNMENT = 256;

/** The kind of a copy, by cudart's numbers. */
const TO_DEVICE = 1;
const TO_HOST = 2;
const ON_DEVICE = 3;

/** Memory of a GPU through CUDA's runtime library at `path`. */
export function cudaMemory(koffi: Koffi, path: string): DeviceMemory {
  const cudart = loadLibrary(koffi, path);
  const malloc = cudart.func('int cudaMalloc(_Out_ void **, size_t)');
  const free = cudart.func('int cudaFree(void *)');
  const memcpy = cudart.func('int cudaMemcpy(void *, const void *, size_t, int)');
  const nameOf = cudart.func('str cudaGetErrorString(int)');
  const check = (what: string, code: unknown): void => {
    if (code === 0) return;
    throw new IqLearnError('INTERNAL', `the GPU could not ${what}`, {
      found: `CUDA error ${code}: ${nameOf(code)}`,
      remedy: "look at 'nvidia-smi': another process may hold its memory",
    });
  };
  return {
    allocate: (bytes) => {
      const allocate = (size: unknown, out: unknown): void => check(`allocate ${size} bytes`, malloc(out, size));
      return koffi.address(made(allocate as never, bytes));
    },
    free: (address) => check('free memory', free(address)),
    write: (to, from) => check('be written to', memcpy(to, from, from.byteLength, TO_DEVICE)),
    read: (to, from) => check('be read', memcpy(to, from, to.byteLength, TO_HOST)),
    move: (to, from, bytes) => check('copy memory', memcpy(to, from, bytes, ON_DEVICE)),
  };
}

/** The process's own memory under the same interface: with it, all but the GPU itself is tested on any machine. */
export function hostMemory(koffi: Koffi): DeviceMemory {
  const libc = loadLibrary(koffi, 'libc.so.6');
  const allocate = libc.func('void *aligned_alloc(size_t, size_t)');
  const free = libc.func('void free(void *)');
  const memcpy = libc.func('void *memcpy(void *, const void *, size_t)');
  return {
    allocate: (bytes) => koffi.address(allocate(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT)),
    free: (address) => void free(address),
    write: (to, from) => void memcpy(to, from, from.byteLength),
    read: (to, from) => void memcpy(to, from, to.byteLength),
    move: (to, from, bytes) => void memcpy(to, from, bytes),
  };
}
