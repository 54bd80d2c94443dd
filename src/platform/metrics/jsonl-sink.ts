import { AppendFile } from './append-file.js';
import { replaceLines, wholeLines } from './lines.js';
import { type MetricsRow, type MetricsSink, STEP_NAME } from './sink.js';

/** The step of a line; NaN for a line that is no row of ours. */
function stepOf(line: string): number {
  try {
    const step = (JSON.parse(line) as Record<string, unknown>)[STEP_NAME];
    return typeof step === 'number' ? step : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/**
 * Writes one JSON object a row: the step as `time/total_timesteps`, then every metric under its name. JSON has no NaN
 * and no infinity: both become null (the CSV file tells them apart).
 */
export class JsonlSink implements MetricsSink {
  readonly #file: AppendFile;

  /** Goes on behind the rows before step `cutFrom`; all others are removed. */
  constructor(path: string, cutFrom: number) {
    replaceLines(
      path,
      wholeLines(path).filter((line) => stepOf(line) < cutFrom),
    );
    this.#file = new AppendFile(path);
  }

  write({ step, values }: MetricsRow): void {
    this.#file.append(`${JSON.stringify({ [STEP_NAME]: step, ...values })}\n`);
  }

  close(): void {
    this.#file.close();
  }
}
