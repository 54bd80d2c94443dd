import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { IqLearnError, Random } from '#src/common/index.js';
import { inspectModel } from '#src/engine/index.js';
import { Actor } from '#src/learning/index.js';
import { decodeBundle, encodeBundle, type PolicyBundle, writeBundle } from '#src/policy/index.js';
import { describeWithPython, runPython } from '../support/python.js';
import { cameraAction, cameraContract, cameraPolicy, cameraWeights } from './camera-policy.js';
import { contract, linearPolicy } from './policy.js';

const weights = cameraWeights();
const made = (): Promise<PolicyBundle> =>
  encodeBundle({ policy: cameraPolicy(), contract: cameraContract, version: 3 });
const random = new Random(4);
const drawn = () => ({
  state: random.fillNormal(new Float32Array(4)),
  camera: Uint8Array.from({ length: 192 }, () => random.integer(256)),
});
async function refusal(run: () => Promise<unknown>): Promise<IqLearnError> {
  const error: unknown = await run().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(IqLearnError);
  return error as IqLearnError;
}

describe('a bundle of a policy that sees numbers and an image', () => {
  it('has an input for each block, of its type and shape, and golden vectors by block', async () => {
    const { model, manifest } = await made();
    expect(inspectModel(model).inputs).toEqual(
      expect.arrayContaining([
        { name: 'observation_state', dtype: 'float32', shape: [1, 4] },
        { name: 'observation_camera', dtype: 'uint8', shape: [1, 8, 8, 3] },
        { name: 'noise', dtype: 'float32', shape: [1, 2] },
      ]),
    );
    const { formatVersion, contract: written, golden } = JSON.parse(manifest);
    expect(formatVersion).toBe(2);
    expect(written).toEqual(cameraContract);
    expect(golden).toHaveLength(2);
    expect(golden[0].observation.state).toHaveLength(4);
    expect(golden[1].observation.camera).toHaveLength(192);
    expect(await made()).toEqual({ model, manifest });
  });

  it('acts as the function does, and as the actor of the learning loop', async () => {
    const runtime = await decodeBundle(await made());
    const actor = await Actor.create(cameraPolicy());
    for (let i = 0; i < 10; i++) {
      const observation = drawn();
      const wanted = cameraAction(weights, observation.state, observation.camera);
      const action = await runtime.act(observation);
      const inner = await actor.act(observation);
      wanted.forEach((value, k) => {
        expect(Math.abs(action[k]! - value)).toBeLessThan(1e-5);
        const { low, high } = cameraContract.action[k]!;
        expect(Math.abs(low! + ((inner[k]! + 1) / 2) * (high! - low!) - value)).toBeLessThan(1e-5);
      });
    }
    // The arrays given are copied: a camera may write over them at once.
    const observation = drawn();
    const wanted = cameraAction(weights, observation.state, observation.camera);
    const running = runtime.act(observation);
    observation.camera.fill(0);
    expect((await running)[0]).toBeCloseTo(wanted[0]!, 5);
    await Promise.all([runtime.dispose(), actor.dispose()]);
  });

  it('refuses observations without a block, and blocks of another size', async () => {
    const runtime = await decodeBundle(await made());
    const { state, camera } = drawn();
    expect(await refusal(() => runtime.act({ state }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      found: 'state',
      expected: 'state float32[4], camera uint8[8, 8, 3]',
    });
    expect((await refusal(() => runtime.act(state))).code).toBe('INVALID_ARGUMENT');
    expect((await refusal(() => runtime.act({ state, camera: camera.subarray(1) }))).code).toBe('INVALID_ARGUMENT');
    await runtime.dispose();
  });

  it('is not made where policy and contract have different blocks', async () => {
    const { blocks: _, ...blind } = cameraContract;
    const error = await refusal(() => encodeBundle({ policy: cameraPolicy(), contract: blind, version: 0 }));
    expect(error).toMatchObject({
      code: 'MISMATCH',
      found: 'state float32[4], camera uint8[8, 8, 3] (policy)',
      expected: 'state float32[4] (robot)',
    });
    const twice = { ...cameraContract, blocks: [...cameraContract.blocks!, ...cameraContract.blocks!] };
    expect((await refusal(() => encodeBundle({ policy: cameraPolicy(), contract: twice, version: 0 }))).found).toMatch(
      /'camera' twice/,
    );
  });

  it('leaves the manifest of a policy of named numbers as it was before there were blocks', async () => {
    const { manifest } = await encodeBundle({ policy: linearPolicy().policy, contract, version: 7 });
    const { formatVersion, contract: written, golden } = JSON.parse(manifest);
    expect(formatVersion).toBe(1);
    expect(Object.keys(written)).toEqual(['robot', 'rateHz', 'observation', 'action']);
    expect(golden).toHaveLength(8);
    expect(golden[0].observation).toHaveLength(3);
  });
});

describeWithPython('a bundle with an image in Python', () => {
  it('gives the same actions with onnxruntime alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'iq-camera-'));
    writeBundle(folder, await made());
    const observations = [drawn(), drawn(), drawn()];
    const plain = observations.map(({ state, camera }) => ({ state: [...state], camera: [...camera] }));
    writeFileSync(
      join(folder, 'request.json'),
      JSON.stringify({ observations: plain, noise: plain.map(() => [0, 0]) }),
    );
    const answer = JSON.parse(await runPython('test/policy/run_policy.py', folder, join(folder, 'request.json')));
    observations.forEach(({ state, camera }, i) => {
      cameraAction(weights, state, camera).forEach((value, k) => {
        expect(Math.abs(answer.actions[i][k] - value)).toBeLessThanOrEqual(1e-5);
      });
    });
    expect(answer.metadata).toMatchObject({ robot: 'seeing_bot', format_version: '2' });
    rmSync(folder, { recursive: true });
  });
});
