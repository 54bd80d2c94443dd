import { AppendFile } from './append-file.js';
import { replaceLines, wholeLines } from './lines.js';
import { type MetricsRow, type MetricsSink, STEP_NAME } from './sink.js';

const quoted = (name: string): string => (/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

/** The fields of a header that this file's sink wrote. */
const namesOf = (header: string): string[] =>
  [...header.matchAll(/"((?:[^"]|"")*)"|([^,"]+)/g)].map(([, inner, plain]) => inner?.replaceAll('""', '"') ?? plain!);

/** As Python, R and spreadsheets read it: NaN, inf, -inf. */
function cell(value: number | undefined): string {
  if (value === undefined) return '';
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? 'inf' : '-inf';
}

/**
 * Writes rows of comma-separated values under one header whose first column is the step. A metric that appears in the
 * middle of a run gets a new last column: the file is replaced once by itself with the longer header, atomically, and
 * earlier rows have an empty cell there. A metric that a row lacks is an empty cell; NaN is written as NaN.
 */
export class CsvSink implements MetricsSink {
  readonly #path: string;
  #names: string[];
  #file: AppendFile;

  /** Goes on behind the rows before step `cutFrom`; all others are removed. */
  constructor(path: string, cutFrom: number) {
    const [header, ...rows] = wholeLines(path);
    const kept = rows.filter((row) => Number.parseFloat(row) < cutFrom);
    const ours = header !== undefined && namesOf(header)[0] === STEP_NAME && kept.length > 0;
    this.#path = path;
    this.#names = ours ? namesOf(header) : [STEP_NAME];
    replaceLines(path, ours ? [header, ...kept] : []);
    this.#file = new AppendFile(path);
  }

  write({ step, values }: MetricsRow): void {
    const all: Readonly<Record<string, number>> = { ...values, [STEP_NAME]: step };
    const added = Object.keys(values).filter((name) => !this.#names.includes(name));
    if (added.length > 0 || this.#file.size === 0) this.#widen(added);
    this.#file.append(`${this.#names.map((name) => cell(all[name])).join(',')}\n`);
  }

  close(): void {
    this.#file.close();
  }

  #widen(added: readonly string[]): void {
    const rows = wholeLines(this.#path).slice(1);
    const names = [...this.#names, ...added];
    const empty = ','.repeat(added.length);
    replaceLines(this.#path, [names.map(quoted).join(','), ...rows.map((row) => row + empty)]);
    this.#file.close();
    this.#file = new AppendFile(this.#path);
    this.#names = names;
  }
}
