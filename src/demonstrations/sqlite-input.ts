import type { McapTypes } from '@mcap/core';
import sqlite from 'node-sqlite3-wasm';
import { IqLearnError, messageOf } from '../common/index.js';
import { kindOfPath, TemporaryFolder } from '../platform/index.js';

type Row = Readonly<Record<string, number | bigint | string | Uint8Array | null>>;
const none = new Uint8Array(0);

/**
 * The records of a rosbag2 file of the sqlite3 kind (Humble's default), as those of an MCAP file: schemas, channels, then
 * messages in the file's order. The bag's folder is not touched. A recorder that was killed leaves a write-ahead log
 * beside the file; what is in it is read, too. At damage, reading ends and `onDamage` is called. Throws CORRUPT_DATA where
 * the file is no bag, or nothing of it can be read.
 */
export function* readSqlite(
  path: string,
  onDamage: (text: string) => void,
): Generator<McapTypes.TypedMcapRecord, void, void> {
  const folder = new TemporaryFolder();
  let database: InstanceType<typeof sqlite.Database> | undefined;
  let sequence = 0;
  try {
    database = open(path, folder);
    yield { type: 'Header', profile: 'ros2', library: 'rosbag2_storage_sqlite3' };
    yield* topics(database);
    // By the row's number, which is the order in which they were written.
    for (const row of database.prepare('SELECT topic_id, timestamp, data FROM messages ORDER BY id').iterate()) {
      const { topic_id, timestamp, data } = row as Row;
      const time = BigInt(timestamp as number | bigint);
      const channelId = Number(topic_id);
      const bytes = data instanceof Uint8Array ? data : none;
      yield { type: 'Message', channelId, sequence: sequence++, logTime: time, publishTime: time, data: bytes };
    }
  } catch (cause) {
    if (sequence > 0) return onDamage(`${path} is damaged behind message ${sequence}: ${messageOf(cause)}`);
    throw new IqLearnError('CORRUPT_DATA', `${path} cannot be read as a bag`, {
      found: messageOf(cause),
      expected: 'a rosbag2 file with the tables topics and messages',
      remedy: 'copy it again from where it was made, or recover it: sqlite3 FILE .recover',
      cause,
    });
  } finally {
    database?.close();
    folder.remove();
  }
}

/** The library makes a lock beside the file, so the file is reached through a folder of its own. */
function open(path: string, folder: TemporaryFolder): InstanceType<typeof sqlite.Database> {
  const log = `${path}-wal`;
  if (kindOfPath(log) === null) return new sqlite.Database(folder.link(path, 'bag.db3'), { readOnly: true });
  folder.copy(log, 'bag.db3-wal');
  const database = new sqlite.Database(folder.copy(path, 'bag.db3'));
  database.exec('PRAGMA locking_mode=EXCLUSIVE');
  return database;
}

/** Schemas and channels, each topic's before it. Definitions are stored since Iron; before, the package's own are taken. */
function* topics(database: InstanceType<typeof sqlite.Database>): Generator<McapTypes.TypedMcapRecord, void, void> {
  const hasDefinitions = database.get("SELECT name FROM sqlite_master WHERE name = 'message_definitions'") !== null;
  const definitions = new Map<string, Row>();
  if (hasDefinitions)
    for (const row of database.all('SELECT topic_type, encoding, encoded_message_definition FROM message_definitions'))
      definitions.set(String((row as Row).topic_type), row as Row);
  for (const row of database.all('SELECT id, name, type, serialization_format FROM topics')) {
    const { id, name, type, serialization_format } = row as Row;
    const definition = definitions.get(String(type));
    const data = new TextEncoder().encode(String(definition?.encoded_message_definition ?? ''));
    const schema = Number(id);
    yield { type: 'Schema', id: schema, name: String(type), encoding: String(definition?.encoding ?? ''), data };
    yield {
      type: 'Channel',
      id: schema,
      schemaId: schema,
      topic: String(name),
      messageEncoding: String(serialization_format),
      metadata: new Map(),
    };
  }
}
