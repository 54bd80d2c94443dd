import * as tf from '@tensorflow/tfjs';
import {
  ActionRange,
  blockInputs,
  blockValues,
  describeObservation,
  IqLearnError,
  messageOf,
  sameBlocks,
  shapeSize,
} from '../common/index.js';
import {
  type InferenceModel,
  loadInference,
  type TensorRecord,
  type TensorSpec,
  traceInference,
} from '../engine/index.js';
import { sha256 } from '../platform/index.js';
import { observationOf } from '../robot/index.js';
import { contractText, type PolicyContract } from './contract.js';
import { checkGoldenVectors, goldenVectors } from './golden.js';
import {
  FORMAT,
  formatVersion,
  MAX_MODEL_BYTES,
  type Manifest,
  openManifest,
  sealManifest,
  type TrainingSummary,
} from './manifest.js';
import type { PolicyFunction } from './policy-function.js';
import { createRuntime, type PolicyRuntime, prepareRuns } from './runtime.js';

/** A policy as files: the model, and the manifest with its hash, its contract and golden vectors. */
export interface PolicyBundle {
  /** policy.onnx */
  readonly model: Uint8Array;
  /** manifest.json */
  readonly manifest: string;
}

/** What a bundle says of its model. */
export interface SealedContent {
  /** The robot that it is for: names, units, ranges, rate (`contractOf(spec)`). Action ranges are finite. */
  readonly contract: PolicyContract;
  /** Increases over one training run; 0 before its first update. */
  readonly version: number;
  readonly training?: TrainingSummary;
}

export interface BundleContent extends SealedContent {
  readonly policy: PolicyFunction;
}

function checkContent({ policy, contract, version }: BundleContent): void {
  const refuse = (what: string, found: string, expected: string): never => {
    throw new IqLearnError('MISMATCH', `cannot make a policy bundle: ${what}`, {
      found,
      expected,
      remedy: 'give the contract of the robot that the policy was trained for',
    });
  };
  const [made, robot] = [policy.observation, observationOf(contract)];
  if (!sameBlocks(made, robot))
    refuse('observations differ', `${describeObservation(made)} (policy)`, `${describeObservation(robot)} (robot)`);
  if (policy.actionSize !== contract.action.length)
    refuse('action sizes differ', `${policy.actionSize} (policy)`, `${contract.action.length} (robot)`);
  for (const { name, low, high } of contract.action)
    if (low === null || high === null || !(low < high))
      refuse(`action ${name} has no range to scale to`, `${low ?? '−∞'} … ${high ?? '∞'}`, 'finite low < high');
  if (!Number.isSafeInteger(version) || version < 0) refuse('bad version', String(version), 'an integer ≥ 0');
}

/**
 * Writes a policy as one ONNX model (observation [1, o], noise [1, a] → action [1, a], all in the robot's units:
 * normalisation, squashing and scaling inside) with its contract as metadata, and the manifest that seals it with
 * hashes and golden vectors. An observation of several blocks has an input for each, `observation_<name>` [1, …shape],
 * of bytes where the block is of bytes. Equal content gives equal bytes. Throws MISMATCH where policy and contract differ.
 */
export async function encodeBundle(content: BundleContent): Promise<PolicyBundle> {
  checkContent(content);
  const { policy, contract } = content;
  const a = contract.action.length;
  const observation = observationOf(contract);
  const range = ActionRange.of(contract.action);
  const row = (values: ArrayLike<number>) => ({
    spec: { shape: [1, a], dtype: 'float32' } as const,
    data: Float32Array.from(values),
  });
  const bytes = await traceInference(
    (inputs: TensorRecord, { action_middle, action_half, ...constants }: TensorRecord) => {
      const { action } = policy.apply(inputs, constants);
      return { action: tf.add(tf.mul(action, action_half!), action_middle!) };
    },
    {
      name: 'policy',
      inputs: {
        ...blockInputs('observation', observation, 1),
        noise: { shape: [1, a], dtype: 'float32' },
      },
      constants: {
        ...policy.constants,
        action_middle: row(range.middle),
        action_half: row(range.half),
      },
      metadata: modelMetadata(content),
    },
  );
  return await sealBundle(bytes, content);
}

/** What the metadata of a model says of the bundle that it is in. */
export function modelMetadata({ contract, version, training = {} }: SealedContent): Readonly<Record<string, string>> {
  return {
    format: FORMAT,
    format_version: String(formatVersion(contract)),
    robot: contract.robot,
    policy_version: String(version),
    contract: contractText(contract),
    training: JSON.stringify(training),
  };
}

