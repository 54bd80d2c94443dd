import type { Random } from '../../src/common/index.js';

/** Changes bytes as a bad disk, a bad network or an attacker would: turned bits, other bytes, cuts, repetitions, noise. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const at = (length: number): number => Math.min(length - 1, Math.floor(random.uniform(0, 1) * length));
  const kind = at(6);
  if (kind === 5 || bytes.length === 0) return Uint8Array.from({ length: at(400) }, () => at(256));
  const copy = new Uint8Array(bytes);
  switch (kind) {
    case 0: {
      copy[at(copy.length)]! ^= 1 << at(8);
      return copy;
    }
    case 1: {
      for (let n = at(8) + 1; n > 0; n--) copy[at(copy.length)] = at(256);
      return copy;
    }
    case 2:
      return copy.subarray(0, at(copy.length));
    case 3: {
      // Lengths and counts are attacked by bytes that are all ones.
      const from = at(copy.length);
      copy.fill(0xff, from, from + 1 + at(8));
      return copy;
    }
    default: {
      const from = at(copy.length);
      const piece = copy.slice(from, from + at(64));
      const to = at(copy.length);
      const longer = new Uint8Array(copy.length + piece.length);
      longer.set(copy.subarray(0, to));
      longer.set(piece, to);
      longer.set(copy.subarray(to), to + piece.length);
      return longer;
    }
  }
}

/** As {@link mutated}, of a text. */
export function mutatedText(text: string, random: Random): string {
  return new TextDecoder('utf-8').decode(mutated(new TextEncoder().encode(text), random));
}
