import { crc32 } from 'node:zlib';

const typeNames = { float32: '<f4', bool: '|b1', int32: '<i4' } as const;

/** One array of an .npz, row-major. */
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
export function npz(arrays: Readonly<Record<string, NpzArray>>): Buffer {
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

/** The bytes of an .npz of demonstrations. Each episode has n + 1 observations and n actions. */
export function npzOf(
  episodes: readonly { readonly observations: readonly number[][]; readonly actions: readonly number[][] }[],
  terminated: boolean,
): Buffer {
  const steps = episodes.flatMap(({ observations, actions }, episode) =>
    actions.map((action, t) => ({
      observation: observations[t]!,
      next: observations[t + 1]!,
      action,
      episode,
      last: t === actions.length - 1,
    })),
  );
  const rows = (values: readonly (readonly number[])[]): NpzArray => ({
    shape: [values.length, values[0]!.length],
    data: Float32Array.from(values.flat()),
  });
  const flags = (wanted: boolean): NpzArray => ({
    shape: [steps.length],
    data: Uint8Array.from(steps, ({ last }) => Number(last && wanted)),
  });
  return npz({
    observation: rows(steps.map(({ observation }) => observation)),
    next_observation: rows(steps.map(({ next }) => next)),
    action: rows(steps.map(({ action }) => action)),
    terminated: flags(terminated),
    truncated: flags(!terminated),
    episode: { shape: [steps.length], data: Int32Array.from(steps, ({ episode }) => episode) },
  });
}
