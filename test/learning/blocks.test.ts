import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { blockInputs, type ObservationSpec, Random, vectorObservation } from '#src/common/index.js';
import { compile } from '#src/engine/index.js';
import { ReplayBuffer } from '#src/learning/data/replay-buffer.js';
import { Actor, type Episode, identityNormalisation, Learner, learnerConfig } from '#src/learning/index.js';
import { loadCheckpoint, saveCheckpoint } from '#src/platform/index.js';
import { decodeBundle, encodeBundle } from '#src/policy/index.js';
import { observationOf } from '#src/robot/index.js';
import { cameraAction, cameraContract, cameraPolicy, cameraWeights, flattened } from '../policy/camera-policy.js';

describe('a learner whose observation is several vectors', () => {
  const halves: ObservationSpec = [
    { name: 'body', shape: [2], dtype: 'float32', normalise: 'standard' },
    { name: 'goal', shape: [1], dtype: 'float32', normalise: 'standard' },
  ];
  const steps = 30;
  const random = new Random(3);
  const whole = random.fillNormal(new Float32Array(3 * (steps + 1)));
  const pick = (from: number, to: number): Float32Array => whole.filter((_, i) => i % 3 >= from && i % 3 < to);
  const actions = Float32Array.from({ length: steps }, (_, t) => Math.tanh(whole[3 * t]!));
  const normalisation = { mean: Float32Array.of(0.1, -0.2, 0.3), scale: Float32Array.of(1, 2, 0.5) };
  const rest = { length: steps, actions, terminated: true };
  const vector = { observation: vectorObservation(3), episode: { ...rest, observations: whole } };
  const split = { observation: halves, episode: { ...rest, observations: { goal: pick(2, 3), body: pick(0, 2) } } };

  async function learnt({ observation, episode }: { observation: ObservationSpec; episode: Episode }) {
    const config = learnerConfig({ agent: 'iq-sac', hiddenSizes: [8, 8], batchSize: 16, observationNoise: 0 });
    const learner = await Learner.create({ config, observation, actionSize: 1, normalisation, seed: 5 });
    learner.addDemonstration(episode);
    for (let t = 0; t + 1 < steps; t++) {
      const at = (i: number) =>
        observation.length === 1
          ? whole.subarray(3 * i, 3 * i + 3)
          : { body: whole.subarray(3 * i, 3 * i + 2), goal: whole.subarray(3 * i + 2, 3 * i + 3) };
      learner.addTransition({ observation: at(t), action: [-0.3], nextObservation: at(t + 1), terminated: false });
    }
    await learner.update(5);
    return learner;
  }

  it('learns, recovers rewards, acts and resumes as with the same numbers in one vector, bit for bit', async () => {
    const [one, two] = [await learnt(vector), await learnt(split)];
    expect(two.parameters()).toEqual(one.parameters());
    expect(await two.recoverRewards(split.episode)).toEqual(await one.recoverRewards(vector.episode));
    const [first, second] = [await Actor.create(one.policyFunction()), await Actor.create(two.policyFunction())];
    const expected = await first.act([0.5, -1, 2]);
    expect(await second.act({ goal: [2], body: [0.5, -1] })).toEqual(expected);

    const folder = mkdtempSync(join(tmpdir(), 'iq-blocks-'));
    saveCheckpoint(folder, two.checkpoint());
    const resumed = await Learner.resume(loadCheckpoint(folder));
    expect(resumed.checkpoint()).toEqual(two.checkpoint());
    await Promise.all([resumed.update(3), two.update(3), one.update(3)]);
    expect(resumed.parameters()).toEqual(two.parameters());
    expect(two.parameters()).toEqual(one.parameters());
    for (const each of [one, two, resumed, first, second]) await each.dispose();
    rmSync(folder, { recursive: true });
  });

  it('refuses a block that no encoder takes, and says where one is added', async () => {
    await expect(
      Learner.create({
        config: learnerConfig({ agent: 'iq-sac' }),
        observation: observationOf(cameraContract).map((block) =>
          block.dtype === 'uint8' ? { ...block, shape: [300, 300, 3] } : block,
        ),
        actionSize: 2,
        normalisation: identityNormalisation(4),
        seed: 1,
      }),
    ).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      found: 'camera uint8[300, 300, 3]',
      expected: expect.stringMatching(
        /float32 vectors, images .*at most 65536 pixels.*uint8 blocks of at most 16384 numbers/,
      ),
      remedy: expect.stringContaining('src/learning/networks/'),
    });
  });
});

