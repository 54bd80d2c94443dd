import type { InferenceModel } from '../engine/index.js';
import type { PolicyContract } from './contract.js';
import type { Manifest, TrainingSummary } from './manifest.js';

/** A policy that is loaded and has passed all checks. */
export interface PolicyRuntime {
  /** Robot, version and the first digits of the model's hash: names this policy in logs and records. */
  readonly id: string;
  readonly version: number;
  readonly contract: PolicyContract;
  readonly training: TrainingSummary;
  /**
   * observation [o] in the robot's units → action [a] in the robot's units, within its range. Without noise the
   * deterministic action; with noise [a] ~ N(0, 1) a sample of the policy.
   * Computes on the calling thread (tens of microseconds); the arrays given may be reused after the call returns.
   */
  act(observation: ArrayLike<number>, noise?: ArrayLike<number>): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** One run of a policy model; the result is the caller's own. */
export async function actOnce(
  model: InferenceModel,
  observation: Float32Array,
  noise: Float32Array,
): Promise<Float32Array> {
  const { action } = await model.run({ observation, noise });
  return Float32Array.from(action!);
}

export function createRuntime(model: InferenceModel, manifest: Manifest): PolicyRuntime {
  const { contract, version, training } = manifest;
  const noNoise = new Float32Array(contract.action.length);
  // The model's arrays hold one result at a time, so calls run one after the other; the first starts at once.
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    id: `${contract.robot}/${version}/${manifest.model.sha256.slice(0, 12)}`,
    version,
    contract,
    training,
    act: (observation, noise) => {
      const x = Float32Array.from(observation);
      const epsilon = noise === undefined ? noNoise : Float32Array.from(noise);
      const action = waiting++ === 0 ? actOnce(model, x, epsilon) : last.then(() => actOnce(model, x, epsilon));
      last = action.catch(() => undefined).then(() => waiting--);
      return action;
    },
    dispose: () => model.dispose(),
  };
}
