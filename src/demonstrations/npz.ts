import { IqLearnError, messageOf, shapeSize, vectorObservation } from '../common/index.js';
import { crc32, inflateRaw, readBytes } from '../platform/index.js';
import type { DemonstrationEpisode } from './episode.js';

/** An array of an .npz, in C order. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array | BigInt64Array;
}

const maxArrayBytes = 1024 * 1024 * 1024;

const constructors = {
  '<f8': Float64Array,
  '<f4': Float32Array,
  '<i4': Int32Array,
  '<i8': BigInt64Array,
  '|u1': Uint8Array,
  '|b1': Uint8Array,
} as const;

function parseNpy(bytes: Uint8Array): NumpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (Buffer.from(bytes.subarray(0, 6)).toString('latin1') !== '\x93NUMPY') throw new Error('no NUMPY magic');
  const wide = bytes[6]! > 1;
  const headerStart = wide ? 12 : 10;
  const dataStart = headerStart + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  const text = Buffer.from(bytes.subarray(headerStart, dataStart)).toString('latin1');
  const descr = /'descr': *'([^']+)'/.exec(text)?.[1] ?? '';
  const shapeText = /'shape': *\(([^)]*)\)/.exec(text)?.[1];
  const make = constructors[descr as keyof typeof constructors];
  if (make === undefined || shapeText === undefined || !/'fortran_order': *False/.test(text))
    throw new Error(`an array of ${text.trim()}; expected one of ${Object.keys(constructors).join(', ')} in C order`);
  const shape = shapeText
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const count = shapeSize(shape);
  const end = dataStart + count * make.BYTES_PER_ELEMENT;
  if (!Number.isSafeInteger(count) || end > bytes.length)
    throw new Error(`shape (${shapeText}) with ${bytes.length - dataStart} bytes`);
  const copy = new Uint8Array(bytes.subarray(dataStart, end)); // aligned, and its own
  return { shape, data: new make(copy.buffer) };
}

/** The members of a zip file by its central directory, CRCs checked. */
function* unzip(bytes: Uint8Array): Generator<[name: string, content: Uint8Array], void, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error('no end of a zip file: it is cut, or no zip file');
  let at = view.getUint32(end + 16, true);
  for (let n = view.getUint16(end + 10, true); n > 0; n--) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new Error(`no directory entry at byte ${at}`);
    const method = view.getUint16(at + 10, true);
    const crc = view.getUint32(at + 16, true);
    const packed = view.getUint32(at + 20, true);
    const size = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    const name = Buffer.from(bytes.subarray(at + 46, at + 46 + nameLength)).toString('utf8');
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const raw = bytes.subarray(start, start + packed);
    if (size > maxArrayBytes || (method !== 0 && method !== 8))
      throw new Error(`${name}: ${size} bytes, method ${method}`);
    const content = method === 8 ? inflateRaw(raw, size) : raw;
    if (content.length !== size || crc32(content) !== crc) throw new Error(`${name} is damaged (CRC)`);
    yield [name, content];
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}

/** Reads a numpy .npz (zip of .npy). Throws NOT_FOUND, IO, or CORRUPT_DATA for anything else than arrays of numbers. */
export function readNpz(path: string): Map<string, NumpyArray> {
  const bytes = readBytes(path);
  try {
    const arrays = new Map<string, NumpyArray>();
    for (const [name, content] of unzip(bytes)) arrays.set(name.replace(/\.npy$/, ''), parseNpy(content));
    return arrays;
  } catch (cause) {
    throw new IqLearnError('CORRUPT_DATA', `${path} cannot be read as numpy arrays`, {
      found: messageOf(cause),
      expected: 'an .npz file of little-endian numbers',
      cause,
    });
  }
}

/**
 * Demonstrations in an .npz of steps: observation [N×o], action [N×a], next_observation [N×o], terminated,
 * truncated, episode [N], and reward [N] where there is one. Consecutive steps of an episode are joined where the
 * next observation of one is the observation of the other. With `rateHz` the steps get stamps, from 0 in every episode.
 */
export function importNpz(path: string, options: { readonly rateHz?: number } = {}): DemonstrationEpisode[] {
  const arrays = readNpz(path);
  const refuse = (found: string, expected: string): never => {
    throw new IqLearnError('CORRUPT_DATA', `${path} holds no demonstrations`, { found, expected });
  };
  const numbers = (name: string, dimensions: number): { data: Float32Array; width: number; rows: number } => {
    const array = arrays.get(name);
    if (array === undefined || array.shape.length !== dimensions || array.data instanceof BigInt64Array)
      return refuse(
        array === undefined
          ? `arrays ${[...arrays.keys()].join(', ')}`
          : `${name} of shape (${array.shape.join(', ')})`,
        `an array '${name}' of ${dimensions} dimension${dimensions > 1 ? 's' : ''}`,
      );
    const data = array.data instanceof Float32Array ? array.data : Float32Array.from(array.data);
    return { data, rows: array.shape[0]!, width: array.shape[1] ?? 1 };
  };
  const observation = numbers('observation', 2);
  const action = numbers('action', 2);
  const next = numbers('next_observation', 2);
  const terminated = numbers('terminated', 1);
  const truncated = numbers('truncated', 1);
  const episode = numbers('episode', 1);
  const reward = arrays.has('reward') ? numbers('reward', 1) : null;
  for (const { rows } of [action, next, terminated, truncated, episode, reward ?? action])
    if (rows !== observation.rows) refuse(`${rows} rows beside ${observation.rows}`, 'as many rows in every array');
  const o = observation.width;
  const a = action.width;
  if (next.width !== o) refuse(`next_observation of ${next.width} numbers`, `${o}, as observation`);

  const joins = (t: number): boolean => {
    if (t + 1 >= observation.rows || episode.data[t] !== episode.data[t + 1]) return false;
    if (terminated.data[t] === 1 || truncated.data[t] === 1) return false;
    for (let i = 0; i < o; i++) if (!Object.is(next.data[t * o + i], observation.data[(t + 1) * o + i])) return false;
    return true;
  };
  const episodes: DemonstrationEpisode[] = [];
  for (let from = 0; from < observation.rows; ) {
    let last = from;
    while (joins(last)) last++;
    const length = last - from + 1;
    const observations = new Float32Array((length + 1) * o);
    observations.set(observation.data.subarray(from * o, (last + 1) * o));
    observations.set(next.data.subarray(last * o, (last + 1) * o), length * o);
    const ended = terminated.data[last] === 1;
    const { rateHz } = options;
    episodes.push({
      source: `${path}#${episode.data[from]}`,
      length,
      observation: vectorObservation(o),
      actionSize: a,
      observations,
      actions: action.data.slice(from * a, (last + 1) * a),
      terminated: ended,
      truncated: !ended,
      success: null,
      seed: null,
      stamps:
        rateHz === undefined
          ? null
          : BigInt64Array.from({ length: length + 1 }, (_, k) => BigInt(Math.round((k * 1e9) / rateHz))),
      rewards: reward?.data.slice(from, last + 1) ?? null,
    });
    from = last + 1;
  }
  return episodes;
}
