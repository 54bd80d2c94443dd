import { McapWriter } from '@mcap/core';
import type { RecordingFile } from './recording-file.js';
import { type BagSummary, offeredQosProfiles } from './rosbag-metadata.js';

/** A message as it is stored in the file. */
export interface RawMessage {
  readonly topic: string;
  /** 'package/msg/Name' */
  readonly type: string;
  /** Full ros2msg definition. */
  readonly schema: string;
  readonly data: Uint8Array;
  readonly logTimeNs: bigint;
  readonly publishTimeNs: bigint;
}

/** Name of the MCAP metadata record that says which robot and session made the recording. */
export const recordName = 'iq_learn';

/**
 * One MCAP file of profile ros2 in chunks, each with its CRC. Await every call before the next: the MCAP writer is not
 * re-entrant.
 */
export class McapOutput {
  readonly #file: RecordingFile;
  readonly #writer: McapWriter;
  readonly #channels = new Map<string, { id: number; topic: string; type: string; count: number }>();
  readonly #schemas = new Map<string, number>();
  /** McapWriter closes a chunk once it is longer than `chunkSize` and has no call to close it: changing this limit does. */
  #limit: number;
  readonly #chunkBytes: number;

  private constructor(file: RecordingFile, chunkBytes: number) {
    this.#file = file;
    this.#chunkBytes = chunkBytes;
    this.#limit = chunkBytes;
    const chunkSize = { valueOf: () => this.#limit } as unknown as number;
    this.#writer = new McapWriter({ writable: file, chunkSize });
  }

  static async start(
    file: RecordingFile,
    library: string,
    record: ReadonlyMap<string, string> | null,
    chunkBytes = 1024 * 1024,
  ): Promise<McapOutput> {
    const output = new McapOutput(file, chunkBytes);
    await output.#writer.start({ profile: 'ros2', library });
    if (record !== null) await output.#writer.addMetadata({ name: recordName, metadata: new Map(record) });
    await file.sync();
    return output;
  }

  /**
   * Adds a message. With `flush`, everything so far is on the disk when this returns; with `endsChunk` a chunk ends with
   * it, so that damage in one does not reach further.
   */
  async add(message: RawMessage, flush: boolean, endsChunk = flush): Promise<void> {
    const channel = await this.#channelOf(message);
    const before = this.#file.position();
    this.#limit = endsChunk ? 0 : this.#chunkBytes;
    await this.#writer.addMessage({
      channelId: channel.id,
      sequence: channel.count,
      logTime: message.logTimeNs,
      publishTime: message.publishTimeNs,
      data: message.data,
    });
    channel.count++;
    if (this.#file.position() !== before && (flush || !endsChunk)) await this.#file.sync();
  }

  /** A topic has one type; where a recording has two, each message keeps its own. */
  async #channelOf({ topic, type, schema }: RawMessage): Promise<{ id: number; count: number }> {
    const key = `${topic}\n${type}`;
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      let schemaId = this.#schemas.get(type);
      if (schemaId === undefined) {
        const data = new TextEncoder().encode(schema);
        schemaId = await this.#writer.registerSchema({ name: type, encoding: 'ros2msg', data });
        this.#schemas.set(type, schemaId);
      }
      const id = await this.#writer.registerChannel({
        topic,
        schemaId,
        messageEncoding: 'cdr',
        metadata: new Map([['offered_qos_profiles', offeredQosProfiles]]),
      });
      channel = { id, topic, type, count: 0 };
      this.#channels.set(key, channel);
    }
    return channel;
  }

  /** Writes index and footer, flushes and closes. */
  async end(fileName: string): Promise<BagSummary> {
    await this.#writer.end();
    await this.#file.sync();
    await this.#file.close();
    const { messageStartTime: startNs, messageEndTime } = this.#writer.statistics!;
    return {
      file: fileName,
      startNs,
      durationNs: messageEndTime - startNs,
      topics: [...this.#channels.values()].map(({ topic, type, count }) => ({
        name: topic,
        type,
        messageCount: count,
      })),
    };
  }
}
