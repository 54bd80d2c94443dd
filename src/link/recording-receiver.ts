import { IqLearnError, messageOf } from '../common/index.js';
import { crc32 } from '../platform/index.js';
import type { OfferedRecording, RecordingChunk, RecordingPosition } from './recording-sender.js';

/** Where the recordings of one robot are kept on the learner's side. */
export interface RecordingStore {
  /** Whether the whole file is there. */
  has(recording: OfferedRecording): boolean;
  /**
   * Bytes of the file that are there already. Parts of another file go. Throws UNSUPPORTED for a file that the robot may
   * not send, now or ever (its folder is full), IO where the disk has no space for it.
   */
  begin(recording: OfferedRecording): number;
  /** Adds bytes behind those that are there. Throws IO. */
  append(recording: OfferedRecording, data: Uint8Array): void;
  /** Compares the whole file with its hash, and gives it its name. Rejects with MISMATCH, and then nothing is left of it. */
  finish(recording: OfferedRecording): Promise<void>;
}

export interface RecordingReceiverOptions {
  readonly robot: string;
  readonly store: RecordingStore;
  readonly publish: (position: RecordingPosition) => void;
  /** Told of each recording that has arrived whole. */
  readonly onArrived: (recording: OfferedRecording) => void;
  readonly warn: (text: string) => void;
  /** Largest file, in bytes. */
  readonly maxBytes: number;
}

type State = 'stored' | 'used' | 'aside' | 'refused';

interface Said {
  readonly state: State;
  readonly reason: string;
}

/** Files with a wrong hash that are tried again before one is refused. */
const TRIES = 3;
/** Recordings whose states are remembered; more are asked of the store again. */
const REMEMBERED = 10_000;

/** A file's name as it may be sent: without a folder, and with letters, digits, _ . and - only. */
export function recordingName(name: string): string {
  const plain = name.replace(/[^\w.-]/g, '_').replace(/^\.+/, '');
  return plain.endsWith('.mcap') ? `${plain.slice(0, -5).slice(0, 100)}.mcap` : `${plain.slice(0, 100)}.mcap`;
}

/** The recording that a chunk belongs to, if its name, hash and place are such as can be. */
function recordingOf({ file, size, sha256, offset, data }: RecordingChunk): OfferedRecording | undefined {
  const isPlausible =
    recordingName(file) === file &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    size > 0n &&
    size <= BigInt(Number.MAX_SAFE_INTEGER) &&
    offset + BigInt(data.length) <= size;
  return isPlausible ? { file, size: Number(size), sha256 } : undefined;
}

/**
 * Takes the recordings of one robot, one at a time: parts in their order, each with its checksum, the whole with its hash.
 * What comes twice, out of place or damaged is dropped, and the robot is told where to go on. The whole file becomes visible
 * only when its hash was found right.
 */
export class RecordingReceiver {
  readonly #options: RecordingReceiverOptions;
  #current: { readonly recording: OfferedRecording; received: number; isFinishing: boolean } | undefined;
  readonly #said = new Map<string, Said>();
  readonly #mismatches = new Map<string, number>();
  #refused = 0;

  constructor(options: RecordingReceiverOptions) {
    this.#options = options;
  }

  /** Chunks that were refused, because they were damaged or can never be right. */
  get refused(): number {
    return this.#refused;
  }

  /** Says what becomes of a recording that has arrived. */
  settle(sha256: string, state: 'used' | 'aside', reason = ''): void {
    this.#remember(sha256, { state, reason });
    this.#publish(sha256, 0, state, reason);
  }

  take(chunk: RecordingChunk): void {
    const { robot, maxBytes } = this.#options;
    const recording = recordingOf(chunk);
    if (chunk.robot !== robot || recording === undefined || crc32(chunk.data) !== chunk.crc32) {
      this.#refused += 1;
      // A damaged one is sent again when the robot has waited for the answer.
      return;
    }
    if (recording.size > maxBytes) {
      this.#refuse(recording, `${recording.size} bytes, where at most ${maxBytes} are taken`);
      return;
    }
    if (this.#answerIfSettled(recording)) return;
    try {
      this.#take(recording, Number(chunk.offset), chunk.data);
    } catch (error) {
      this.#current = undefined;
      this.#options.warn(`the recording ${recording.file} of ${robot} cannot be taken: ${messageOf(error)}`);
      if (error instanceof IqLearnError && error.code === 'UNSUPPORTED') this.#refuse(recording, messageOf(error));
      else this.#publish(recording.sha256, 0, 'waiting', messageOf(error));
    }
  }

  #answerIfSettled(recording: OfferedRecording): boolean {
    const { sha256, size } = recording;
    if (this.#current?.recording.sha256 === sha256) return false;
    let said = this.#said.get(sha256);
    const isThere = this.#options.store.has(recording);
    if (isThere && (said === undefined || said.state === 'refused')) {
      said = { state: 'stored', reason: '' };
      this.#remember(sha256, said);
      this.#options.onArrived(recording);
    }
    // What somebody has deleted is taken again.
    if (said === undefined || (said.state !== 'refused' && !isThere)) return false;
    this.#publish(sha256, said.state === 'refused' ? 0 : size, said.state, said.reason);
    return true;
  }

  #take(recording: OfferedRecording, offset: number, data: Uint8Array): void {
    const { store } = this.#options;
    const { sha256, size } = recording;
    if (this.#current?.recording.sha256 !== sha256) {
      // While the whole file before is read once more, the next one waits for its turn.
      if (this.#current?.isFinishing === true) return;
      this.#current = { recording, received: store.begin(recording), isFinishing: false };
    }
    const current = this.#current;
    if (current.isFinishing) return;
    if (offset === current.received && data.length > 0) {
      store.append(recording, data);
      current.received += data.length;
    }
    this.#publish(sha256, current.received, 'receiving');
    if (current.received < size) return;
    current.isFinishing = true;
    void this.#finish(recording);
  }

  async #finish(recording: OfferedRecording): Promise<void> {
    const { robot, store, warn, onArrived } = this.#options;
    const { file, sha256, size } = recording;
    try {
      await store.finish(recording);
      this.#current = undefined;
      this.#remember(sha256, { state: 'stored', reason: '' });
      this.#publish(sha256, size, 'stored');
      onArrived(recording);
    } catch (error) {
      this.#current = undefined;
      warn(`the recording ${file} of ${robot} is not taken: ${messageOf(error)}`);
      if (!(error instanceof IqLearnError && error.code === 'MISMATCH')) {
        this.#publish(sha256, 0, 'waiting', messageOf(error));
        return;
      }
      const tries = (this.#mismatches.get(sha256) ?? 0) + 1;
      this.#mismatches.set(sha256, tries);
      if (tries >= TRIES) this.#refuse(recording, `its hash was wrong ${TRIES} times`);
      else this.#publish(sha256, 0, 'receiving');
    }
  }

  /** For good, as far as this process goes. */
  #refuse({ sha256 }: OfferedRecording, reason: string): void {
    this.#refused += 1;
    this.#remember(sha256, { state: 'refused', reason });
    this.#publish(sha256, 0, 'refused', reason);
  }

  #remember(sha256: string, said: Said): void {
    this.#said.delete(sha256);
    this.#said.set(sha256, said);
    for (const known of [this.#said, this.#mismatches])
      if (known.size > REMEMBERED) known.delete(known.keys().next().value!);
  }

  #publish(sha256: string, received: number, state: string, reason = ''): void {
    const { robot, publish } = this.#options;
    publish({ robot, sha256, received: BigInt(received), state, reason: reason.slice(0, 1000) });
  }
}
