export { decodeBundle, encodeBundle, type PolicyBundle } from './bundle.js';
export { combineBundles, type NamedBundle } from './combine.js';
export type { ContractFeature, PolicyContract } from './contract.js';
export { readBundle, readBundleFiles, writeBundle } from './folder.js';

export type { TrainingSummary } from './manifest.js';
export type { PolicyFunction } from './policy-function.js';
export type { PolicyRuntime } from './runtime.js';
