import type { Tensor } from '@tensorflow/tfjs';
import type { TensorRecord, TensorSpec } from '../engine/index.js';

/**
 * A policy as a pure function with its constants: observation [1, o] in the robot's units and noise [1, a] →
 * action [1, a] in [−1, 1]. noise 0 gives the deterministic action, noise ~ N(0, 1) a sample of the policy.
 * Normalisation of the observation is inside. Learners make it, and {@link encodeBundle} writes it.
 */
export interface PolicyFunction {
  readonly observationSize: number;
  readonly actionSize: number;
  readonly constants: Readonly<Record<string, { readonly spec: TensorSpec; readonly data: Float32Array }>>;
  apply(inputs: TensorRecord, constants: TensorRecord): { action: Tensor };
}
