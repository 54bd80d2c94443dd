import type { Tensor } from '@tensorflow/tfjs';
import type { ObservationSpec } from '../common/index.js';
import type { TensorRecord, TensorSpec } from '../engine/index.js';

/**
 * A policy as a pure function with its constants: an observation in the robot's units and noise [1, a] → action [1, a]
 * in [−1, 1]. Noise 0 gives the deterministic action, noise ~ N(0, 1) a sample of the policy. Normalisation of the
 * observation is inside. A learner makes it, and {@link encodeBundle} writes it.
 *
 * The observation is the input `observation` [1, …shape] where it is one block; of several blocks each is an input
 * `observation_<name>` (`entryNames`). Bytes arrive as float32 numbers from 0 to 255.
 */
export interface PolicyFunction {
  readonly observation: ObservationSpec;
  readonly actionSize: number;
  readonly constants: Readonly<Record<string, { readonly spec: TensorSpec; readonly data: Float32Array }>>;
  apply(inputs: TensorRecord, constants: TensorRecord): { action: Tensor };
}
