export { type CompileOptions, compile } from './compile.js';
export * from './program.js';
export { supportedKernels } from './trace/symbolic-backend.js';
