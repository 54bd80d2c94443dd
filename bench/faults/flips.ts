import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blockValues, IqLearnError, STATE_BLOCK } from '../../src/common/index.js';
import { type DemonstrationEpisode, readDemonstrations } from '../../src/demonstrations/index.js';
import { loadCheckpoint } from '../../src/platform/index.js';
import { decodeBundle } from '../../src/policy/index.js';
import { bundle, checkpoint, counter, LENGTH, recording } from './samples.js';

/** What became of files with one byte changed. Each must be refused, or read with a word about it. */
export interface Flips {
  readonly tried: number;
  readonly refused: number;
  /** Read, with a word about what is lost. */
  readonly told: number;
  /** Read as if nothing were: the places of the bytes. There must be none. */
  readonly silent: readonly string[];
  /** What must never happen: a wrong transition, an error that is none of ours. */
  readonly wrong: readonly string[];
}

type Outcome = 'refused' | 'told' | 'silent' | `wrong: ${string}`;

class Tally {
  tried = 0;
  refused = 0;
  told = 0;
  readonly silent: string[] = [];
  readonly wrong: string[] = [];

  add(place: string, outcome: Outcome): void {
    this.tried++;
    if (outcome === 'refused') this.refused++;
    else if (outcome === 'told') this.told++;
    else
      (outcome === 'silent' ? this.silent : this.wrong).push(`${place}${outcome === 'silent' ? '' : `: ${outcome}`}`);
  }
}

/** What a reading of our own may throw; anything else is a fault of the program. */
export function refusalOf(error: unknown): Outcome {
  if (!(error instanceof IqLearnError)) return `wrong: ${String(error)}`;
  return error.code === 'INTERNAL' ? `wrong: ${error.message}` : 'refused';
}

/** Whether each transition was recorded so: step k, the action of step k, step k + 1, all of one episode, and how it ended. */
export function untrue(episodes: readonly DemonstrationEpisode[]): string | undefined {
  for (const { length, observation, observations, actions, terminated } of episodes) {
    const rows = blockValues<ArrayLike<number>>(observation, observations, STATE_BLOCK)[0]!;
    for (let t = 0; t < length; t++) {
      const [k, episode, next, same] = [rows[2 * t]!, rows[2 * t + 1]!, rows[2 * t + 2]!, rows[2 * t + 3]!];
      if (next !== k + 1 || same !== episode || actions[t] !== k + 0.5) return `step ${k} of episode ${episode}`;
    }
    if (terminated && rows[2 * length] !== LENGTH) return `an end at step ${rows[2 * length]}`;
  }
  return undefined;
}

/** Flips every `stride`-th byte of a small recording, beginning with the byte `offset`. */
export async function flipRecording(folder: string, stride = 1, offset = 0): Promise<Flips> {
  const sound = await recording(folder);
  const path = join(folder, 'flipped.mcap');
  const tally = new Tally();
  for (let at = offset; at < sound.length; at += stride) {
    const bytes = Uint8Array.from(sound);
    bytes[at]! ^= 0x55;
    writeFileSync(path, bytes);
    tally.add(`byte ${at}`, await readOutcome(path));
  }
  return tally;
}

async function readOutcome(path: string): Promise<Outcome> {
  try {
    const { episodes, report } = await readDemonstrations([path], counter);
    const lie = untrue(episodes);
    if (lie !== undefined) return `wrong: ${lie}`;
    return report.recordings[0]!.problems.length > 0 ? 'told' : 'silent';
  } catch (error) {
    return refusalOf(error);
  }
}

/** Flips every `stride`-th byte of a policy bundle, its model and its manifest. */
export async function flipBundle(stride = 1): Promise<Flips> {
  const { model, manifest } = await bundle();
  const text = new TextEncoder().encode(manifest);
  const tally = new Tally();
  const decode = async (changed: { model: Uint8Array; manifest: string }): Promise<Outcome> => {
    try {
      await (await decodeBundle(changed)).dispose();
      return 'silent';
    } catch (error) {
      return refusalOf(error);
    }
  };
  for (let at = 0; at < model.length + text.length; at += stride) {
    const bytes = Uint8Array.from(at < model.length ? model : text);
    const place = at < model.length ? at : at - model.length;
    bytes[place]! ^= 0x15;
    const isModel = at < model.length;
    tally.add(
      `byte ${place} of the ${isModel ? 'model' : 'manifest'}`,
      await decode(isModel ? { model: bytes, manifest } : { model, manifest: new TextDecoder().decode(bytes) }),
    );
  }
  return tally;
}

/** Flips every `stride`-th byte of the files of a checkpoint's newest generation: the one before it is taken, and it is said. */
export function flipCheckpoint(folder: string, stride = 1): Flips {
  const place = join(folder, 'checkpoint');
  if (!existsSync(place)) checkpoint(place);
  const newest = join(place, readdirSync(place).sort().at(-1)!);
  const tally = new Tally();
  for (const name of readdirSync(newest)) {
    const sound = readFileSync(join(newest, name));
    for (let at = 0; at < sound.length; at += stride) {
      const bytes = Buffer.from(sound);
      bytes[at]! ^= 0x15;
      writeFileSync(join(newest, name), bytes);
      tally.add(`byte ${at} of ${name}`, loadOutcome(place));
    }
    writeFileSync(join(newest, name), sound);
  }
  return tally;
}

function loadOutcome(place: string): Outcome {
  const told: string[] = [];
  try {
    const { meta } = loadCheckpoint(place, ({ message }) => told.push(message));
    if (told.length === 0) return 'silent';
    return meta.updates === 1 ? 'told' : `wrong: generation of ${String(meta.updates)} updates`;
  } catch (error) {
    return refusalOf(error);
  }
}
