export * from './bundle.js';
export type { ContractFeature, PolicyContract } from './contract.js';
export * from './folder.js';
export { GOLDEN_TOLERANCE, type GoldenVector } from './golden.js';
export { MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, type TrainingSummary } from './manifest.js';
export * from './policy-function.js';
export * from './runtime.js';
