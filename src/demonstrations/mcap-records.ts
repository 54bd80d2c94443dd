import { McapConstants, McapRecordBuilder, McapStreamReader, type McapTypes } from '@mcap/core';
import { messageOf } from '../common/index.js';
import { crc32 } from '../platform/index.js';
import type { loadDecompressors } from './decompress.js';
import { type FileWindow, frameHead, frameHeadBytes, isMagic, type Summary } from './mcap-frames.js';

const { Opcode, MCAP_MAGIC } = McapConstants;
/** A record that claims to be longer is damaged; it must not fill the memory. */
const maxRecordBytes = 512 * 1024 * 1024;

/** A place of a file where messages were and cannot be read. */
export interface LostMessages {
  readonly type: 'Lost';
  /** The channels that had messages there; null where that cannot be known. */
  readonly channelIds: ReadonlySet<number> | null;
}

export type McapItem = McapTypes.TypedMcapRecord | LostMessages;

/** Where reading goes on after damage, and what was passed over. */
interface Damage {
  readonly resumeAt: number | undefined;
  readonly hasMessages: boolean;
}

/**
 * The records of one MCAP file, one after the other by their lengths, each checked on its own. A damaged chunk is passed
 * over by its length, and where even the length is wrong, the summary at the end of the file says where the next chunk
 * begins. In the place of what was passed over stands a {@link LostMessages}, and `say` hears of it.
 */
export class McapRecords {
  readonly #path: string;
  readonly #window: FileWindow;
  readonly #summary: Summary | null;
  readonly #handlers: Awaited<ReturnType<typeof loadDecompressors>>;
  readonly #say: (text: string) => void;
  /** Places at which a record must begin: chunks, and the summary. Those that were passed are taken away. */
  readonly #boundaries: number[];
  readonly #channels = new Map<number, McapTypes.Channel>();
  #stream: McapStreamReader;
  /** Chunks hold all messages of a file that has any: what looks like a message between them is not one. */
  #hasChunks: boolean;
  /** The channels of a chunk that was passed over, as its index names them behind it. */
  #lost: Set<number> | undefined;
  /** Whether the record before is a chunk or the index of one, read or passed over: an index stands nowhere else. */
  #behindChunk = false;
  /** Whether the record has come that ends the data, and holds their checksum. */
  #hasEnded = false;
  /** Checksum over everything so far, and over everything behind the header: writers differ. Absent after damage. */
  #checksums: [all: number, behindHeader: number] | undefined;

  constructor(
    path: string,
    window: FileWindow,
    summary: Summary | null,
    handlers: Awaited<ReturnType<typeof loadDecompressors>>,
    say: (text: string) => void,
  ) {
    this.#path = path;
    this.#window = window;
    this.#summary = summary;
    this.#handlers = handlers;
    this.#say = say;
    this.#boundaries = summary === null ? [] : [...summary.chunks.keys(), summary.start].reverse();
    this.#hasChunks = (summary?.chunks.size ?? 0) > 0;
    this.#stream = this.#freshStream();
  }

  async *read(): AsyncGenerator<McapItem, void, void> {
    const { size } = this.#window;
    let at = MCAP_MAGIC.length;
    this.#checksums = [crc32(await this.#window.bytes(0, at)), 0];
    for (;;) {
      const held = this.#window.bytes(at, frameHeadBytes);
      const head = held instanceof Promise ? await held : held;
      if (head.length < frameHeadBytes) return yield* this.#cut(at);
      const { opcode, length } = frameHead(head);
      const end = at + frameHeadBytes + length;
      const wrong = this.#wrongFrame(at, opcode, length, end);
      if (wrong !== undefined) {
        this.#checksums = undefined;
        if (wrong.resumeAt === undefined) return yield* this.#giveUp(at);
        const bytes = wrong.resumeAt - at;
        this.#say(
          `${this.#path} is damaged at about byte ${at}: a record whose kind or length is wrong; ${bytes} bytes are left out`,
        );
        yield* this.#summarised();
        if (wrong.hasMessages) this.#lost = new Set();
        this.#behindChunk = true;
        at = wrong.resumeAt;
        continue;
      }
      if (end > size) return yield* this.#cut(at);
      const whole = this.#window.bytes(at, frameHeadBytes + length);
      const frame = whole instanceof Promise ? await whole : whole;
      if (opcode !== Opcode.MESSAGE_INDEX) yield* this.#lostHere();
      else if (!this.#behindChunk) this.#missChunk(at);
      this.#behindChunk = opcode === Opcode.CHUNK || opcode === Opcode.MESSAGE_INDEX;
      if (opcode === Opcode.FOOTER) return await this.#footer(end);
      yield* this.#records(opcode, frame, at);
      this.#count(opcode, frame, at);
      at = end;
    }
  }

