import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IqLearnError, vectorObservation } from '#src/common/index.js';
import { inspectModel } from '#src/engine/index.js';
import { sha256 } from '#src/platform/index.js';
import { decodeBundle, encodeBundle, type PolicyBundle, readBundle, writeBundle } from '#src/policy/index.js';
import { sealManifest } from '#src/policy/manifest.js';
import { contract, linearPolicy } from './policy.js';

const { policy, expected } = linearPolicy();
let bundle: PolicyBundle;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iq-policy-'));
  bundle = await encodeBundle({ policy, contract, version: 7, training: { updates: 1200, algorithm: 'iq-learn' } });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function refusal(act: () => Promise<unknown>): Promise<IqLearnError> {
  try {
    await act();
  } catch (error) {
    expect(error).toBeInstanceOf(IqLearnError);
    return error as IqLearnError;
  }
  throw new Error('nothing was refused');
}

/** Edits the manifest as a forger would: the digest is not renewed. */
const edited = (change: (manifest: Record<string, never>) => void): PolicyBundle => {
  const manifest = JSON.parse(bundle.manifest);
  change(manifest);
  return { ...bundle, manifest: `${JSON.stringify(manifest, null, 1)}\n` };
};

describe('a policy bundle', () => {
  it('gives the actions of the formula, in units, with and without noise', async () => {
    const runtime = await decodeBundle(bundle);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 3, maxLength: 3 }),
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 2, maxLength: 2 }),
        async (observation, noise) => {
          const sampled = await runtime.act(observation, noise);
          const deterministic = await runtime.act(observation);
          for (let k = 0; k < 2; k++) {
            expect(sampled[k]).toBeCloseTo(expected(observation, noise)[k]!, 5);
            expect(deterministic[k]).toBeCloseTo(expected(observation, [0, 0])[k]!, 5);
          }
        },
      ),
      { numRuns: 200 },
    );
    await runtime.dispose();
  });

  it('keeps concurrent calls apart', async () => {
    const runtime = await decodeBundle(bundle);
    const observations = Array.from({ length: 20 }, (_, i) => [i / 5, 1 - i / 10, i / 20]);
    const actions = await Promise.all(observations.map((observation) => runtime.act(observation)));
    actions.forEach((action, i) => {
      expect(action[0]).toBeCloseTo(expected(observations[i]!, [0, 0])[0]!, 5);
    });
    await runtime.dispose();
  });

  it('carries its contract, version and training, in the manifest and in the ONNX file itself', async () => {
    const runtime = await decodeBundle(bundle);
    expect(runtime).toMatchObject({ version: 7, contract, training: { updates: 1200, algorithm: 'iq-learn' } });
    expect(runtime.id).toMatch(/^testbot\/7\/[0-9a-f]{12}$/);
    await runtime.dispose();
    const { metadata } = inspectModel(bundle.model);
    expect(metadata).toMatchObject({ robot: 'testbot', policy_version: '7' });
    const inFile = JSON.parse(metadata.contract!);
    expect(inFile.observation[1]).toEqual({ name: 'speed', unit: 'm/s', low: null, high: null });
    expect(inFile.action[1]).toEqual({ name: 'angular', unit: 'rad/s', low: -2, high: 2 });
  });

  it('is the same bytes for the same content', async () => {
    const again = await encodeBundle({
      policy,
      contract,
      version: 7,
      training: { updates: 1200, algorithm: 'iq-learn' },
    });
    expect(Buffer.from(again.model).equals(Buffer.from(bundle.model))).toBe(true);
    expect(again.manifest).toBe(bundle.manifest);
  });

  it('is written whole, replaces an older one, leaves other files alone and reads back from either path', async () => {
    const place = join(folder, 'runs', 'policy');
    const older = await encodeBundle({ policy: linearPolicy(2).policy, contract, version: 6 });
    writeBundle(place, older);
    writeFileSync(join(place, 'notes.txt'), 'mine');
    writeBundle(place, bundle);
    expect(readdirSync(place).sort()).toEqual(['manifest.json', 'notes.txt', 'policy.onnx']);
    for (const path of [place, join(place, 'policy.onnx'), join(place, 'manifest.json')]) {
      const runtime = await readBundle(path);
      expect(runtime.version).toBe(7);
      await runtime.dispose();
    }
  });

  it('leaves nothing behind where it cannot be written', () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    expect(() => writeBundle(join(file, 'policy'), bundle)).toThrow(/cannot write the policy bundle/);
    expect(existsSync(join(file, 'policy'))).toBe(false);
  });
});

