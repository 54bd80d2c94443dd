import { blockValues, describeObservation, IqLearnError, shapeSize } from '../common/index.js';
import { crc32, writeFileAtomic } from '../platform/index.js';
import type { DemonstrationEpisode } from './episode.js';

const typeNames = { float32: '<f4', bool: '|b1', int32: '<i4' } as const;

/** One array of an .npz, row-major; bytes are written as truth values. */
export interface NpzArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
}

function npy({ shape, data }: NpzArray): Buffer {
  const kind = data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool';
  const text = `{'descr': '${typeNames[kind]}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = Buffer.from(`${text.padEnd(117 + 64 * Math.ceil((text.length - 117) / 64))}\n`);
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** The bytes of an .npz as numpy.savez writes it: a zip of .npy members, not compressed. */
export function encodeNpz(arrays: Readonly<Record<string, NpzArray>>): Buffer {
  const members: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [key, array] of Object.entries(arrays)) {
    const [name, content] = [Buffer.from(`${key}.npy`), npy(array)];
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(content.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    members.push(Buffer.from('PK\x03\x04', 'latin1'), facts, name, content);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, place, name);
    at += 30 + name.length + content.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Object.keys(arrays).length, 8);
  end.writeUInt16LE(Object.keys(arrays).length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...members, entries, end]);
}

/** What a demonstration needs to be written as steps. */
export type NpzEpisode = Pick<
  DemonstrationEpisode,
  'length' | 'observation' | 'actionSize' | 'observations' | 'actions' | 'terminated' | 'rewards'
>;

/** The arrays of an .npz of steps that are filled one episode after the other. */
function emptyArrays(rows: number, o: number, a: number) {
  return {
    observation: { shape: [rows, o], data: new Float32Array(rows * o) },
    next_observation: { shape: [rows, o], data: new Float32Array(rows * o) },
    action: { shape: [rows, a], data: new Float32Array(rows * a) },
    terminated: { shape: [rows], data: new Uint8Array(rows) },
    truncated: { shape: [rows], data: new Uint8Array(rows) },
    episode: { shape: [rows], data: new Int32Array(rows) },
    reward: { shape: [rows], data: new Float32Array(rows) },
  };
}

/**
 * The bytes of an .npz of steps, as `importNpz` reads it. Rewards are written where every episode has them. Throws
 * UNSUPPORTED where an observation is not one block of numbers: such a file has one array of observations.
 */
export function encodeNpzDemonstrations(episodes: readonly NpzEpisode[]): Buffer {
  const spec = episodes[0]?.observation ?? [];
  if (spec.length !== 1 || spec[0]!.dtype !== 'float32')
    throw new IqLearnError('UNSUPPORTED', 'these demonstrations cannot be written as an .npz', {
      found: describeObservation(spec),
      expected: 'observations of one block of numbers',
    });
  const [o, a] = [shapeSize(spec[0]!.shape), episodes[0]!.actionSize];
  const rows = episodes.reduce((sum, { length }) => sum + length, 0);
  const { reward, ...arrays } = emptyArrays(rows, o, a);
  let at = 0;
  episodes.forEach((episode, i) => {
    const { length, terminated } = episode;
    const [observations] = blockValues(spec, episode.observations, 'episode') as [Float32Array];
    arrays.observation.data.set(observations.subarray(0, length * o), at * o);
    arrays.next_observation.data.set(observations.subarray(o, (length + 1) * o), at * o);
    arrays.action.data.set(episode.actions, at * a);
    arrays.episode.data.fill(i, at, at + length);
    reward.data.set(episode.rewards ?? [], at);
    at += length;
    (terminated ? arrays.terminated : arrays.truncated).data[at - 1] = 1;
  });
  return encodeNpz({ ...arrays, ...(episodes.every(({ rewards }) => rewards !== null) ? { reward } : {}) });
}

/** Writes demonstrations as an .npz of steps, atomically. */
export function exportNpz(path: string, episodes: readonly NpzEpisode[]): void {
  writeFileAtomic(path, encodeNpzDemonstrations(episodes));
}
