import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ObservationSpec, Random } from '#src/common/index.js';
import {
  Actor,
  type AgentName,
  agentNames,
  createAgent,
  identityNormalisation,
  Learner,
  type LearnerSettings,
  learnerConfig,
} from '#src/learning/index.js';
import { mlpLayout } from '#src/learning/networks/parameters.js';
import { loadCheckpoint, saveCheckpoint } from '#src/platform/index.js';

// 36 is no multiple of 8: four columns of zeros are added.
const [height, width] = [32, 36];
const pixels = height * width;
const camera = { name: 'camera', shape: [height, width, 1], dtype: 'uint8', normalise: 'unit' } as const;
const speed = { name: 'speed', shape: [1], dtype: 'float32', normalise: 'standard' } as const;
/** The number stands before the image, the features the other way round. */
const spec: ObservationSpec = [speed, camera];

interface Seen {
  readonly speed: Float32Array;
  readonly camera: Uint8Array;
  /** Where the light is, from −1 (left) to 1. */
  readonly place: number;
}

/** A light somewhere in a noisy picture, and a number that says nothing. */
function scene(random: Random): Seen {
  const place = 2 * random.uniform() - 1;
  const bytes = Uint8Array.from({ length: pixels }, () => random.integer(60));
  const [left, top] = [Math.round(((place + 1) / 2) * (width - 6)), random.integer(height - 6)];
  for (let y = top; y < top + 6; y++) bytes.fill(220, y * width + left, y * width + left + 6);
  return { speed: Float32Array.of(random.normal()), camera: bytes, place };
}

const numbersOf = (seen: readonly Seen[]): Float32Array => Float32Array.from(seen, (each) => each.speed[0]!);

async function shown(settings: LearnerSettings, steps: number, actionOf: (place: number) => readonly number[]) {
  const random = new Random(4);
  const seen = Array.from({ length: steps + 1 }, () => scene(random));
  const bytes = new Uint8Array((steps + 1) * pixels);
  for (const [i, each] of seen.entries()) bytes.set(each.camera, i * pixels);
  const actions = seen.slice(0, steps).map(({ place }) => actionOf(place));
  const learner = await Learner.create({
    config: learnerConfig(settings),
    observation: spec,
    actionSize: actions[0]!.length,
    normalisation: identityNormalisation(1),
    seed: 3,
    threads: 1,
  });
  const isShown = !['sac', 'soft-q'].includes(learner.config.agent);
  const demonstration = {
    length: steps,
    observations: { speed: numbersOf(seen), camera: bytes },
    actions: Float32Array.from(actions.flat()),
    terminated: false,
  };
  if (isShown) learner.addDemonstration(demonstration);
  for (let i = 0; i + 1 < 12; i++)
    learner.addTransition({
      observation: { speed: seen[i]!.speed, camera: seen[i]!.camera },
      action: actions[i]!,
      nextObservation: { speed: seen[i + 1]!.speed, camera: seen[i + 1]!.camera },
      terminated: false,
      reward: 0.1,
    });
  return learner;
}

/** The parameters of what acts. */
const weightsOf = (learner: Learner): Float32Array => {
  const { actor, critic } = learner.policyFunction().constants;
  return (actor ?? critic)!.data.slice() as Float32Array;
};

const isDiscrete = (agent: AgentName): boolean => agent.includes('soft-q') || agent === 'cloning-discrete';

describe('an image of 32 rows or more passes convolutions', () => {
  test.each(agentNames)(
    'in %s: it learns, and a resumed run goes on bit for bit',
    async (agent) => {
      const settings = { agent, hiddenSizes: [8], batchSize: 4 } as LearnerSettings;
      const learner = await shown(settings, 12, (place) =>
        isDiscrete(agent) ? [Number(place < 0), Number(place >= 0)] : [0.8 * place],
      );
      const before = weightsOf(learner);
      // The first filters, their biases, and two more convolutions: by far the most of what is learned.
      expect(before.length).toBeGreaterThan(16 * 16 + 16 * 20 * 16 + 16 * 16 * 32 + 16 * 32 * 32);
      await learner.update(2);
      expect(weightsOf(learner)).not.toEqual(before);
      const folder = mkdtempSync(join(tmpdir(), 'iq-images-'));
      saveCheckpoint(folder, learner.checkpoint());
      const resumed = await Learner.resume(loadCheckpoint(folder));
      await Promise.all([learner.update(2), resumed.update(2)]);
      expect(resumed.parameters()).toEqual(learner.parameters());
      for (const each of [learner, resumed]) await each.dispose();
      rmSync(folder, { recursive: true });
    },
    120_000,
  );

  test('in the model that infers the actions of demonstrations: an image and how it changes', async () => {
    const config = {
      agent: 'iq-sac',
      expertActions: 'inverse-dynamics',
      hiddenSizes: [8],
      batchSize: 4,
    } as LearnerSettings;
    const images = [{ height, width: 40, channels: 1 }];
    const observation = height * 40 + 1;
    const agent = createAgent(learnerConfig(config), { observation, action: 1, images });
    const { inverse } = agent.initialState(new Random(1));
    expect(inverse).toHaveLength(mlpLayout([2 * observation, 8, 1], 0, [...images, ...images]).size);

    const learner = await shown(config, 12, (place) => [0.8 * place]);
    const metrics = await learner.update(2);
    expect(metrics['train/inverse_dynamics_loss']).toBeGreaterThan(0);
    await learner.dispose();
  }, 120_000);

  test('it is found where it is: a policy cloned from 150 pictures drives by new ones', async () => {
    const learner = await shown({ agent: 'cloning', batchSize: 32 }, 150, (place) => [0.8 * place]);
    await learner.update(120);
    const actor = await Actor.create(learner.policyFunction());
    const random = new Random(9);
    let [error, spread] = [0, 0];
    for (let i = 0; i < 60; i++) {
      const { place, ...seen } = scene(random);
      error += Math.abs((await actor.act(seen))[0]! - 0.8 * place) / 60;
      spread += Math.abs(0.8 * place) / 60;
    }
    expect(error).toBeLessThan(0.3 * spread);
    await actor.dispose();
    await learner.dispose();
  }, 120_000);
});