describe('fault F07: a policy bundle is refused', () => {
  it('when any byte of the model is altered, wherever it stands', async () => {
    const step = Math.max(1, Math.floor(bundle.model.length / 150));
    for (let i = 0; i < bundle.model.length; i += step) {
      const model = bundle.model.slice();
      model[i]! ^= 1 << (i % 8);
      const error = await refusal(() => decodeBundle({ ...bundle, model }, 'b'));
      expect(error.code).toBe('CORRUPT_DATA');
      expect(error.message).toMatch(/SHA-256/);
    }
  });

  it('when any character of the manifest is altered, wherever it stands', async () => {
    for (let i = 0; i < bundle.manifest.length; i++) {
      const original = bundle.manifest[i]!;
      for (const replacement of [original === '1' ? '2' : '1', original === ' ' ? '\t' : ' ']) {
        const manifest = bundle.manifest.slice(0, i) + replacement + bundle.manifest.slice(i + 1);
        const error = await refusal(() => decodeBundle({ ...bundle, manifest }, 'b'));
        expect(error.code, `character ${i} ('${original}' → '${replacement}')`).toBe('CORRUPT_DATA');
      }
    }
  });

  it('when either file is truncated or empty', async () => {
    for (const length of [0, 1, 100, bundle.model.length - 1]) {
      const error = await refusal(() => decodeBundle({ ...bundle, model: bundle.model.slice(0, length) }));
      expect(error.message).toContain(`found: ${length} bytes; expected: ${bundle.model.length} bytes`);
    }
    for (const length of [0, 1, 200, bundle.manifest.length - 1])
      expect((await refusal(() => decodeBundle({ ...bundle, manifest: bundle.manifest.slice(0, length) }))).code).toBe(
        'CORRUPT_DATA',
      );
  });

  it('naming the field of the manifest that is wrong', async () => {
    const cases: [(manifest: never) => void, RegExp][] = [
      [(m: { version: unknown }) => (m.version = 'seven'), /found: version is "seven"/],
      [(m: { contract: { rateHz: unknown } }) => (m.contract.rateHz = -1), /found: contract\.rateHz is -1/],
      [(m: { model: { file: unknown } }) => (m.model.file = '../../etc/passwd'), /found: model\.file is/],
      [(m: { golden: unknown }) => (m.golden = []), /found: golden is \[\]/],
      [(m: { formatVersion: unknown }) => (m.formatVersion = 2), /found: formatVersion is 2/],
      [(m: { contract: { robot: string } }) => (m.contract.robot = 'other'), /digest/],
    ] as [(manifest: never) => void, RegExp][];
    for (const [change, pattern] of cases)
      expect((await refusal(() => decodeBundle(edited(change as never)))).message).toMatch(pattern);
  });

  it('when model and manifest come from different bundles', async () => {
    const other = await encodeBundle({ policy: linearPolicy(2).policy, contract, version: 8 });
    expect((await refusal(() => decodeBundle({ ...bundle, model: other.model }))).code).toBe('CORRUPT_DATA');
  });

  it('when the manifest was resealed around a model of another shape or robot', async () => {
    const reseal = (model: Uint8Array, change: (content: { contract: { robot: string } }) => void): PolicyBundle => {
      const { digest: _, format: __, formatVersion: ___, ...content } = JSON.parse(bundle.manifest);
      change(content);
      content.model = { file: 'policy.onnx', bytes: model.byteLength, sha256: sha256(model) };
      return { model, manifest: sealManifest(content) };
    };
    const wider = {
      ...contract,
      observation: [...contract.observation, { name: 'extra', unit: '1', low: 0, high: 1 }],
    };
    const wide = await encodeBundle({
      policy: {
        ...policy,
        observation: vectorObservation(4),
        apply: (inputs, constants) =>
          policy.apply({ ...inputs, observation: tf.split(inputs.observation!, [3, 1], 1)[0]! }, constants),
      },
      contract: wider,
      version: 7,
    });
    const shape = await refusal(() => decodeBundle(reseal(wide.model, () => {})));
    expect(shape.code).toBe('MISMATCH');
    expect(shape.message).toMatch(/shape of observation; found: \[1, 4\]; expected: \[1, 3\]/);

    const robot = await refusal(() =>
      decodeBundle(
        reseal(bundle.model, (content) => {
          content.contract.robot = 'other';
        }),
      ),
    );
    expect(robot.message).toMatch(/robot; found: testbot; expected: other/);
  });

  it('when the policy does not give its own golden actions', async () => {
    const { digest: _, format: __, formatVersion: ___, ...content } = JSON.parse(bundle.manifest);
    content.golden[3].action[1] += 1e-4;
    const error = await refusal(() => decodeBundle({ ...bundle, manifest: sealManifest(content) }));
    expect(error.message).toMatch(/golden actions; found: angular = .* rad\/s for golden observation 3/);
  });

  it('before it is written, where the policy does not fit the robot', async () => {
    const { observation, action } = contract;
    await expect(
      encodeBundle({ policy, contract: { ...contract, observation: observation.slice(1) }, version: 1 }),
    ).rejects.toThrow(
      /observations differ; found: state float32\[3\] \(policy\); expected: state float32\[2\] \(robot\)/,
    );
    await expect(
      encodeBundle({
        policy,
        contract: { ...contract, action: [{ ...action[0]!, high: null }, action[1]!] },
        version: 1,
      }),
    ).rejects.toThrow(/action linear has no range to scale to/);
  });

  it('before it is written, where its actions are no numbers', async () => {
    const broken = {
      ...policy,
      constants: {
        ...policy.constants,
        weights: { ...policy.constants.weights!, data: new Float32Array(6).fill(Number.NaN) },
      },
    };
    const error = await refusal(() => encodeBundle({ policy: broken, contract, version: 1 }));
    expect(error.code).toBe('DIVERGED');
  });

  it('with a clear word where there is none, or where a file is absurdly large', async () => {
    expect((await refusal(() => readBundle(join(folder, 'nowhere')))).code).toBe('NOT_FOUND');
    const place = join(folder, 'large');
    writeBundle(place, bundle);
    writeFileSync(join(place, 'manifest.json'), ' '.repeat(17 * 1024 * 1024));
    expect((await refusal(() => readBundle(place))).message).toMatch(/too large for a policy bundle/);
    expect(readFileSync(join(place, 'policy.onnx')).length).toBe(bundle.model.length);
  });
});
