import { IqLearnError } from '../../../common/index.js';
import { type Koffi, loadKoffi, loadLibrary } from '../onnx-cuda/ffi.js';
import { onnxruntimeNode } from '../onnx-cuda/host.js';
import { loadOrtApi, type OrtApi } from '../onnx-cuda/ort-api.js';

/** onnxruntime-node's own library through its C API, which can be given memory to read and write. */
export interface NativeOnnxruntime {
  readonly api: OrtApi;
  /** Where the bytes of an array that never moves lie: of a memory of WebAssembly. */
  addressOf(bytes: Uint8Array): bigint;
}

function open(koffi: Koffi): NativeOnnxruntime {
  const { api } = loadOrtApi(koffi, onnxruntimeNode().library);
  // A copy of nothing answers with where it would have copied to.
  const memcpy = loadLibrary(koffi, 'libc.so.6').func('void *memcpy(void *, const void *, size_t)');
  return { api, addressOf: (bytes) => koffi.address(memcpy(bytes, bytes, 0)) };
}

let opening: Promise<NativeOnnxruntime | undefined> | undefined;

/** Undefined where koffi, an optional dependency, is not installed, and on other systems than Linux. */
export function nativeOnnxruntime(): Promise<NativeOnnxruntime | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined);
  opening ??= loadKoffi()
    .then(open)
    .catch((error: unknown) => {
      if (error instanceof IqLearnError && error.code === 'UNAVAILABLE') return undefined;
      throw error;
    });
  return opening;
}
