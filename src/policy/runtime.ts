import { blockValues, entryNames, type Observation, type ObservationSpec } from '../common/index.js';
import type { InferenceModel } from '../engine/index.js';
import { observationOf } from '../robot/index.js';
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
   * An observation in the robot's units → action [a] in the robot's units, within its range. The observation is one
   * array where it is one block, else a record of arrays by the names of the blocks. Without noise the action is the
   * deterministic one; with noise [a] ~ N(0, 1) it is a sample of the policy.
   * Computes on the calling thread (tens of microseconds); the arrays given may be reused after the call returns.
   */
  act(observation: Observation, noise?: ArrayLike<number>): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Prepares runs of a policy model on observations of these blocks: the arrays given are copied at once, and the function
 * that is returned runs the model on the copies. The result is the caller's own. Throws INVALID_ARGUMENT.
 */
export function prepareRuns(
  model: InferenceModel,
  spec: ObservationSpec,
): (observation: Observation, noise: ArrayLike<number>) => () => Promise<Float32Array> {
  const names = entryNames('observation', spec);
  return (observation, noise) => {
    const values = blockValues<ArrayLike<number>>(spec, observation, 'observation');
    const inputs: Record<string, Float32Array | Uint8Array> = { noise: new Float32Array(noise) };
    for (let i = 0; i < values.length; i++)
      inputs[names[i]!] = spec[i]!.dtype === 'uint8' ? new Uint8Array(values[i]!) : new Float32Array(values[i]!);
    return async () => (await model.run(inputs)).action as Float32Array;
  };
}

export function createRuntime(model: InferenceModel, manifest: Manifest): PolicyRuntime {
  const { contract, version, training } = manifest;
  const prepare = prepareRuns(model, observationOf(contract));
  const noNoise = new Float32Array(contract.action.length);
  // The model's arrays hold one result at a time, so calls run one after the other; the first starts at once.
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    id: `${contract.robot}/${version}/${manifest.model.sha256.slice(0, 12)}`,
    version,
    contract,
    training,
    act: (given, noise = noNoise) => {
      let run: () => Promise<Float32Array>;
      try {
        run = prepare(given, noise);
      } catch (error) {
        return Promise.reject(error);
      }
      const action = waiting++ === 0 ? run() : last.then(run);
      last = action.catch(() => undefined).then(() => waiting--);
      return action;
    },
    dispose: () => model.dispose(),
  };
}
