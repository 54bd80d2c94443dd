/** CDR's alignment restarts after the four bytes of the encapsulation header. */
const headerBytes = 4;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes that cannot be a message of the expected type. */
export class CdrError extends Error {}

/** Appends little-endian CDR (XCDR1, what every ROS 2 middleware writes) to a growing buffer. */
export class CdrWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = headerBytes;

  constructor() {
    this.#bytes[1] = 1; // CDR_LE
  }

  /** Aligns to `size` and makes room for `count` elements of it; returns where they start. */
  #reserve(size: number, count = 1): number {
    const start = headerBytes + Math.ceil((this.#length - headerBytes) / size) * size;
    const end = start + size * count;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return start;
  }

  /** The view and where in it the next `size` aligned bytes go. */
  slot(size: number): [DataView, number] {
    const at = this.#reserve(size);
    return [this.#view, at];
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  string(value: string): void {
    const text = textEncoder.encode(value);
    this.uint32(text.length + 1);
    const at = this.#reserve(1, text.length + 1);
    this.#bytes.set(text, at);
  }

  /** Raw little-endian elements of `size` bytes each. */
  block(elements: ArrayBufferView, size: number): void {
    if (elements.byteLength === 0) return;
    const at = this.#reserve(size, elements.byteLength / size);
    this.#bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength), at);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Reads CDR of either byte order and never past its end: a length is checked before anything is allocated for it. */
export class CdrReader {
  readonly littleEndian: boolean;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = headerBytes;

  constructor(bytes: Uint8Array) {
    if (bytes.length < headerBytes || bytes[0] !== 0 || (bytes[1] !== 0 && bytes[1] !== 1))
      throw new CdrError(
        bytes.length < headerBytes
          ? `${bytes.length} bytes, fewer than a CDR header`
          : `the encapsulation ${bytes[0]} ${bytes[1]}, neither CDR_BE (0 0) nor CDR_LE (0 1)`,
      );
    this.littleEndian = bytes[1] === 1;
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength); // a Buffer's slice would not copy
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  #take(size: number, count = 1): number {
    const start = headerBytes + Math.ceil((this.#offset - headerBytes) / size) * size;
    if (start + size * count > this.#bytes.length)
      throw new CdrError(`${size * count} bytes wanted at byte ${start} of ${this.#bytes.length}`);
    this.#offset = start + size * count;
    return start;
  }

  slot(size: number): [DataView, number] {
    const at = this.#take(size);
    return [this.#view, at];
  }

  uint32(): number {
    const at = this.#take(4);
    return this.#view.getUint32(at, this.littleEndian);
  }

  /** The length of a sequence whose elements take at least `minBytes` each. */
  sequenceLength(minBytes: number): number {
    const length = this.uint32();
    if (length * minBytes > this.remaining)
      throw new CdrError(`a sequence of ${length} elements with ${this.remaining} bytes left`);
    return length;
  }

  string(): string {
    const length = this.uint32();
    if (length === 0) return ''; // some vendors write the empty string without its terminator
    const at = this.#take(1, length);
    if (this.#bytes[at + length - 1] !== 0) throw new CdrError(`a string at byte ${at} without its terminator`);
    try {
      return textDecoder.decode(this.#bytes.subarray(at, at + length - 1));
    } catch {
      throw new CdrError(`a string at byte ${at} that is not UTF-8`);
    }
  }

  /** A copy of `count` elements of `size` bytes each, in the machine's (little-endian) order. */
  block(size: number, count: number): ArrayBuffer {
    if (count === 0) return new ArrayBuffer(0);
    const at = this.#take(size, count);
    const copy = this.#bytes.slice(at, at + size * count);
    if (!this.littleEndian && size > 1)
      for (let i = 0; i < copy.length; i += size) copy.subarray(i, i + size).reverse();
    return copy.buffer;
  }
}
