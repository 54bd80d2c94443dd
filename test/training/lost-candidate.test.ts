import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBundleFiles } from '#src/policy/index.js';
import { CandidateChoice, type CandidateOptions, type OccupancyDistance } from '#src/training/index.js';
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
          task: { name: 'rail' },
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

  it('drives again where the scores are of another task, options or number of episodes, and says so once', async () => {
    const learning = options();
    const trainer = await SegmentTrainer.create(learning, silent);
    const { bundle } = await trainer.start();
    await trainer.dispose();
    const at = join(folder, 'trials');
    let driven = 0;
    const said: string[] = [];
    const choice = (task: CandidateOptions['task'], screening: number): CandidateChoice =>
      new CandidateChoice(
        {
          ...{ seed: 1, folder: at, task, starts: { screening, final: 6 } },
          distance: { measure: () => ({ distance: 1, worst: 1 }) } as unknown as OccupancyDistance,
          onAnotherTrial: (text) => said.push(text),
          drive: async (_, seeds) => {
            driven++;
            return seeds.map(() => ({ episode: {} as never, return: screening }));
          },
        },
        existsSync(at) ? [1, 2] : [],
        bundle,
      );
    const begun = choice({ name: 'rover' }, 5);
    await begun.add(1, bundle);
    await begun.add(2, bundle);
    // As it was written before its trial was kept with it.
    const file = join(at, 'scores.json');
    writeFileSync(file, JSON.stringify(JSON.parse(readFileSync(file, 'utf8')).scores));
    const resumed = async (task: CandidateOptions['task'], screening: number): Promise<number[]> => {
      driven = 0;
      const again = choice(task, screening);
      await again.choose({ version: 2, bundle });
      // Both take part in all three comparisons.
      return [driven - 6, ...again.scores.map((score) => score.return)];
    };
    expect(await resumed({ name: 'rover' }, 5)).toEqual([0, 5, 5]);
    expect(said).toEqual([]);
    expect(await resumed({ name: 'rover', options: { tour: true } }, 2)).toEqual([2, 2, 2]);
    expect(await resumed({ name: 'rover', options: { tour: true } }, 2)).toEqual([0, 2, 2]);
    expect(await resumed({ name: 'rover', options: { tour: true } }, 3)).toEqual([2, 3, 3]);
    expect(said).toEqual([
      'the policies of this run were compared by 5 episodes of rover: they drive again, 2 episodes of rover with tour true',
      'the policies of this run were compared by 2 episodes of rover with tour true: they drive again, 3 episodes of rover with tour true',
    ]);
  });
});
