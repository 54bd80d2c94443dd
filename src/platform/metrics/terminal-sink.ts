import { type MetricsRow, type MetricsSink, STEP_NAME } from './sink.js';

const shown = (value: number): string =>
  Number.isInteger(value) ? String(value) : Number.isFinite(value) ? String(Number(value.toPrecision(4))) : `${value}`;

/** A row as a table: a heading for each group (`train/`), the names of its metrics below it. */
export function metricsTable({ step, values }: MetricsRow): string {
  const entries = Object.entries({ ...values, [STEP_NAME]: step }).sort(([a], [b]) => (a < b ? -1 : 1));
  const lines: (readonly [string, string])[] = [];
  let group = '';
  for (const [name, value] of entries) {
    const slash = name.indexOf('/') + 1;
    if (name.slice(0, slash) !== group) {
      group = name.slice(0, slash);
      lines.push([group, '']);
    }
    lines.push([`${slash > 0 ? '  ' : ''}${name.slice(slash)}`, shown(value)]);
  }
  const [left, right] = [0, 1].map((column) => Math.max(...lines.map((line) => line[column]!.length)));
  const rule = '-'.repeat(left! + right! + 7);
  return [rule, ...lines.map(([name, value]) => `| ${name.padEnd(left!)} | ${value.padEnd(right!)} |`), rule].join(
    '\n',
  );
}

/** Prints every row as a table. */
export class TerminalSink implements MetricsSink {
  readonly #print: (text: string) => void;

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  write(row: MetricsRow): void {
    this.#print(metricsTable(row));
  }

  close(): void {}
}
