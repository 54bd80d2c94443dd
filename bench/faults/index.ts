import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IqLearnError, Random } from '../../src/common/index.js';
import { type BenchResult, benchResult, type Figure, progress } from '../harness.js';
import { parseOptions } from '../options.js';
import { decoders } from './decoders.js';
import { type Flips, flipBundle, flipCheckpoint, flipRecording } from './flips.js';
import { killRecordings, killTraining } from './kills.js';

const OPTIONS = {
  inputs: { default: 1_000_000, help: 'changed and random inputs for each decoder of bytes in memory' },
  files: {
    default: 20_000,
    help: 'the same for decoders that read files or load models: MCAP, YAML, bundle, checkpoint',
  },
  stride: { default: 1, help: 'every so many bytes of a recording, a bundle and a checkpoint are flipped' },
  kills: { default: 1000, help: 'kills of recordings' },
  trainings: { default: 100, help: 'kills of trainings' },
  seed: { default: 1, help: 'of inputs and moments' },
} as const;

/** The robot of the recording child. */
const toyText = (): string => {
  const source = readFileSync(new URL('../../../test/demonstrations/toy.ts', import.meta.url), 'utf8');
  return /toyText = `([^`]*)`/.exec(source)![1]!;
};

const flipFigures = (name: string, { tried, refused, told, silent, wrong }: Flips): Figure[] => [
  {
    name: `${name}: bytes flipped`,
    value: tried,
    unit: 'bytes',
    note: `${refused} refused, ${told} read with a word about it`,
  },
  {
    name: `${name}: accepted as if nothing were`,
    value: silent.length,
    unit: 'bytes',
    note: silent.slice(0, 3).join('; '),
  },
  { name: `${name}: wrong`, value: wrong.length, unit: 'bytes', note: wrong.slice(0, 3).join('; ') },
];

/** Attacks decoders, flips bytes and kills processes; each figure called 'wrong' must be 0. */
export async function run(args: string[]): Promise<BenchResult> {
  const { inputs, files, stride, kills, trainings, seed } = parseOptions('faults', args, OPTIONS);
  const folder = mkdtempSync(join(tmpdir(), 'iq-faults-'));
  const figures: Figure[] = [];
  try {
    for (const [name, attack] of Object.entries(decoders)) {
      const count = name === 'cdr' || name === 'protobuf' ? inputs : files;
      const own = join(folder, name);
      mkdirSync(own);
      const { accepted, refused, slowestMs, wrong } = await attack(own, count, seed);
      progress(`${name}: ${count} inputs, ${wrong.length} wrong`);
      figures.push(
        { name: `${name}: inputs`, value: count, unit: 'inputs', note: `${refused} refused, ${accepted} accepted` },
        { name: `${name}: wrong`, value: wrong.length, unit: 'inputs', note: wrong.slice(0, 3).join('; ') },
        { name: `${name}: slowest input`, value: slowestMs, unit: 'ms' },
      );
    }
    figures.push(...flipFigures('recording', await flipRecording(join(folder, 'flips'), stride)));
    figures.push(...flipFigures('bundle', await flipBundle(stride)));
    figures.push(...flipFigures('checkpoint', flipCheckpoint(join(folder, 'flips'), stride)));
    progress('bytes flipped');
    const random = Random.derive(seed, 'kills');
    const recorded = await killRecordings(folder, kills, random, toyText());
    progress(`${kills} recordings killed`);
    const trained = await killTraining(folder, trainings, random);
    figures.push(
      {
        name: 'recording: kills',
        value: recorded.kills,
        unit: 'kills',
        note: `${recorded.closed} episodes were closed before`,
      },
      {
        name: 'recording: kills, wrong',
        value: recorded.wrong.length,
        unit: 'findings',
        note: recorded.wrong.slice(0, 3).join('; '),
      },
      {
        name: 'training: kills',
        value: trained.kills,
        unit: 'kills',
        note: 'each resumed; the policy is compared bit for bit',
      },
      {
        name: 'training: kills, wrong',
        value: trained.wrong.length,
        unit: 'findings',
        note: trained.wrong.slice(0, 3).join('; '),
      },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const bad = figures.filter(({ name, value }) => /wrong|as if nothing/.test(name) && value > 0);
  if (bad.length > 0)
    throw new IqLearnError('INTERNAL', 'something was accepted that should not be', {
      found: bad.map(({ name, note }) => `${name}: ${note}`).join('; '),
    });
  return benchResult('faults', args, figures);
}
