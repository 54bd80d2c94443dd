/** Functions that read protobuf's bytes give where they end; NONE where what is asked for is not there. */
export const NONE = -1;

/** Varints of more bytes are left to the general decoder: seven hold 49 bits, which a number holds exactly. */
const LONGEST_VARINT = 7;

export const viewOf = ({ buffer, byteOffset, length }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, length);

/** Reads a varint of at most {@link LONGEST_VARINT} bytes, which ends before `end`, to this place. */
export function readVarint(bytes: Uint8Array, start: number, end: number, to: Float64Array, place: number): number {
  if (start >= end) return NONE;
  const byte = bytes[start]!;
  if (byte >= 0x80) return readLongVarint(bytes, start, end, to, place);
  to[place] = byte;
  return start + 1;
}

function readLongVarint(bytes: Uint8Array, start: number, end: number, to: Float64Array, place: number): number {
  const last = Math.min(end, start + LONGEST_VARINT);
  // Four bytes fit an integer of 32 bits, whose arithmetic is faster.
  let low = 0;
  let high = 0;
  for (let at = start, shift = 0; at < last; at++, shift += 7) {
    const byte = bytes[at]!;
    if (shift < 28) low |= (byte & 0x7f) << shift;
    else high |= (byte & 0x7f) << (shift - 28);
    if (byte >= 0x80) continue;
    to[place] = low + high * 2 ** 28;
    return at + 1;
  }
  return NONE;
}

/** Where the bytes behind a length at `start` end, which is not after `end`; where they begin is written to `begin`. */
export function toEnd(bytes: Uint8Array, start: number, end: number, begin: Int32Array): number {
  if (start >= end) return NONE;
  let length = bytes[start]!;
  let at = start + 1;
  if (length >= 0x80) {
    at = readLongVarint(bytes, start, end, LENGTH, 0);
    if (at === NONE) return NONE;
    length = LENGTH[0]!;
  }
  begin[0] = at;
  return length > end - at ? NONE : at + length;
}

const LENGTH = new Float64Array(1);

/** Whether the bytes from `start` to `end` are those of `known`. */
export function isSame(view: DataView, start: number, end: number, known: DataView): boolean {
  const { byteLength } = known;
  if (end - start !== byteLength) return false;
  let i = 0;
  for (; i + 4 <= byteLength; i += 4) if (view.getInt32(start + i) !== known.getInt32(i)) return false;
  for (; i < byteLength; i++) if (view.getUint8(start + i) !== known.getUint8(i)) return false;
  return true;
}

/** The signed number that a varint of a signed type stands for. */
export function signed(value: number): number {
  if (value <= 0xffffffff) return (value >>> 1) ^ -(value & 1);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
