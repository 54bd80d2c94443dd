import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SegmentTrainer } from '#src/training/segment-trainer.js';
import { options } from './learning.js';

it('a run that goes on with other settings than it began with says which ones, and keeps those of its beginning', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'iq-kept-'));
  const learning = options({}, { checkpoint: { folder, everySegments: 1 } });
  const trainer = await SegmentTrainer.create(learning, () => {});
  await trainer.start();
  trainer.save();
  await trainer.dispose();
  const said: string[] = [];
  const batchSize = learning.config.batchSize * 2;
  for (const config of [learning.config, { ...learning.config, batchSize }]) {
    const resumed = await SegmentTrainer.create({ ...learning, config, resume: true }, (text) => said.push(text));
    expect(resumed.learner.config).toEqual(learning.config);
    await resumed.dispose();
  }
  expect(said).toEqual([
    `the run goes on with the settings that it began with, batchSize: ${learning.config.batchSize} (given: ${batchSize}); other settings need a new run`,
  ]);
  rmSync(folder, { recursive: true });
});
