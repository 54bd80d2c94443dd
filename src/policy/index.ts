export { decodeBundle, encodeBundle, type PolicyBundle } from './bundle.js';
export type { ContractFeature, PolicyContract } from './contract.js';
export { readBundle, readBundleFiles, writeBundle } from './folder.js';
export { GOLDEN_TOLERANCE, type GoldenVector } from './golden.js';
export { MAX_MANIFEST_BYTES, MAX_MODEL_BYTES, type TrainingSummary } from './manifest.js';
export type { PolicyFunction } from './policy-function.js';
export type { PolicyRuntime } from './runtime.js';