  /** What is wrong with a frame by its kind and length alone; undefined where nothing is. */
  #wrongFrame(at: number, opcode: number, length: number, end: number): Damage | undefined {
    const indexed = this.#summary?.chunks.get(at);
    while (this.#boundaries.length > 0 && this.#boundaries.at(-1)! <= at) this.#boundaries.pop();
    const boundary = this.#boundaries.at(-1);
    const isTooLong = length > maxRecordBytes || (boundary !== undefined && end > boundary);
    if (indexed !== undefined && (opcode !== Opcode.CHUNK || end - at !== indexed))
      return { resumeAt: at + indexed, hasMessages: true };
    if (opcode === 0 || isTooLong || (this.#summary !== null && end > this.#window.size))
      return { resumeAt: boundary, hasMessages: !this.#hasChunks };
    if (opcode === Opcode.MESSAGE && this.#hasChunks) return { resumeAt: boundary ?? end, hasMessages: false };
    return undefined;
  }

  /** A record of a kind that nobody knows is passed over, as MCAP wants it; what stands behind it says that it was a chunk. */
  #missChunk(at: number): void {
    this.#checksums = undefined;
    this.#lost = new Set();
    this.#say(
      `${this.#path} is damaged before byte ${at}: an index of messages without a chunk that holds them; the record in its place is left out`,
    );
  }

  /** The records that a frame holds: itself, or those of a chunk. */
  *#records(opcode: number, frame: Uint8Array, at: number): Generator<McapItem, void, void> {
    if (opcode === Opcode.CHUNK) this.#hasChunks = true;
    try {
      this.#stream.append(frame);
      for (let record = this.#stream.nextRecord(); record !== undefined; record = this.#stream.nextRecord()) {
        if (record.type === 'Channel') this.#channels.set(record.id, record);
        if (record.type === 'MessageIndex' && record.records.length > 0) this.#lost?.add(record.channelId);
        if (record.type === 'DataEnd') {
          this.#hasEnded = true;
          this.#checkAll(record.dataSectionCrc);
        }
        yield record;
      }
    } catch (error) {
      this.#checksums = undefined;
      const text = `${this.#path} is damaged at about byte ${at}: ${messageOf(error)}`;
      this.#say(`${text}; ${frame.length} bytes are left out`);
      yield* this.#summarised();
      this.#stream = this.#freshStream();
      if (opcode === Opcode.CHUNK || opcode === Opcode.MESSAGE) this.#lost = new Set();
    }
  }

  /** Says which channels lost messages, once the indexes behind a damaged chunk have been read. */
  *#lostHere(): Generator<McapItem, void, void> {
    if (this.#lost === undefined) return;
    const channelIds = this.#lost.size === 0 ? null : this.#lost;
    this.#lost = undefined;
    yield { type: 'Lost', channelIds };
  }

  /** Schemas and channels that a damaged chunk may have introduced: the summary repeats them. */
  *#summarised(): Generator<McapItem, void, void> {
    if (this.#summary === null) return;
    yield* this.#summary.schemas;
    for (const channel of this.#summary.channels) {
      if (this.#channels.has(channel.id)) continue;
      this.#channels.set(channel.id, channel);
      yield channel;
    }
    this.#stream = this.#freshStream();
  }

  /** A reader of records that knows the channels so far: after an error the one before can no longer be used. */
  #freshStream(): McapStreamReader {
    const stream = new McapStreamReader({ decompressHandlers: this.#handlers, noMagicPrefix: true });
    if (this.#channels.size === 0) return stream;
    const builder = new McapRecordBuilder();
    for (const channel of this.#channels.values()) builder.writeChannel(channel);
    stream.append(builder.buffer);
    while (stream.nextRecord() !== undefined);
    return stream;
  }

  #count(opcode: number, frame: Uint8Array, at: number): void {
    if (this.#checksums === undefined) return;
    const [all, behind] = this.#checksums;
    const isHeader = opcode === Opcode.HEADER && at === MCAP_MAGIC.length;
    this.#checksums = [crc32(frame, all), isHeader ? 0 : crc32(frame, behind)];
  }

  #checkAll(expected: number): void {
    if (expected === 0 || this.#checksums === undefined || this.#checksums.includes(expected)) return;
    this.#say(
      `${this.#path}: its checksum is wrong, though every message has passed its own check; a byte outside the messages was changed, such as one of an index or of the robot's description`,
    );
  }

  async #footer(end: number): Promise<void> {
    if (!this.#hasEnded)
      this.#say(`${this.#path}: the record that ends its data is missing; it was changed or taken out`);
    const magic = await this.#window.bytes(end, MCAP_MAGIC.length);
    if (!isMagic(magic) || end + MCAP_MAGIC.length !== this.#window.size)
      this.#say(`${this.#path} is damaged at about byte ${end}: it does not end as an MCAP file does`);
  }

  *#cut(at: number): Generator<McapItem, void, void> {
    yield* this.#lostHere();
    const { size } = this.#window;
    this.#say(`${this.#path} ends early, at byte ${size}: it was cut or never closed; ${size - at} bytes are lost`);
  }

  *#giveUp(at: number): Generator<McapItem, void, void> {
    this.#say(
      `${this.#path} is damaged at about byte ${at}: a record whose kind or length is wrong; nothing behind it is read`,
    );
    yield* this.#lostHere();
    yield { type: 'Lost', channelIds: null };
  }
}
