import { type Progress, panel, progressLine } from './panel.js';

/** A part of a terminal that progress is drawn to (stderr: stdout is for results). */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const DRAW_MS = 100;
const LINE_MS = 4000;

/** Shows progress: a panel that is drawn over itself on a terminal, else a plain line every few seconds. */
export class Display {
  readonly #out: Terminal;
  readonly #live: boolean;
  readonly #nowMs: () => number;
  #drawn = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #phase = '';

  constructor(out: Terminal, options: { readonly headless: boolean; readonly nowMs?: () => number }) {
    this.#out = out;
    this.#live = out.isTTY === true && !options.headless;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** A line that stays. */
  say(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
  }

  /** May be called as often as there is news; the end of a phase and its beginning are always shown. */
  show(progress: Progress): void {
    const now = this.#nowMs();
    const due = now - this.#lastMs >= (this.#live ? DRAW_MS : LINE_MS);
    if (!due && progress.phase === this.#phase && progress.done < progress.total) return;
    this.#lastMs = now;
    this.#phase = progress.phase;
    if (!this.#live) {
      this.#out.write(`${progressLine(progress)}\n`);
      return;
    }
    this.#erase();
    const lines = panel(progress, Math.max(20, (this.#out.columns ?? 80) - 1));
    this.#out.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** Takes the panel away. */
  close(): void {
    this.#erase();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }
}
