import { availableParallelism } from 'node:os';
import { createSession, loadOnnxruntime, type Ort, type OrtTensor, type SessionThreads } from './session.js';

/** One setting and what it cost. */
export interface ThreadMeasurement extends SessionThreads {
  /** Median milliseconds a run. */
  readonly ms: number;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

async function timeRuns(ort: Ort, model: Uint8Array, setting: SessionThreads, runs: number): Promise<number> {
  const session = await createSession(ort, model, setting);
  try {
    const feeds: Record<string, OrtTensor> = {};
    for (const meta of session.inputMetadata) {
      if (!meta.isTensor) continue;
      const shape = meta.shape.map(Number);
      const size = shape.reduce((product, n) => product * n, 1);
      // Ones rather than zeros: zeros and what follows from them can be faster or slower than real numbers.
      const data = meta.type === 'int32' ? new Int32Array(size) : new Float32Array(size).fill(1);
      feeds[meta.name] = new ort.Tensor(meta.type, data as Float32Array, shape);
    }
    const times: number[] = [];
    for (let i = 0; i <= runs; i++) {
      const start = performance.now();
      await session.run(feeds);
      if (i > 0) times.push(performance.now() - start);
    }
    return median(times);
  } finally {
    await session.release();
  }
}

/**
 * Times a model (ONNX bytes of fixed shapes) with one thread and with the default number, with and without spinning,
 * fastest first. What is fastest depends on what else the machine does: spinning threads beside a busy core can be
 * several times slower than one thread. A number of threads chosen by this can change the last bits of results.
 */
export async function measureThreads(
  model: Uint8Array,
  options: { readonly runs?: number; readonly candidates?: readonly SessionThreads[] } = {},
): Promise<readonly ThreadMeasurement[]> {
  const ort = await loadOnnxruntime();
  const measured: ThreadMeasurement[] = [];
  const all = [1, defaultThreads()].filter((n, i, list) => list.indexOf(n) === i).flatMap(candidatesOf);
  for (const setting of options.candidates ?? all)
    measured.push({ ...setting, ms: await timeRuns(ort, model, setting, options.runs ?? 5) });
  return measured.sort((a, b) => a.ms - b.ms);
}

/** Updates of this project's sizes gain nothing from more threads. */
const mostThreads = 8;

/** The number of threads where none is given: fixed by the machine, never by its load. */
export const defaultThreads = (): number => Math.min(availableParallelism(), mostThreads);

/** With and without spinning; a single thread has nobody to wait for. */
const candidatesOf = (threads: number): SessionThreads[] =>
  threads === 1
    ? [{ threads, spinning: false }]
    : [
        { threads, spinning: true },
        { threads, spinning: false },
      ];

/**
 * The settings to run a model with: those given, and for spinning the faster one. The number of threads is never
 * measured, because onnxruntime divides work by it and so the last bits of a result can depend on it (for the SAC
 * update 1 and 2 threads agree bit for bit, 3 and more give other bits); spinning changes nothing but time.
 */
export async function chooseThreads(
  model: Uint8Array,
  options: { readonly threads?: number | 'auto'; readonly spinning?: boolean },
): Promise<SessionThreads> {
  const { threads = 'auto', spinning } = options;
  const candidates = candidatesOf(threads === 'auto' ? defaultThreads() : threads);
  if (spinning !== undefined) return { threads: candidates[0]!.threads, spinning };
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  const [fastest] = await measureThreads(model, { candidates });
  return fastest!;
}