describe('a robot that sees, from the buffer to the bundle', () => {
  it('is cloned by a tiny network: stored as bytes, sampled, saved, resumed, sealed and run', async () => {
    const spec = observationOf(cameraContract);
    const teacher = cameraWeights(7);
    const random = new Random(2);
    const seen = () => ({
      state: random.fillNormal(new Float32Array(4)),
      camera: Uint8Array.from({ length: 192 }, () => random.integer(256)),
    });
    const unscaled = (action: number[]): number[] =>
      action.map((value, k) => {
        const { low, high } = cameraContract.action[k]!;
        return (2 * (value - low!)) / (high! - low!) - 1;
      });
    const buffer = new ReplayBuffer(256, spec, 2);
    for (let step = 0, now = seen(); step < 300; step++) {
      const next = seen();
      const ended = step % 50 === 49;
      const action = unscaled(cameraAction(teacher, now.state, now.camera));
      buffer.add({ observation: now, action, nextObservation: next, terminated: ended });
      now = ended ? seen() : next;
    }
    expect(buffer.observationsHeld).toBeLessThanOrEqual(256 + 7);
    expect(buffer.contents().arrays['observations.camera.0']).toBeInstanceOf(Uint8Array);

    // Through a checkpoint on the disk.
    const folder = mkdtempSync(join(tmpdir(), 'iq-camera-'));
    const { counters, arrays } = buffer.contents();
    saveCheckpoint(folder, { meta: { counters }, arrays });
    const loaded = loadCheckpoint(folder);
    const resumed = new ReplayBuffer(256, spec, 2);
    resumed.restore({ counters: loaded.meta.counters as typeof counters, arrays: loaded.arrays as typeof arrays });
    expect(resumed.contents()).toEqual(buffer.contents());
    rmSync(folder, { recursive: true });

    const rows = 32;
    const executable = await compile(
      {
        name: 'camera_cloning',
        state: { weights: { shape: [196, 2], dtype: 'float32' } },
        inputs: { ...blockInputs('observations', spec, rows), actions: { shape: [rows, 2], dtype: 'float32' } },
        step: ({ weights }, { observations_state, observations_camera, actions }) => {
          const { value, grads } = tf.valueAndGrads((w: tf.Tensor) =>
            tf.mean(tf.square(tf.sub(flattened(w, observations_state!, observations_camera!), actions!))).asScalar(),
          )([weights!]);
          return { state: { weights: tf.sub(weights!, tf.mul(grads[0]!, 0.1)) }, outputs: { loss: value } };
        },
      },
      { device: 'cpu', initialState: { weights: cameraWeights(8) } },
    );
    const batch = {
      observations: { state: new Float32Array(4 * rows), camera: new Uint8Array(192 * rows) },
      actions: new Float32Array(2 * rows),
    };
    const losses: number[] = [];
    for (let update = 0; update < 200; update++) {
      resumed.sample(rows, random, batch);
      const { loss } = await executable.run({
        observations_state: batch.observations.state,
        observations_camera: batch.observations.camera,
        actions: batch.actions,
      });
      losses.push(loss![0]!);
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 4);

    const weights = executable.readState().weights as Float32Array;
    const bundle = await encodeBundle({ policy: cameraPolicy(weights), contract: cameraContract, version: 1 });
    const runtime = await decodeBundle(bundle);
    const observation = seen();
    const action = await runtime.act(observation);
    cameraAction(weights, observation.state, observation.camera).forEach((value, k) => {
      expect(Math.abs(action[k]! - value)).toBeLessThan(1e-5);
    });
    await Promise.all([runtime.dispose(), executable.dispose()]);
  });
});
