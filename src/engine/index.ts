export { type CompileOptions, compile, type OnnxExecutable } from './compile.js';
export type { EagerBackend } from './eager/backends.js';
export { type InferenceModel, type InferenceOptions, loadInference, traceInference } from './inference.js';
export {
  inspectModel,
  type ModelSummary,
  type NodeSummary,
  type ProductSummary,
  type TensorSummary,
} from './inspect.js';
export type { SessionThreads } from './onnx/session.js';
export * from './program.js';
export { supportedKernels } from './trace/symbolic-backend.js';
