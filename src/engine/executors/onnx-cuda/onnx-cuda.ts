import { join } from 'node:path';
import { IqLearnError } from '../../../common/index.js';
import { lowerProgram } from '../../lowering.js';
import type { Program } from '../../program.js';
import type { Availability, Executor, ExecutorOptions } from '../executor.js';
import { defaultThreads } from '../onnx-cpu/threads.js';
import { type BoundDevice, BoundExecutable } from './bound-executable.js';
import { probeCuda } from './bound-session.js';
import { checkCapturable } from './capture.js';
import { type Koffi, loadKoffi, loadLibrary } from './ffi.js';
import { cudaFolder, missingOn, onnxruntimeNode, thisHost } from './host.js';
import { cudaMemory, hostMemory } from './memory.js';
import { loadOrtApi } from './ort-api.js';

/** The libraries that the CUDA provider links with, in an order in which each finds those it needs. */
const LIBRARIES = ['libcudart.so.13', 'libcublasLt.so.13', 'libcublas.so.13', 'libcurand.so.10', 'libcufft.so.12'];
/** CUDA 13.0, as the driver counts: what the libraries need. */
const CUDA_13 = 13_000;

interface Gpu {
  readonly name: string;
  /** The newest CUDA that the driver can run, 1000 × major + 10 × minor. */
  readonly cuda: number;
}

/** Asks the driver for its first GPU. INTERNAL where it refuses, UNAVAILABLE where its library does not load. */
function firstGpu(koffi: Koffi): Gpu {
  const driver = loadLibrary(koffi, 'libcuda.so.1');
  const check = (what: string, code: unknown): void => {
    if (code !== 0) throw new IqLearnError('INTERNAL', `the NVIDIA driver's ${what} failed`, { found: `code ${code}` });
  };
  const [version, count] = [Int32Array.of(0), Int32Array.of(0)];
  check('cuInit', driver.func('int cuInit(uint32_t)')(0));
  check('cuDriverGetVersion', driver.func('int cuDriverGetVersion(int *)')(version));
  check('cuDeviceGetCount', driver.func('int cuDeviceGetCount(int *)')(count));
  if (count[0] === 0) throw new IqLearnError('UNAVAILABLE', 'the NVIDIA driver finds no GPU', { found: '0 devices' });
  const name = new Uint8Array(256);
  check('cuDeviceGetName', driver.func('int cuDeviceGetName(uint8_t *, int, int)')(name, name.length, 0));
  return { name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))), cuda: version[0]! };
}

const cudaText = (version: number): string => `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;

/** IQ_LEARN_CUDA=cpu takes the CPU for the GPU: everything that leads to the device can be tested without one. */
const triedOnCpu = (): boolean => process.env.IQ_LEARN_CUDA === 'cpu';

let device: BoundDevice | undefined;

/** Loads everything that running on the GPU needs. */
async function cudaDevice(): Promise<BoundDevice> {
  if (device !== undefined) return device;
  if (triedOnCpu()) {
    device = await boundCpu(defaultThreads());
    return device;
  }
  const koffi = await loadKoffi();
  const folder = join(cudaFolder(), 'lib');
  for (const library of LIBRARIES) loadLibrary(koffi, join(folder, library));
  const { api } = loadOrtApi(koffi, join(folder, 'libonnxruntime.so.1'));
  probeCuda(api);
  device = { api, memory: cudaMemory(koffi, join(folder, 'libcudart.so.13')), provider: 'cuda', threads: 1 };
  return device;
}

async function findOut(): Promise<Availability> {
  if (triedOnCpu()) return { available: true, detail: "tried on onnxruntime's CPU provider (IQ_LEARN_CUDA=cpu)" };
  const host = await thisHost();
  const missing = missingOn(host);
  if (missing !== undefined) return missing;
  try {
    const gpu = firstGpu(await loadKoffi());
    if (gpu.cuda < CUDA_13)
      return {
        available: false,
        found: `a driver for CUDA ${cudaText(gpu.cuda)}`,
        expected: 'CUDA 13',
        remedy: 'install a driver of version 580 or newer',
      };
    await cudaDevice();
    return { available: true, detail: `${gpu.name}, CUDA ${cudaText(gpu.cuda)}, onnxruntime ${host.onnxruntime}` };
  } catch (error) {
    const { message, found, expected, remedy } = error as IqLearnError;
    return {
      available: false,
      found: found === undefined ? message : `${message}: ${found}`,
      expected: expected ?? 'a GPU that the driver can use',
      remedy: remedy ?? "look whether 'nvidia-smi' works",
    };
  }
}

/** Compiles a program for a bound device. UNSUPPORTED for one that a CUDA graph cannot hold, on the CPU as well. */
export function compileBound(
  program: Program,
  bound: BoundDevice,
  { steps, initialState }: ExecutorOptions,
  shapes: 'static' | 'dynamic' = 'static',
): BoundExecutable {
  const lowered = lowerProgram(program, { steps, shapes });
  if (shapes === 'static') checkCapturable(lowered.model);
  const executor = bound.provider === 'cuda' ? 'onnx-cuda' : 'onnx-cuda/on the CPU';
  return new BoundExecutable(bound, lowered, { executor, state: program.state, initialState });
}

/**
 * The binding on onnxruntime's CPU provider, from onnxruntime-node's own library: the same code as on a GPU but for the
 * capture. For tests and for trying the benchmark script on machines without a GPU. UNAVAILABLE without koffi.
 */
export async function boundCpu(threads: number): Promise<BoundDevice> {
  const koffi = await loadKoffi();
  const { api } = loadOrtApi(koffi, onnxruntimeNode().library);
  return { api, memory: hostMemory(koffi), provider: 'cpu', threads };
}

let availability: Promise<Availability> | undefined;

/**
 * Runs the traced program on an NVIDIA GPU: its state stays in the GPU's memory, and a whole update is one launch of a
 * CUDA graph. scripts/setup-cuda.sh fetches the libraries.
 */
export const onnxCuda: Executor = {
  name: 'onnx-cuda',
  devices: ['cuda'],
  priority: 20,
  available: () => {
    availability ??= findOut();
    return availability;
  },
  compile: async (program, _, options) => compileBound(program, await cudaDevice(), options),
};
