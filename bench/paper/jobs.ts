import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IqLearnError, messageOf, unknownName } from '../../src/common/index.js';
import { lockFolder, writeFileAtomic } from '../../src/platform/index.js';
import { progress } from '../harness.js';
import type { Job, RunResult } from './table.js';

const RESULT = 'result.json';
const BENCH = fileURLToPath(new URL('../run.js', import.meta.url));

/** Reads the result of a job from its folder. It is undefined where the job has not been finished. */
export function resultOf(folder: string, job: string): RunResult | undefined {
  const file = join(folder, job, RESULT);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RunResult) : undefined;
}

/**
 * Runs one job and writes its result, unless it is there already, or another process is running it: then it is left
 * alone. A job that was killed leaves no result and is run again; one with checkpoints goes on from the last of them.
 */
export async function runJob(folder: string, job: Job): Promise<void> {
  if (resultOf(folder, job.name) !== undefined) return;
  const path = join(folder, job.name);
  let lock: ReturnType<typeof lockFolder>;
  try {
    lock = lockFolder(path);
  } catch (error) {
    progress(`${job.name}: left to the process that runs it (${messageOf(error)})`);
    return;
  }
  try {
    const result: RunResult = { job: job.name, ...(await job.run(path)) };
    writeFileAtomic(join(path, RESULT), `${JSON.stringify(result)}\n`);
    const mean = result.last.reduce((sum, x) => sum + x, 0) / result.last.length;
    progress(`${job.name}: ${mean.toFixed(1)} in ${result.seconds.toFixed(0)} s`);
  } finally {
    lock.release();
  }
}

/** Finds the job with this name. Throws NOT_FOUND with the nearest name. */
export function jobNamed(jobs: readonly Job[], name: string): Job {
  const job = jobs.find((each) => each.name === name);
  if (job === undefined)
    throw unknownName(
      'job',
      name,
      jobs.map((each) => each.name),
    );
  return job;
}

/** Runs all jobs that have no result: here one after the other, or `atOnce` of them in processes of their own. */
export async function runJobs(
  folder: string,
  jobs: readonly Job[],
  atOnce: number,
  args: readonly string[],
): Promise<void> {
  const left = jobs.filter(({ name }) => resultOf(folder, name) === undefined);
  progress(`${jobs.length - left.length} of ${jobs.length} runs are there, ${left.length} to go`);
  if (atOnce <= 1) {
    for (const job of left) await runJob(folder, job);
    return;
  }
  const queue = [...left];
  const failed: string[] = [];
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift())
      if ((await inProcess(job.name, args)) !== 0) failed.push(job.name);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failed.length > 0)
    throw new IqLearnError('INTERNAL', 'some runs failed', {
      found: failed.slice(0, 5).join(', '),
      expected: 'a result of every run',
      remedy: 'run the command again: it goes on with those that are left',
    });
}

function inProcess(job: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [BENCH, 'paper', ...args, `--job=${job}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
