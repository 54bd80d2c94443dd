import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/common/index.js';
import type { Figure } from '../harness.js';
import { type Decoded, decoders } from './decoders.js';
import { type Flips, flipBundle, flipCheckpoint, flipRecording } from './flips.js';
import { type Kills, killRecordings, killTraining } from './kills.js';
import { added, type Outcome } from './shares.js';

/** How much is tried. */
export interface Sizes {
  readonly inputs: number;
  readonly stride: number;
  readonly kills: number;
  readonly trainings: number;
  readonly seed: number;
}

/** One way of attacking the package, in shares: each is tried by itself, and their outcomes are added. */
export interface Attack {
  readonly name: string;
  readonly shares: number;
  /** Tries one share, in a folder of its own. */
  run(share: number, folder: string): Promise<unknown>;
  /** The figures of the shares that were tried. */
  figures(outcomes: readonly unknown[]): Figure[];
}

/** `parts` says how many tries each share has, and `run` makes so many of them with a seed of their own. */
function attack<T extends Outcome<T>>(
  name: string,
  parts: readonly number[],
  run: (tries: number, share: number, folder: string) => Promise<T>,
  figures: (sum: T) => Figure[],
): Attack {
  return {
    name,
    shares: parts.length,
    run: (share, folder) => run(parts[share]!, share, folder),
    figures: (outcomes) => {
      let sum: T | undefined;
      for (const outcome of outcomes) sum = added(sum, outcome as T);
      return sum === undefined ? [] : figures(sum);
    },
  };
}

/** `total` in parts of `most`; the last has the rest. */
function partsOf(total: number, most: number): number[] {
  return Array.from({ length: Math.ceil(total / most) }, (_, i) => Math.min(most, total - i * most));
}

/** A figure that must be 0, with what was found first. */
const findings = (name: string, unit: string, found: readonly string[]): Figure => ({
  name,
  value: found.length,
  unit,
  note: found.slice(0, 3).join('; '),
});

const decoderFigures = (name: string, { inputs, accepted, refused, slowestMs, wrong }: Decoded): Figure[] => [
  { name: `${name}: inputs`, value: inputs, unit: 'inputs', note: `${refused} refused, ${accepted} accepted` },
  findings(`${name}: wrong`, 'inputs', wrong),
  { name: `${name}: slowest input`, value: slowestMs, unit: 'ms' },
];

const flipFigures = (name: string, { tried, refused, told, silent, wrong }: Flips): Figure[] => [
  {
    name: `${name}: bytes flipped`,
    value: tried,
    unit: 'bytes',
    note: `${refused} refused, ${told} read with a word about it`,
  },
  findings(`${name}: accepted as if nothing were`, 'bytes', silent),
  findings(`${name}: wrong`, 'bytes', wrong),
];

const killFigures = (name: string, { kills, wrong }: Kills, note: string): Figure[] => [
  { name: `${name}: kills`, value: kills, unit: 'kills', note },
  findings(`${name}: kills, wrong`, 'findings', wrong),
];

/** The robot of the recording child. */
const toyText = (): string => {
  const source = readFileSync(new URL('../../../test/demonstrations/toy.ts', import.meta.url), 'utf8');
  return /toyText = `([^`]*)`/.exec(source)![1]!;
};

/** All attacks. Shares are small, so that little is lost where a run is interrupted; one of trainings takes long. */
export function attacks({ inputs, stride, kills, trainings, seed }: Sizes): Attack[] {
  return [
    ...Object.entries(decoders).map(([name, decoder]) =>
      attack(
        `${name}: inputs`,
        partsOf(inputs, 5000),
        (tries, share, folder) => decoder(folder, tries, seed + 1000 * share),
        (sum) => decoderFigures(name, sum),
      ),
    ),
    attack(
      'recording: flips',
      [1],
      (_, __, folder) => flipRecording(folder, stride),
      (sum) => flipFigures('recording', sum),
    ),
    attack(
      'bundle: flips',
      [1],
      () => flipBundle(stride),
      (sum) => flipFigures('bundle', sum),
    ),
    attack(
      'checkpoint: flips',
      [1],
      async (_, __, folder) => flipCheckpoint(folder, stride),
      (sum) => flipFigures('checkpoint', sum),
    ),
    attack(
      'recording: kills',
      partsOf(kills, 20),
      (tries, share, folder) => killRecordings(folder, tries, Random.derive(seed, `recordings ${share}`), toyText()),
      (sum) => killFigures('recording', sum, `${sum.closed} episodes were closed before`),
    ),
    attack(
      'training: kills',
      partsOf(trainings, 10),
      (tries, share, folder) => killTraining(folder, tries, Random.derive(seed, `trainings ${share}`)),
      (sum) => killFigures('training', sum, 'each resumed; its segments, episodes and policy are compared bit for bit'),
    ),
  ];
}

/** A folder for one share of an attack. */
export function shareFolder(folder: string, { name }: Attack, share: number): string {
  const own = join(folder, `${name.replace(/\W+/g, '-')}-${share}`);
  mkdirSync(own, { recursive: true });
  return own;
}
