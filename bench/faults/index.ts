import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IqLearnError } from '../../src/common/index.js';
import { type BenchResult, benchResult, progress, versions } from '../harness.js';
import { parseOptions } from '../options.js';
import { type Attack, attacks, shareFolder } from './attacks.js';
import { FinishedShares } from './shares.js';

const OPTIONS = {
  inputs: { default: 1_000_000, help: 'changed and random inputs for each decoder' },
  stride: { default: 1, help: 'every so many bytes of a recording, a bundle and a checkpoint are flipped' },
  kills: { default: 800, help: 'kills of recordings' },
  trainings: { default: 200, help: 'kills of trainings' },
  seed: { default: 1, help: 'of inputs and moments' },
  keep: { default: null, help: 'folder for what is finished: the same command goes on there after an interruption' },
  only: {
    default: null,
    help: 'the attacks whose names hold this text: inputs, flips, kills, mcap, …; so several processes may share a folder of --keep',
  },
  minutes: {
    default: 0,
    help: 'nothing more is begun after so many minutes, and the figures are of what was tried; 0: all',
  },
} as const;

interface Share {
  readonly attack: Attack;
  readonly share: number;
}

/** The shares of all attacks in turns, so that a run that ends early has tried something of each. */
function inTurns(all: readonly Attack[]): Share[] {
  const shares = all.flatMap((attack) =>
    Array.from({ length: attack.shares }, (_, share) => ({ attack, share, at: share / attack.shares })),
  );
  return shares.sort((a, b) => a.at - b.at);
}

/** Attacks decoders, flips bytes and kills processes; each figure called 'wrong' must be 0. */
export async function run(args: string[]): Promise<BenchResult> {
  const { keep, only, minutes, ...sizes } = parseOptions('faults', args, OPTIONS);
  const finished = new FinishedShares(keep, { ...sizes, ...versions() });
  const all = attacks(sizes);
  const endMs = performance.now() + (minutes === 0 ? Number.POSITIVE_INFINITY : minutes * 60_000);
  const tried = all.filter(({ name }) => name.includes(only ?? ''));
  if (tried.length === 0)
    throw new IqLearnError('INVALID_ARGUMENT', 'bad value of --only', {
      found: `'${only}'`,
      expected: `a part of ${all.map(({ name }) => name).join(', ')}`,
    });
  for (const { attack, share } of inTurns(tried)) {
    if (finished.of(attack.name)[share] !== undefined) continue;
    if (performance.now() > endMs) break;
    const folder = mkdtempSync(join(tmpdir(), 'iq-faults-'));
    try {
      finished.add(attack.name, share, await attack.run(share, shareFolder(folder, attack, share)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    progress(`${attack.name} ${share + 1} of ${attack.shares}`);
  }
  const figures = all.flatMap((attack) => attack.figures(Object.values(finished.of(attack.name))));
  const bad = figures.filter(({ name, value }) => /wrong|as if nothing/.test(name) && value > 0);
  if (bad.length > 0)
    throw new IqLearnError('INTERNAL', 'something was accepted that should not be', {
      found: bad.map(({ name, note }) => `${name}: ${note}`).join('; '),
    });
  return benchResult('faults', args, figures);
}
