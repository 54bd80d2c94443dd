import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { loadCheckpoint } from '#src/platform/index.js';

const script = fileURLToPath(new URL('./environment-trainer-run.mjs', import.meta.url));

interface Part {
  readonly from: number;
  readonly metrics: ReadonlyMap<number, unknown>;
  readonly end: number | string;
}

/** Runs the training in a process, killed `delayMs` after it said the step `killAt`. */
async function train(folder: string, killAt?: number, delayMs = 0): Promise<Part> {
  const child = spawn(process.execPath, [script, folder, ...(killAt === undefined ? [] : [String(killAt + 30)])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const metrics = new Map<number, unknown>();
  let from = -1;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (text) => {
    if (text.startsWith('from ')) {
      from = Number(text.slice(5));
      return;
    }
    const line = JSON.parse(text);
    metrics.set(line.steps, line.metrics);
    if (line.steps === killAt) setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  const [end] = await Promise.all([
    new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code!));
    }),
    new Promise((resolve) => lines.once('close', resolve)),
  ]);
  return { from, metrics, end };
}

it('training on a task, killed with -9 at random moments and resumed, equals the uninterrupted one bit for bit', async () => {
  const root = mkdtempSync(join(tmpdir(), 'iq-environment-trainer-'));
  const random = new Random(8);
  const [killed, whole] = [join(root, 'killed'), join(root, 'whole')];
  const parts: Part[] = [];
  const uninterrupted = train(whole);
  for (const from of [10, 45, 80]) {
    const part = await train(killed, from + random.integer(20), random.integer(10));
    expect(part.end).toBe('SIGKILL');
    parts.push(part);
  }
  parts.push(await train(killed));
  const { metrics, end } = await uninterrupted;
  expect([parts.at(-1)!.end, end]).toEqual([0, 0]);
  expect(metrics.size).toBe(160);
  for (const [i, part] of parts.entries()) {
    if (i > 0) {
      expect(part.from).toBeGreaterThan(parts[i - 1]!.from);
      expect(part.from % 3).toBe(0);
    }
    for (const [step, values] of part.metrics) expect(values).toEqual(metrics.get(step));
  }
  const [left, right] = [loadCheckpoint(killed), loadCheckpoint(whole)];
  expect(left.meta).toEqual(right.meta);
  expect(left.arrays).toEqual(right.arrays);
  expect((right.meta.training as { episode: number }).episode).toBeGreaterThan(3);
  rmSync(root, { recursive: true });
});
