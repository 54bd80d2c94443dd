import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { McapWriter } from '@mcap/core';
import { encode, type MessageTypeName, schemaOf } from '#src/messages/index.js';

/** A message of a recording that a test makes, as another program may have written it. */
export interface Written {
  readonly topic: string;
  readonly type: string;
  readonly message?: object;
  readonly data?: Uint8Array;
  readonly logNs: bigint;
  /** The text of the schema and its encoding; the type's ros2msg definition where left out. */
  readonly schema?: string;
  readonly encoding?: string;
}

/** Writes an MCAP file of messages in their order. Returns its path. */
export async function writeBag(
  path: string,
  messages: readonly Written[],
  topics: readonly Written[] = [],
): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  const pieces: Uint8Array[] = [];
  let size = 0n;
  const writable = {
    position: () => size,
    write: async (bytes: Uint8Array) => {
      pieces.push(bytes.slice());
      size += BigInt(bytes.length);
    },
  };
  const writer = new McapWriter({ writable, chunkSize: 16384 });
  await writer.start({ profile: 'ros2', library: 'a test' });
  const channels = new Map<string, number>();
  const channelOf = async ({ topic, type, schema, encoding }: Written): Promise<number> => {
    const known = channels.get(topic);
    if (known !== undefined) return known;
    const full = type.includes('/msg/') ? type : type.replace('/', '/msg/');
    const schemaId = await writer.registerSchema({
      name: type,
      encoding: encoding ?? 'ros2msg',
      data: new TextEncoder().encode(schema ?? schemaOf(full)),
    });
    const id = await writer.registerChannel({ topic, messageEncoding: 'cdr', metadata: new Map(), schemaId });
    channels.set(topic, id);
    return id;
  };
  for (const topic of topics) await channelOf(topic);
  for (const item of messages) {
    const full = (item.type.includes('/msg/') ? item.type : item.type.replace('/', '/msg/')) as MessageTypeName;
    await writer.addMessage({
      channelId: await channelOf(item),
      sequence: 0,
      logTime: item.logNs,
      publishTime: item.logNs,
      data: item.data ?? encode(full, item.message as never),
    });
  }
  await writer.end();
  writeFileSync(path, Buffer.concat(pieces));
  return path;
}
