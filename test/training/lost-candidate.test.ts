import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBundleFiles } from '#src/policy/index.js';
import { CandidateChoice, type OccupancyDistance } from '#src/training/index.js';
import { SegmentTrainer } from '#src/training/segment-trainer.js';
import { options, segment, session } from './learning.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-candidate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const silent = (): void => {};

// The learning process is a segment ahead: it may have saved the next segment's checkpoint when the session is killed
// that has not kept the candidate of the one before.
describe('a candidate that the session was killed before it heard of', () => {
  it('is in the checkpoint of the segment after it', async () => {
    const learning = options({}, { checkpoint: { folder, everySegments: 1 }, candidateSegments: 1 });
    const trainer = await SegmentTrainer.create(learning, silent);
    await trainer.start();
    trainer.add(segment(1), session(1));
    while (trainer.due > 0) await trainer.update(8);
    const { candidate } = await trainer.progress();
    trainer.add(segment(2), session(2));
    while (trainer.due > 0) await trainer.update(8);
    trainer.save();
    await trainer.dispose();

    const resumed = await SegmentTrainer.create({ ...learning, resume: true, demonstrations: [] }, silent);
    const start = await resumed.start();
    expect(start.version).toBe(1);
    expect(Buffer.compare(start.candidate!.model, candidate!.model)).toBe(0);
    expect(start.candidate!.manifest).toBe(candidate!.manifest);
    expect((await resumed.progress()).version).toBe(2);
    await resumed.dispose();
  });

  it('is kept and compared when the run goes on, as if it had been heard of', async () => {
    const learning = options();
    const trainer = await SegmentTrainer.create(learning, silent);
    const { bundle } = await trainer.start();
    await trainer.dispose();
    const driven: number[] = [];
    const choice = (versions: number[], last?: typeof bundle): CandidateChoice =>
      new CandidateChoice(
        {
          seed: 1,
          folder: join(folder, 'candidates'),
          distance: { measure: () => ({ distance: 1, worst: 1 }) } as unknown as OccupancyDistance,
          drive: async (_, seeds) => {
            driven.push(seeds.length);
            return seeds.map(() => ({ episode: {} as never, return: 0 }));
          },
        },
        versions,
        last,
      );
    const first = choice([]);
    await first.add(1, bundle);
    const resumed = choice([1, 2], bundle);
    const { score } = await resumed.choose({ version: 3, bundle });
    expect(resumed.scores.map(({ version }) => version)).toEqual([1, 2]);
    const kept = readBundleFiles(join(folder, 'candidates/2'));
    expect(kept.manifest).toBe(bundle.manifest);
    expect(Buffer.compare(kept.model, bundle.model)).toBe(0);
    // Of candidates that are equally near the first is chosen, in whatever order they were compared.
    expect(score.version).toBe(1);
    const again = choice([1, 2]);
    expect((await again.choose({ version: 3, bundle })).score.version).toBe(1);
  });
});
