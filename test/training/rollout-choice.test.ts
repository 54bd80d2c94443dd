import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import type { Episode } from '#src/learning/index.js';
import type { PolicyBundle } from '#src/policy/index.js';
import { OccupancyDistance, RolloutChoice } from '#src/training/index.js';
import { SegmentTrainer } from '#src/training/segment-trainer.js';
import { options } from './learning.js';

let folder: string;
let bundle: PolicyBundle;
beforeAll(async () => {
  const trainer = await SegmentTrainer.create(options(), () => {});
  ({ bundle } = await trainer.start());
  await trainer.dispose();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-rollouts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An episode of 50 steps whose states lie `offset` beside those of the demonstration. */
function episode(offset: number, terminated = false): Episode {
  const random = new Random(7);
  const length = terminated ? 20 : 50;
  return {
    length,
    observations: random.fillNormal(new Float32Array(2 * (length + 1))).map((x) => x + offset),
    actions: new Float32Array(length),
    terminated,
  };
}
const distance = new OccupancyDistance([episode(0)], vectorObservation(2), 1);
const choice = (from = 0): RolloutChoice => new RolloutChoice({ distance, folder, from });
const drive = (to: RolloutChoice, offset: number, episodes = 5): void => {
  for (let i = 0; i < episodes; i++) to.episode(episode(offset));
};

describe('the choice by the episodes of training', () => {
  it('judges no policy by fewer than five episodes', () => {
    const made = choice();
    drive(made, 0, 4);
    expect(made.add(10, bundle)).toBeUndefined();
    expect(made.best()).toBeUndefined();
    expect(existsSync(join(folder, '10'))).toBe(false);
  });

  it('takes the policy whose last episodes were nearest to the demonstrations, not the newest', () => {
    const made = choice();
    [2, 0.1, 0.1, 0.1, 1].forEach((offset, i) => {
      drive(made, offset);
      made.add(10 * (i + 1), bundle);
    });
    expect(made.best()?.score).toEqual(made.scores[2]);
    expect(made.scores.map(({ version }) => version)).toEqual([10, 20, 30, 40, 50]);
    expect(Buffer.compare(made.best()!.bundle.model, bundle.model)).toBe(0);
  });

  it('does not trust a good spell that neither the policy before nor the one after it had', () => {
    const made = choice();
    [1, 0, 1, 0.5, 0.5, 0.5].forEach((offset, i) => {
      drive(made, offset);
      made.add(i, bundle);
    });
    expect(made.best()?.score.version).toBe(5);
  });

  it('counts the worst of the five: a policy that fell once is not taken where another never did', () => {
    const made = choice();
    drive(made, 0.3);
    made.add(10, bundle);
    const steady = made.add(20, bundle);
    drive(made, 0, 4);
    made.episode(episode(0, true));
    const fell = made.add(30, bundle);
    expect(fell!.worst).toBeGreaterThan(steady!.worst);
    expect(made.best()?.score.version).toBe(10);
  });

  it('takes the newer of two that are as near', () => {
    const made = choice();
    drive(made, 0.1);
    made.add(10, bundle);
    made.add(20, bundle);
    expect(made.best()?.score.version).toBe(20);
  });

  it('goes on with the scores of a run that is resumed, without those that come again', () => {
    const first = choice();
    drive(first, 0.2);
    first.add(10, bundle);
    drive(first, 0);
    first.add(20, bundle);
    const resumed = choice(10);
    expect(resumed.best()?.score.version).toBe(10);
    expect(choice().best()).toBeUndefined();
  });

  it('refuses scores that cannot be read', () => {
    writeFileSync(join(folder, 'scores.json'), '[{"version":');
    expect(() => choice(10)).toThrow(/scores\.json/);
  });
});
