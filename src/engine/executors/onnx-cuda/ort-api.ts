import { IqLearnError } from '../../../common/index.js';
import { type CType, type Koffi, loadLibrary } from './ffi.js';

/**
 * The functions that are used, with their places in the table `OrtApi` of onnxruntime_c_api.h. The C API promises that
 * a place never changes. Functions that can fail return a status, those named Release return nothing.
 */
const functions = {
  GetErrorMessage: [2, 'str (void *status)'],
  CreateEnv: [3, 'void *(int level, str id, _Out_ void **out)'],
  CreateSessionFromArray: [8, 'void *(void *env, const void *model, size_t bytes, void *options, _Out_ void **out)'],
  CreateSessionOptions: [10, 'void *(_Out_ void **out)'],
  SetSessionLogSeverityLevel: [22, 'void *(void *options, int level)'],
  SetIntraOpNumThreads: [24, 'void *(void *options, int threads)'],
  SetInterOpNumThreads: [25, 'void *(void *options, int threads)'],
  CreateRunOptions: [39, 'void *(_Out_ void **out)'],
  CreateTensorWithDataAsOrtValue: [
    49,
    'void *(void *memory, void *data, size_t bytes, const int64_t *shape, size_t rank, int type, _Out_ void **out)',
  ],
  CreateMemoryInfo: [68, 'void *(str name, int allocator, int device, int type, _Out_ void **out)'],
  ReleaseStatus: [93, 'void (void *status)'],
  ReleaseMemoryInfo: [94, 'void (void *memory)'],
  ReleaseSession: [95, 'void (void *session)'],
  ReleaseValue: [96, 'void (void *value)'],
  ReleaseRunOptions: [97, 'void (void *options)'],
  ReleaseSessionOptions: [100, 'void (void *options)'],
  AddSessionConfigEntry: [130, 'void *(void *options, str key, str value)'],
  RunWithBinding: [133, 'void *(void *session, void *run, void *binding)'],
  CreateIoBinding: [134, 'void *(void *session, _Out_ void **out)'],
  ReleaseIoBinding: [135, 'void (void *binding)'],
  BindInput: [136, 'void *(void *binding, str name, void *value)'],
  BindOutput: [137, 'void *(void *binding, str name, void *value)'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'void *(void *options, void *cuda)'],
  CreateCUDAProviderOptions: [205, 'void *(_Out_ void **out)'],
  UpdateCUDAProviderOptions: [206, 'void *(void *cuda, const char **keys, const char **values, size_t count)'],
  ReleaseCUDAProviderOptions: [208, 'void (void *cuda)'],
} as const satisfies Record<string, readonly [number, string]>;

/** The version of the C API that is asked for: any onnxruntime from 1.20 on has it. */
const API_VERSION = 20;
/** Bytes of a function pointer on the 64-bit platforms that koffi and onnxruntime share. */
const POINTER = 8;

/** onnxruntime's C functions. A call that fails throws CORRUPT_DATA or INTERNAL with onnxruntime's own message. */
export type OrtApi = Readonly<Record<keyof typeof functions, (...values: unknown[]) => void>>;

const loaded = new Map<string, { readonly api: OrtApi; readonly version: string }>();
/** koffi knows a prototype by its name once and for all, whichever library it is used with. */
let prototypes: Readonly<Record<string, CType>> | undefined;

function prototypesOf(koffi: Koffi): Readonly<Record<string, CType>> {
  const texts = Object.entries(functions).map(([name, [, text]]) => [name, text] as const);
  const base = [['GetApi', 'void *(uint32_t version)'] as const, ['GetVersionString', 'str ()'] as const];
  prototypes ??= Object.fromEntries(
    [...texts, ...base].map(([name, text]) => [name, koffi.proto(text.replace('(', `Ort${name}(`))]),
  );
  return prototypes;
}

/** The C API of the library at `path`, with the library's version. UNAVAILABLE where it does not load or is too old. */
export function loadOrtApi(koffi: Koffi, path: string): { readonly api: OrtApi; readonly version: string } {
  const before = loaded.get(path);
  if (before !== undefined) return before;
  const types = prototypesOf(koffi);
  const base = loadLibrary(koffi, path).func('void *OrtGetApiBase()')();
  const functionAt = (pointer: unknown, type: CType): ((...values: unknown[]) => unknown) =>
    koffi.decode(pointer, type) as never;
  const version = functionAt(koffi.decode(base, POINTER, 'void *'), types.GetVersionString!)() as string;
  const table = functionAt(koffi.decode(base, 'void *'), types.GetApi!)(API_VERSION);
  if (table === null)
    throw new IqLearnError('UNAVAILABLE', `onnxruntime ${version} is too old`, {
      found: path,
      expected: `version 1.${API_VERSION} or newer`,
    });
  const call = (name: keyof typeof functions): ((...values: unknown[]) => unknown) =>
    functionAt(koffi.decode(table, functions[name][0] * POINTER, 'void *'), types[name]!);
  const [messageOfStatus, release] = [call('GetErrorMessage'), call('ReleaseStatus')];
  const checked = (name: keyof typeof functions): ((...values: unknown[]) => void) => {
    const raw = call(name);
    if (name.startsWith('Release')) return (...values) => void raw(...values);
    return (...values) => {
      const status = raw(...values);
      if (status === null) return;
      const found = messageOfStatus(status) as string;
      release(status);
      const creating = name === 'CreateSessionFromArray';
      if (creating)
        throw new IqLearnError('CORRUPT_DATA', 'onnxruntime refuses the model', {
          found,
          expected: 'a model written by iq_learn',
        });
      throw new IqLearnError('INTERNAL', `onnxruntime's ${name} failed`, { found });
    };
  };
  const names = Object.keys(functions) as (keyof typeof functions)[];
  const api = Object.fromEntries(names.map((name) => [name, checked(name)])) as OrtApi;
  const result = { api, version };
  loaded.set(path, result);
  return result;
}
