import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lintDemonstrations, readDemonstrations } from '#src/demonstrations/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { type Written, writeBag } from '../demonstrations/bag.js';
import { baseNs, picture, seer, shown } from './seer.js';
import { cli, inNewFolder } from './support.js';

const images = `  - { name: front, topic: /camera, image: { height: 2, width: 4, channels: 1 } }
  - { name: left, topic: /camera, image: { height: 2, width: 2, channels: 1 }, crop: { x: 0, y: 0, width: 2, height: 2 } }
`;

/** Twelve seconds of a camera of which only the right half changes; the speed is what that half shows, x is not. */
function drive(shift: number): Written[] {
  return Array.from({ length: 121 }, (_, k): Written[] => {
    const ns = baseNs + BigInt(k) * 100_000_000n;
    const seen = Math.abs(shift - (k % 4) * 20);
    const image = picture(ns, 4, Uint8Array.of(9, 9, seen, seen, 9, 9, seen, seen));
    return shown(ns, (k % 4) / 4, image, seen / 110 - 1);
  }).flat();
}

let folder: ReturnType<typeof inNewFolder>;
beforeAll(async () => {
  folder = inNewFolder();
  writeFileSync('seer.yaml', seer(images));
  writeFileSync('blind.yaml', seer(''));
  await writeBag('shown/a.mcap', drive(0));
  await writeBag('more/b.mcap', drive(220));
});
afterAll(() => folder.leave());

it('inspect says of a recording and of a robot what their images are', async () => {
  const recording = await cli('inspect', '--robot', './seer.yaml', 'shown');
  expect(recording.code, recording.stderr).toBe(0);
  expect(recording.stdout).toMatch(
    /Images\n +front +\/camera +2 × 4 grey +10\.0 Hz\n +left +\/camera +2 × 2 grey +crop 2 × 2 at 0, 0 +10\.0 Hz/,
  );
  expect(recording.stdout).toContain('unchanging image; found: left (/camera) never changes');
  const given = await cli('inspect', 'seer.yaml');
  expect(given.stdout).toMatch(/Images\n +front +\/camera +2 × 4 grey/);
});

it('demonstrations that only an image tells apart do not contradict each other; without the image they do', async () => {
  const checks = async (description: string): Promise<string[]> => {
    const spec = loadRobotSpec(description);
    const { episodes } = await readDemonstrations(['shown', 'more'], spec);
    return lintDemonstrations(episodes, spec).map(({ check }) => check);
  };
  expect(await checks('./blind.yaml')).toContain('contradicting demonstrations');
  const seeing = await checks('./seer.yaml');
  expect(seeing).not.toContain('contradicting demonstrations');
  expect(seeing).toContain('unchanging image');
});