/** The bundle of a model that has its metadata: golden vectors are made by running it. Throws DIVERGED where its actions are no numbers. */
export async function sealBundle(
  bytes: Uint8Array,
  { contract, version, training = {} }: SealedContent,
): Promise<PolicyBundle> {
  const model = await loadInference(bytes);
  try {
    const run = prepareRuns(model, observationOf(contract));
    const golden = await goldenVectors(contract, (given, noise) => run(given, noise)());
    for (const { action } of golden)
      if (!action.every(Number.isFinite))
        throw new IqLearnError(
          'DIVERGED',
          'cannot make a policy bundle: the policy gives actions that are no numbers',
          {
            found: `[${action.join(', ')}]`,
            expected: 'finite actions',
            remedy: 'go back to an earlier checkpoint',
          },
        );
    const manifest = sealManifest({
      version,
      model: { file: 'policy.onnx', bytes: bytes.byteLength, sha256: sha256(bytes) },
      contract: JSON.parse(contractText(contract)),
      training: { ...training },
      golden,
    });
    // A copy: the engine's bytes may be a view of a larger buffer, which must not be sent with it.
    return { model: Uint8Array.from(bytes), manifest };
  } finally {
    await model.dispose();
  }
}

/**
 * Opens a bundle for running and checks all of it: manifest, size and SHA-256, then the model itself, its shapes and
 * metadata against the contract, and the golden vectors. No byte of the model is decoded before its hash is right.
 * The caller must check that the contract fits the robot (`checkContract`).
 * Throws CORRUPT_DATA (altered, cut, unreadable) or MISMATCH (another shape or another robot's model).
 */
export async function decodeBundle(bundle: PolicyBundle, source = 'policy bundle'): Promise<PolicyRuntime> {
  const manifest = openManifest(bundle.manifest, source);
  checkBytes(bundle.model, manifest, source);
  let model: InferenceModel;
  try {
    model = await loadInference(bundle.model);
  } catch (cause) {
    if (cause instanceof IqLearnError && cause.code === 'UNAVAILABLE') throw cause;
    throw new IqLearnError('CORRUPT_DATA', `${source}: the policy model does not load`, {
      found: messageOf(cause),
      expected: 'an ONNX model that this onnxruntime runs',
      remedy: 'export the bundle again with this version of iq_learn',
      cause,
    });
  }
  try {
    checkModel(model, manifest, source);
    const run = prepareRuns(model, observationOf(manifest.contract));
    await checkGoldenVectors(manifest.golden, manifest.contract, source, (given, noise) => run(given, noise)());
  } catch (error) {
    await model.dispose();
    throw error;
  }
  return createRuntime(model, manifest);
}

function checkBytes(model: Uint8Array, { model: expected }: Manifest, source: string): void {
  const refuse = (found: string, wanted: string): never => {
    throw new IqLearnError('CORRUPT_DATA', `${source}: the policy model is refused`, {
      found,
      expected: wanted,
      remedy: 'copy the bundle again from where it was made',
    });
  };
  if (model.byteLength > MAX_MODEL_BYTES) refuse(`${model.byteLength} bytes`, `at most ${MAX_MODEL_BYTES} bytes`);
  if (model.byteLength !== expected.bytes) refuse(`${model.byteLength} bytes`, `${expected.bytes} bytes`);
  const found = sha256(model);
  if (found !== expected.sha256) refuse(`SHA-256 ${found}`, `SHA-256 ${expected.sha256}`);
}

function checkModel(model: InferenceModel, { contract, version, golden }: Manifest, source: string): void {
  const a = contract.action.length;
  const refuse = (field: string, found: unknown, expected: unknown): never => {
    throw new IqLearnError('MISMATCH', `${source}: model and manifest do not belong together: ${field}`, {
      found: String(found),
      expected: String(expected),
      remedy: 'take model and manifest from the same bundle',
    });
  };
  const shape = (field: string, found: TensorSpec | undefined, wanted: TensorSpec): void => {
    const text = ({ shape, dtype }: TensorSpec): string =>
      `${dtype === 'float32' ? '' : `${dtype} `}[${shape.join(', ')}]`;
    if (found === undefined || text(found) !== text(wanted))
      refuse(`shape of ${field}`, found === undefined ? 'none' : text(found), text(wanted));
  };
  const spec = observationOf(contract);
  for (const [name, wanted] of Object.entries(blockInputs('observation', spec, 1)))
    shape(name, model.inputs[name], wanted);
  shape('noise', model.inputs.noise, { shape: [1, a], dtype: 'float32' });
  shape('action', model.outputs.action, { shape: [1, a], dtype: 'float32' });
  for (const vector of golden) {
    blockValues<readonly number[]>(spec, vector.observation, 'golden observation').forEach(({ length }, i) => {
      const size = shapeSize(spec[i]!.shape);
      if (length !== size) refuse('golden observation', length, size);
    });
    if (vector.noise.length !== a) refuse('golden noise', vector.noise.length, a);
    if (vector.action.length !== a) refuse('golden action', vector.action.length, a);
  }
  const { metadata } = model;
  if (metadata.robot !== contract.robot) refuse('robot', metadata.robot, contract.robot);
  if (metadata.policy_version !== String(version)) refuse('policy version', metadata.policy_version, version);
  const text = contractText(contract);
  if (metadata.contract !== text) refuse('contract', metadata.contract, text);
}
