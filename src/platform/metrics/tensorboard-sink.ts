import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../files.js';
import { AppendFile } from './append-file.js';
import { type MetricsRow, type MetricsSink, STEP_NAME } from './sink.js';
import { decodeEvent, encodeEvent, type TensorBoardEvent } from './tensorboard-event.js';
import { decodeRecords, encodeRecord } from './tf-record.js';

const FILE = /^events\.out\.tfevents\.(\d+)\./;
const FILE_VERSION = 'brain.Event:2';
const SESSION_START = 1;

/** Removes what is of step `cutFrom` or later, and what was cut off, from an event file; an empty one goes altogether. */
function cutFile(path: string, cutFrom: number): void {
  const bytes = readFileSync(path);
  const kept = decodeRecords(bytes).filter((record) => {
    const { step = 0, fileVersion } = decodeEvent(record);
    return fileVersion !== undefined || step < cutFrom;
  });
  const size = kept.reduce((sum, record) => sum + encodeRecord(record).byteLength, 0);
  if (kept.length < 2) rmSync(path);
  else if (size < bytes.byteLength) writeFileAtomic(path, Buffer.concat(kept.map(encodeRecord)));
}

/**
 * Writes event files that TensorBoard reads: each metric is a scalar under its name, against the own steps of the
 * policy. Every part of a resumed run has a file of its own, as TensorFlow does it.
 */
export class TensorBoardSink implements MetricsSink {
  readonly #file: AppendFile;

  /** Goes on behind the events before step `cutFrom`; all others are removed. `wallSeconds`: now, since 1970. */
  constructor(folder: string, cutFrom: number, wallSeconds: number) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    // A replacement that a killed process had not finished.
    for (const name of names) if (FILE.test(name) && name.endsWith('.part')) rmSync(join(folder, name));
    const earlier = names.filter((name) => FILE.test(name) && !name.endsWith('.part'));
    for (const name of earlier) cutFile(join(folder, name), cutFrom);
    // TensorBoard reads the files of a run in the order of their names, so a clock that was set back must not count.
    const newest = Math.max(0, ...earlier.map((name) => Number(FILE.exec(name)?.[1])));
    const stamp = Math.max(Math.floor(wallSeconds), newest + 1);
    this.#file = new AppendFile(join(folder, `events.out.tfevents.${String(stamp).padStart(10, '0')}.iq_learn`));
    this.#append({ wallTime: wallSeconds, fileVersion: FILE_VERSION });
    // A TensorBoard that is open meanwhile has read the removed events already, and drops them.
    if (cutFrom > 0) this.#append({ wallTime: wallSeconds, step: cutFrom, sessionLog: { status: SESSION_START } });
  }

  write({ step, wallSeconds, values }: MetricsRow): void {
    const value = Object.entries(values)
      .filter(([tag]) => tag !== STEP_NAME)
      .map(([tag, simpleValue]) => ({ tag, simpleValue }));
    this.#append({ wallTime: wallSeconds, step, summary: { value } });
  }

  close(): void {
    this.#file.close();
  }

  #append(event: TensorBoardEvent): void {
    this.#file.append(encodeRecord(encodeEvent(event)));
  }
}
