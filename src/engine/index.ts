export { type CompileOptions, compile } from './compile.js';
export { type Availability, type Device, devices, type NamedDevice } from './executors/executor.js';
export type { CpuExecutable } from './executors/onnx-cpu/cpu-executable.js';
export type { SessionThreads } from './executors/onnx-cpu/session.js';
export { chooseDevice, type DeviceChoice, type DeviceStatus, deviceStatus } from './executors/registry.js';
export { type InferenceModel, type InferenceOptions, loadInference, traceInference } from './inference.js';
export {
  inspectModel,
  type ModelSummary,
  type NodeSummary,
  type ProductSummary,
  type TensorSummary,
} from './inspect.js';
export { meanModel } from './onnx/mean.js';
export type { ArrayRecord, Executable, Program, RunOutputs, TensorRecord, TensorSpec } from './program.js';
