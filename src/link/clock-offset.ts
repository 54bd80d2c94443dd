/** Measurements that are kept: the best of them counts, so that a slow one does no harm. */
const KEPT = 16;

interface Measurement {
  readonly roundTripNs: number;
  readonly offsetNs: number;
}

/**
 * The offset of another machine's clock, from questions and answers: if an answer took as long as its question, the other
 * clock showed its time in the middle of both. The measurement with the shortest way counts; it is wrong by at most half of
 * its round trip.
 */
export class ClockOffset {
  #measured: Measurement[] = [];

  /** `askedNs` and `nowNs` are of this clock, `answeredNs` is of the other one. */
  add(askedNs: bigint, answeredNs: bigint, nowNs: bigint): void {
    const roundTripNs = Number(nowNs - askedNs);
    if (!(roundTripNs >= 0 && answeredNs > 0n)) return;
    const offsetNs = Number(answeredNs - askedNs) - roundTripNs / 2;
    this.#measured.push({ roundTripNs, offsetNs });
    if (this.#measured.length > KEPT) this.#measured.shift();
  }

  /** The other clock minus this one, and the round trip of that measurement, in milliseconds; NaN before the first. */
  get best(): { readonly offsetMs: number; readonly roundTripMs: number } {
    let best: Measurement | undefined;
    for (const each of this.#measured) if (best === undefined || each.roundTripNs < best.roundTripNs) best = each;
    return best === undefined
      ? { offsetMs: Number.NaN, roundTripMs: Number.NaN }
      : { offsetMs: best.offsetNs / 1e6, roundTripMs: best.roundTripNs / 1e6 };
  }
}
