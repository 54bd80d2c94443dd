import type { OutputOptions } from './output.js';
import { type Progress, panel, progressLine, secondsLeft } from './panel.js';

/** What the display needs of a terminal's stream. Progress is drawn to stderr, because stdout is for results. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shortest time between two drawings of the live panel, and between two lines. */
const DRAW_MS = 100;
const LINE_MS = 4000;

export interface DisplayOptions extends OutputOptions {
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
}

/**
 * Shows how far a command is: a panel that is drawn over itself on a terminal, else a plain line every few seconds, or
 * one JSON object on each line. With `quiet` it shows warnings only.
 */
export class Display {
  readonly #out: Terminal;
  readonly #mode: 'panel' | 'lines' | 'json' | 'quiet';
  readonly #json: boolean;
  readonly #nowMs: () => number;
  /** How many lines of the panel are on the terminal now. */
  #drawn = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** The present phase, and its progress when it was first shown. */
  #phase = { name: '', done: 0, sinceMs: 0 };

  constructor(out: Terminal, options: DisplayOptions) {
    this.#out = out;
    this.#json = options.logFormat === 'json';
    const live = out.isTTY === true && !options.headless;
    this.#mode = options.quiet === true ? 'quiet' : this.#json ? 'json' : live ? 'panel' : 'lines';
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Prints a line above the panel, which no later drawing removes. */
  say(text: string): void {
    if (this.#mode !== 'quiet') this.#print('info', text);
  }

  /** Prints a warning, which is never left out. */
  warn(text: string): void {
    this.#print('warn', text);
  }

  /** Shows progress. It may be called as often as there is news; the beginning and the end of a phase are always shown. */
  show(news: Progress): void {
    if (this.#mode === 'quiet') return;
    const now = this.#nowMs();
    const isNew = news.phase !== this.#phase.name;
    if (isNew) this.#phase = { name: news.phase, done: news.done, sinceMs: now };
    const progress = this.#withRate(news, now);
    const due = now - this.#lastMs >= (this.#mode === 'panel' ? DRAW_MS : LINE_MS);
    if (!due && !isNew && progress.done < progress.total) return;
    this.#lastMs = now;
    if (this.#mode === 'panel') {
      this.#erase();
      const lines = panel(progress, Math.max(20, (this.#out.columns ?? 80) - 1));
      this.#out.write(`${lines.join('\n')}\n`);
      this.#drawn = lines.length;
    } else if (this.#mode === 'json') {
      const { returns: _, rewards: __, ...numbers } = progress;
      this.#writeJson({ level: 'info', message: 'progress', ...numbers, secondsLeft: secondsLeft(progress) });
    } else this.#out.write(`${progressLine(progress)}\n`);
  }

  /** Removes the panel from the terminal. */
  close(): void {
    this.#erase();
  }

  /** The mean rate since the phase was first shown, for a phase that does not measure its own. */
  #withRate(progress: Progress, nowMs: number): Progress {
    const { done, sinceMs } = this.#phase;
    if (progress.perSecond !== undefined || progress.done <= done || nowMs <= sinceMs) return progress;
    return { ...progress, perSecond: (1000 * (progress.done - done)) / (nowMs - sinceMs) };
  }

  #print(level: 'info' | 'warn', text: string): void {
    if (this.#json) this.#writeJson({ level, message: text });
    else {
      this.#erase();
      this.#out.write(`${level === 'warn' ? 'warning: ' : ''}${text}\n`);
    }
  }

  #writeJson(record: Readonly<Record<string, unknown>>): void {
    this.#out.write(`${JSON.stringify({ timestamp: new Date().toISOString(), node: 'iq-learn', ...record })}\n`);
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }
}
