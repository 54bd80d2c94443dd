export { type CompileOptions, compile } from './compile.js';
export type { EagerBackend } from './eager/backends.js';
export { type InferenceModel, type InferenceOptions, loadInference, traceInference } from './inference.js';
export {
  inspectModel,
  type ModelSummary,
  type NodeSummary,
  type ProductSummary,
  type TensorSummary,
} from './inspect.js';
export { OnnxExecutable } from './onnx/onnx-executable.js';
export type { SessionThreads } from './onnx/session.js';
export type { ArrayRecord, Executable, Program, TensorRecord, TensorSpec } from './program.js';
export { supportedKernels } from './trace/symbolic-backend.js';
