/** Of a period, what must have passed until the next status: timers are not exact. */
const SHARE = 0.9;
/** So many statuses ask for the time when a robot begins, later one of so many. */
const QUESTIONS = 16;
const QUESTIONS_APART = 10;

/** When a robot says how it stands, and when it asks for the time: seldom once it knows how far its clock is off. */
export class StatusRhythm {
  #saidMs: number | undefined;
  #count = 0;

  /** Whether a status is due: the seconds since the one before, and whether it is time to ask for the time. */
  due(nowMs: number, periodMs: number): { readonly seconds: number; readonly asksForTime: boolean } | undefined {
    const tookMs = this.#saidMs === undefined ? periodMs : nowMs - this.#saidMs;
    if (tookMs < SHARE * periodMs) return undefined;
    this.#saidMs = nowMs;
    const count = this.#count++;
    return { seconds: tookMs / 1000, asksForTime: count < QUESTIONS || count % QUESTIONS_APART === 0 };
  }
}
