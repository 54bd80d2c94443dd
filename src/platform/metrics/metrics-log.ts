import { join } from 'node:path';
import { IqLearnError, messageOf, unknownName } from '../../common/index.js';
import { CsvSink } from './csv-sink.js';
import { JsonlSink } from './jsonl-sink.js';
import type { MetricsRow, MetricsSink, MetricValues } from './sink.js';
import { TensorBoardSink } from './tensorboard-sink.js';
import { TerminalSink } from './terminal-sink.js';

/** The names of the places that metrics can be written to. */
export const metricsSinkNames = ['csv', 'jsonl', 'tensorboard', 'terminal'] as const;
export type MetricsSinkName = (typeof metricsSinkNames)[number];

/** The sinks that a run has by default, which are all that write files. */
export const defaultMetricsSinks: readonly MetricsSinkName[] = ['csv', 'jsonl', 'tensorboard'];

/** Reads names of sinks, such as 'csv,tensorboard'; 'none' is no sink. Throws NOT_FOUND, with the nearest name, for an unknown one. */
export function parseMetricsSinks(text: string): MetricsSinkName[] {
  if (text.trim() === 'none') return [];
  const names = text.split(',').map((name) => name.trim());
  for (const name of names)
    if (!(metricsSinkNames as readonly string[]).includes(name))
      throw unknownName('place for metrics', name, [...metricsSinkNames, 'none']);
  return [...new Set(names as MetricsSinkName[])];
}

export interface MetricsLogOptions {
  /** The folder of the run, in which progress.csv, progress.jsonl and tensorboard/ are written. */
  readonly folder: string;
  readonly sinks: readonly MetricsSinkName[];
  /**
   * What earlier processes logged of this step and later ones is removed, because a resumed run logs it again.
   * 0, the default, begins anew.
   */
  readonly cutFrom?: number;
  /** Prints the tables of the sink `terminal`. By default they go to standard error. */
  readonly print?: (text: string) => void;
  /** Called once for each sink that cannot be written to any more; the others go on. */
  readonly onProblem: (problem: IqLearnError) => void;
  /** Gives the time in milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Writes the metrics of a run to its sinks, one row at a time. Every row is complete as soon as it is written: a process
 * that is killed leaves no incomplete row. A sink that fails (for example on a full disk) is closed with one message, and
 * the run goes on: losing curves is better than stopping a run, and above all a robot that moves.
 */
export class MetricsLog {
  readonly #sinks: Map<MetricsSinkName, MetricsSink>;
  readonly #options: MetricsLogOptions;

  /** Opens every sink. Throws IO where one cannot be opened: nothing has begun yet. */
  constructor(options: MetricsLogOptions) {
    this.#options = options;
    this.#sinks = new Map();
    for (const name of options.sinks)
      try {
        this.#sinks.set(name, openSink(name, options, this.#now));
      } catch (cause) {
        this.close();
        throw problem(`cannot write metrics (${name}) to ${options.folder}`, cause);
      }
  }

  /** Writes what was measured up to `step`; metrics that were not measured are left out of `values`. */
  write(step: number, values: MetricValues): void {
    const row: MetricsRow = { step, wallSeconds: this.#now / 1000, values };
    for (const [name, sink] of this.#sinks)
      try {
        sink.write(row);
      } catch (cause) {
        this.#sinks.delete(name);
        this.#options.onProblem(problem(`no more metrics are written as ${name}`, cause));
      }
  }

  close(): void {
    for (const sink of this.#sinks.values()) sink.close();
    this.#sinks.clear();
  }

  get #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

function openSink(name: MetricsSinkName, options: MetricsLogOptions, nowMs: number): MetricsSink {
  const { folder, cutFrom = 0, print = (text) => process.stderr.write(`${text}\n`) } = options;
  switch (name) {
    case 'csv':
      return new CsvSink(join(folder, 'progress.csv'), cutFrom);
    case 'jsonl':
      return new JsonlSink(join(folder, 'progress.jsonl'), cutFrom);
    case 'tensorboard':
      return new TensorBoardSink(join(folder, 'tensorboard'), cutFrom, nowMs / 1000);
    case 'terminal':
      return new TerminalSink(print);
  }
}

const problem = (message: string, cause: unknown): IqLearnError =>
  new IqLearnError('IO', message, {
    found: messageOf(cause),
    expected: 'a writable folder with free space',
    remedy: 'free space, or choose another folder; the run itself is not touched',
    cause,
  });
