export { type CompileOptions, compile } from './compile.js';
export type { EagerBackend } from './executors/eager/backends.js';
export { OnnxExecutable } from './executors/onnx-cpu/onnx-executable.js';
export type { SessionThreads } from './executors/onnx-cpu/session.js';
export { type InferenceModel, type InferenceOptions, loadInference, traceInference } from './inference.js';
export {
  inspectModel,
  type ModelSummary,
  type NodeSummary,
  type ProductSummary,
  type TensorSummary,
} from './inspect.js';
export type { ArrayRecord, Executable, Program, TensorRecord, TensorSpec } from './program.js';
export { supportedKernels } from './trace/symbolic-backend.js';
