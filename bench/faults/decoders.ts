import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IqLearnError, Random } from '../../src/common/index.js';
import { readDemonstrations } from '../../src/demonstrations/index.js';
import { decode, emptyMessage, encode, messageTypeNames, protobuf } from '../../src/messages/index.js';
import { loadCheckpoint } from '../../src/platform/index.js';
import { decodeBundle } from '../../src/policy/index.js';
import { parseRobotSpec } from '../../src/robot/index.js';
import { root } from '../harness.js';
import { smallDescriptions } from './descriptions.js';
import { refusalOf, untrue } from './flips.js';
import { mutated, mutatedText } from './mutate.js';
import { PlacedFile } from './placed-file.js';
import { bundle, checkpoint, counter, recording } from './samples.js';

/** What a decoder did with changed and random inputs. */
export interface Decoded {
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  /** The longest that one input took. */
  readonly slowestMs: number;
  /** What must never happen: another error than ours, or something wrong that was accepted. */
  readonly wrong: readonly string[];
}

/** An input is accepted (true), or refused by what is thrown. A text says what is wrong with what was accepted. */
type Try = (random: Random) => Promise<true | string> | true | string;

async function attack(seed: number, name: string, inputs: number, attempt: Try): Promise<Decoded> {
  const random = Random.derive(seed, name);
  const outcome = { inputs, accepted: 0, refused: 0, slowestMs: 0, wrong: [] as string[] };
  for (let i = 0; i < inputs; i++) {
    const before = performance.now();
    try {
      const result = attempt(random);
      const accepted = typeof result === 'object' ? await result : result;
      if (accepted === true) outcome.accepted++;
      else outcome.wrong.push(accepted);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === 'refused') outcome.refused++;
      else outcome.wrong.push(`input ${i}: ${refusal}`);
    }
    outcome.slowestMs = Math.max(outcome.slowestMs, performance.now() - before);
  }
  return outcome;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** One of some things, by chance. */
const oneOf = <T>(items: readonly T[], random: Random): T =>
  items[Math.min(items.length - 1, Math.floor(random.uniform(0, 1) * items.length))]!;

/** A file that is attacked: its sound bytes, and where they are changed. */
const attacked = (path: string): { readonly sound: Uint8Array; readonly place: PlacedFile } => ({
  sound: readFileSync(path),
  place: new PlacedFile(path),
});

/**
 * The decoders by their names. Each gives a function that attacks it with so many inputs. Samples are small, so that most
 * changes reach something that means something: a recording of 12 kB, policies and checkpoints of 3 and 1 kB,
 * descriptions of 600 bytes (and one of twenty as in config/robots, of 2 kB), an empty message of every type.
 */
export const decoders = {
  async mcap(folder: string, inputs: number, seed: number): Promise<Decoded> {
    const sound = await recording(join(folder, 'mcap'));
    const place = new PlacedFile(join(folder, 'attacked.mcap'));
    try {
      return await attack(seed, 'mcap', inputs, async (random) => {
        const changed = mutated(sound, random);
        place.put(changed);
        const { episodes, report } = await readDemonstrations([place.path], counter);
        const isSaid = report.recordings[0]!.problems.length > 0 || equal(changed, sound);
        return untrue(episodes) ?? (isSaid ? true : 'a changed recording was read as if nothing were');
      });
    } finally {
      place.close();
    }
  },

  async cdr(_: string, inputs: number, seed: number): Promise<Decoded> {
    const samples = messageTypeNames.map((type) => ({ type, bytes: encode(type, emptyMessage(type)) }));
    return await attack(seed, 'cdr', inputs, (random) => {
      const { type, bytes } = oneOf(samples, random);
      decode(type, mutated(bytes, random));
      return true;
    });
  },

  async protobuf(_: string, inputs: number, seed: number): Promise<Decoded> {
    const samples = messageTypeNames.map((type) => ({ type, bytes: protobuf.encode(type, emptyMessage(type)) }));
    return await attack(seed, 'protobuf', inputs, (random) => {
      const { type, bytes } = oneOf(samples, random);
      protobuf.decode(type, mutated(bytes, random));
      return true;
    });
  },

  async yaml(_: string, inputs: number, seed: number): Promise<Decoded> {
    const robots = join(root, 'config/robots');
    const shipped = readdirSync(robots).map((name) => readFileSync(join(robots, name), 'utf8'));
    return await attack(seed, 'yaml', inputs, (random) => {
      const text = oneOf(random.uniform(0, 1) < 0.05 ? shipped : smallDescriptions, random);
      const { rateHz, action } = parseRobotSpec(mutatedText(text, random), 'attacked.yaml');
      if (!(rateHz > 0 && Number.isFinite(rateHz))) return `a rate of ${rateHz}`;
      const empty = action.find(({ low, high }) => !(low < high && Number.isFinite(high - low)));
      return empty === undefined ? true : `an action of ${empty.low}…${empty.high}`;
    });
  },

  async bundle(_: string, inputs: number, seed: number): Promise<Decoded> {
    const { model, manifest } = await bundle();
    return await attack(seed, 'bundle', inputs, async (random) => {
      const isModel = random.uniform(0, 1) < 0.5;
      const changed = isModel ? mutated(model, random) : model;
      const text = isModel ? manifest : mutatedText(manifest, random);
      await (await decodeBundle({ model: changed, manifest: text })).dispose();
      return equal(changed, model) && text === manifest ? true : 'another policy was accepted';
    });
  },

  async checkpoint(folder: string, inputs: number, seed: number): Promise<Decoded> {
    const place = join(folder, 'attacked');
    mkdirSync(place, { recursive: true });
    checkpoint(place);
    const newest = join(place, readdirSync(place).sort().at(-1)!);
    const files = readdirSync(newest).map((name) => ({ name, ...attacked(join(newest, name)) }));
    try {
      return await attack(seed, 'checkpoint', inputs, (random) => {
        const { name, sound, place: file } = oneOf(files, random);
        const changed = mutated(sound, random);
        file.put(changed);
        try {
          const told: string[] = [];
          loadCheckpoint(place, ({ message }) => told.push(message));
          // The generation before was taken, and it was said.
          if (told.length > 0) throw new IqLearnError('CORRUPT_DATA', told[0]!);
          return equal(changed, sound) ? true : `a changed ${name} was accepted`;
        } finally {
          file.put(sound);
        }
      });
    } finally {
      for (const { place: file } of files) file.close();
    }
  },
} as const satisfies Readonly<Record<string, (folder: string, inputs: number, seed: number) => Promise<Decoded>>>;
