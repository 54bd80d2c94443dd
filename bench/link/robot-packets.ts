// What a simulated robot sends, written byte by byte: encoding ten transitions through objects would cost more than all else
// that it does. The bytes are those of the link's own encoder; test/bench/link-robots.test.ts compares them.

/** What a robot's transitions are made of: vectors that come again and again, as bytes of float32 numbers. */
export interface Drive {
  readonly robot: string;
  readonly session: string;
  readonly observations: readonly Uint8Array[];
  readonly actions: readonly Uint8Array[];
  /** Steps in an episode. */
  readonly episode: number;
  /** Stamp of the first transition, in milliseconds of the time of day, and milliseconds from one to the next. */
  readonly startMs: number;
  readonly periodMs: number;
}

/** Of an envelope, who sends it and when. */
export interface EnvelopeHead {
  /** The robot's identity in its fleet. */
  readonly name: string;
  readonly sender: string;
  readonly sequence: number;
  readonly sentNs: bigint;
  readonly lifetimeMs: number;
}

const encoder = new TextEncoder();
const texts = new Map<string, Uint8Array>();

/** A name as bytes: there are a few thousand, and each comes again and again. */
function bytesOf(text: string): Uint8Array {
  let bytes = texts.get(text);
  if (bytes === undefined) {
    bytes = encoder.encode(text);
    texts.set(text, bytes);
  }
  return bytes;
}

const TOPIC = encoder.encode('/transitions');
/** A reward that is not known: NaN. */
const NO_REWARD = new Uint8Array(new Float64Array([Number.NaN]).buffer);

/** A buffer that is written from its start to its end, again for each batch. */
class Scratch {
  readonly bytes = Buffer.alloc(2 * 1024 * 1024);
  at = 0;

  varint(value: number): void {
    let rest = value;
    // Beyond 28 bits the operators of 32-bit integers would cut it.
    for (; rest >= 0x10000000; rest = Math.floor(rest / 128)) this.bytes[this.at++] = (rest % 128) | 0x80;
    for (; rest >= 0x80; rest >>>= 7) this.bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.at++] = rest;
  }

  field(tag: number, bytes: Uint8Array): void {
    this.bytes[this.at++] = tag;
    this.varint(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** A number that is left out where it is 0. */
  number(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.at++] = tag;
    this.varint(value);
  }

  /** Two bytes for a length of 128 to 16383 that is known later. */
  open(tag: number): number {
    this.bytes[this.at++] = tag;
    this.at += 2;
    return this.at;
  }

  close(from: number): void {
    const length = this.at - from;
    if (length < 0x80 || length > 0x3fff)
      throw new RangeError(`a length of ${length}, where 128 to 16383 was expected`);
    this.bytes[from - 2] = (length & 0x7f) | 0x80;
    this.bytes[from - 1] = length >>> 7;
  }
}

const scratch = new Scratch();
const envelope = new Scratch();

function writeStamp(ms: number): void {
  const sec = Math.floor(ms / 1000);
  const nanosec = (ms % 1000) * 1_000_000;
  const { bytes } = scratch;
  // header { stamp { sec, nanosec } }: both lengths are one byte.
  bytes[scratch.at++] = 10;
  const outer = scratch.at++;
  bytes[scratch.at++] = 10;
  const inner = scratch.at++;
  scratch.number(8, 2 * sec);
  scratch.number(16, nanosec);
  bytes[inner] = scratch.at - inner - 1;
  bytes[outer] = scratch.at - outer - 1;
}

function writeTransition(
  drive: Drive,
  names: { readonly robot: Uint8Array; readonly session: Uint8Array },
  i: number,
): void {
  const { observations, actions, episode } = drive;
  writeStamp(Math.round(drive.startMs + i * drive.periodMs));
  scratch.field(18, names.robot);
  scratch.field(26, names.session);
  scratch.number(32, i);
  scratch.number(40, Math.floor(i / episode));
  scratch.number(48, i % episode);
  scratch.field(74, observations[i % observations.length]!);
  scratch.field(82, actions[i % actions.length]!);
  scratch.field(90, observations[(i + 1) % observations.length]!);
  scratch.number(104, i % episode === episode - 1 ? 1 : 0);
  scratch.bytes[scratch.at++] = 113;
  scratch.bytes.set(NO_REWARD, scratch.at);
  scratch.at += NO_REWARD.length;
}

/** Writes the payloads of `/stream` of one robot. */
export class BatchWriter {
  readonly #drive: Drive;
  readonly #names: { readonly robot: Uint8Array; readonly session: Uint8Array };

  constructor(drive: Drive) {
    this.#drive = drive;
    this.#names = { robot: encoder.encode(drive.robot), session: encoder.encode(drive.session) };
  }

  /** A StreamBatch of transitions `first` to `end` (without it), counted from 0; a view that is valid until the next one. */
  write(name: string, epoch: number, first: number, end: number): Uint8Array {
    scratch.at = 0;
    scratch.field(10, bytesOf(name));
    scratch.number(16, epoch);
    scratch.number(24, first);
    for (let i = first; i < end; i++) {
      const record = scratch.open(34);
      scratch.number(8, i + 1);
      scratch.field(18, TOPIC);
      const payload = scratch.open(26);
      writeTransition(this.#drive, this.#names, i);
      scratch.close(payload);
      scratch.close(record);
    }
    return scratch.bytes.subarray(0, scratch.at);
  }
}

/** A message of this type in an Envelope; a view that is valid until the next one. */
export function sealed(head: EnvelopeHead, type: string, payload: Uint8Array): Uint8Array {
  const { name, sender, sequence, sentNs, lifetimeMs } = head;
  envelope.at = 0;
  envelope.field(10, bytesOf(name));
  envelope.field(18, bytesOf(sender));
  envelope.number(24, sequence);
  envelope.bytes[envelope.at++] = 32;
  for (let rest = 2n * sentNs; ; rest >>= 7n) {
    const byte = Number(rest & 0x7fn);
    envelope.bytes[envelope.at++] = rest > 0x7fn ? byte | 0x80 : byte;
    if (rest <= 0x7fn) break;
  }
  envelope.number(40, lifetimeMs);
  envelope.field(50, bytesOf(type));
  envelope.field(58, payload);
  return envelope.bytes.subarray(0, envelope.at);
}
