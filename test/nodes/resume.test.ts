import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { loadCheckpoint } from '#src/learning/index.js';

const script = fileURLToPath(new URL('./training-run.mjs', import.meta.url));
const FULL = 8; // segments of the script's training

interface Said {
  readonly metrics: Map<number, object>;
  readonly rollouts: Map<number, object>;
  readonly outcomes: { readonly version: number; readonly interrupted: boolean }[];
}
/** What to do to the process when a segment was told. */
type Interference = (child: ChildProcess, version: number) => void;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'iq-resume-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Runs the training in a process and collects what it says; its exit code, or the signal that ended it. */
async function train(
  folder: string,
  said: Said,
  { resume = false, interfere = () => {} }: { resume?: boolean; interfere?: Interference } = {},
): Promise<number | string> {
  const child = spawn(process.execPath, [script, folder, ...(resume ? ['resume'] : [])], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (text) => {
    const line = JSON.parse(text);
    if (line.metrics !== undefined) {
      const before = said.metrics.get(line.version);
      if (before === undefined) said.metrics.set(line.version, line);
      else expect(line).toEqual(before); // told again
      interfere(child, line.version);
    }
    if (line.rollout !== undefined) {
      const before = said.rollouts.get(line.rollout.transitions);
      if (before === undefined) said.rollouts.set(line.rollout.transitions, line.rollout);
      else expect(line.rollout).toEqual(before);
    }
    if (line.outcome !== undefined) said.outcomes.push(line.outcome);
  });
  const [end] = await Promise.all([
    new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code!));
    }),
    new Promise((resolve) => lines.once('close', resolve)),
  ]);
  return end;
}

const nothing = (): Said => ({ metrics: new Map(), rollouts: new Map(), outcomes: [] });

/** Sends a signal some time after a segment was told. */
const signalAfter =
  (from: number, signal: NodeJS.Signals, delayMs: number): Interference =>
  (child, version) => {
    if (version === from) setTimeout(() => child.kill(signal), delayMs);
  };

/** Kills the learning process as soon as it begins to write a generation, once `from` segments are told. */
function whileWriting(folder: string, from: number): { interfere: Interference; killed(): boolean } {
  let killed = false;
  const interfere: Interference = (child, version) => {
    if (version !== from) return;
    const watcher = watch(folder, () => {
      for (const name of readdirSync(folder)) {
        const writer = Number(/\.(\d+)\.part$/.exec(name)?.[1]);
        if (!(writer > 0) || killed) continue;
        killed = true;
        watcher.close();
        process.kill(writer, 'SIGKILL');
      }
    });
    child.once('exit', () => watcher.close());
  };
  return { interfere, killed: () => killed };
}

describe('a training that is ended at any moment and resumed equals the uninterrupted one bit for bit', () => {
  // Episodes of the hopper end early, anywhere in a segment.
  it('kill -9, kill -9 of the learner while it writes a generation, Ctrl-C', async () => {
    const [wholeFolder, folder] = [join(root, 'whole'), join(root, 'resumed')];
    const [whole, resumed] = [nothing(), nothing()];
    const random = new Random(11);
    const soon = (): number => random.integer(60);
    const interrupt = async (): Promise<void> => {
      expect(await train(folder, resumed, { interfere: signalAfter(2, 'SIGKILL', soon()) })).toBe('SIGKILL');
      const writing = whileWriting(folder, 3);
      expect(await train(folder, resumed, { resume: true, interfere: writing.interfere })).toBe(1);
      expect(writing.killed()).toBe(true);
      const again = { resume: true, interfere: signalAfter(4, 'SIGINT', soon()) };
      expect(await train(folder, resumed, again)).toBe(0);
      expect(resumed.outcomes).toMatchObject([{ interrupted: true }]);
      expect(await train(folder, resumed, { resume: true })).toBe(0);
    };
    await Promise.all([interrupt(), train(wholeFolder, whole)]);
    expect([...whole.metrics.keys()]).toEqual(Array.from({ length: FULL }, (_, i) => i + 1));
    expect(whole.outcomes).toMatchObject([{ version: FULL, interrupted: false }]);
    expect(whole.rollouts.size).toBeGreaterThan(3);
    expect(resumed.outcomes.at(-1)).toEqual(whole.outcomes[0]);
    expect(resumed.metrics.get(FULL)).toEqual(whole.metrics.get(FULL));
    for (const [version, line] of resumed.metrics) expect(line).toEqual(whole.metrics.get(version));
    for (const [transitions, rollout] of resumed.rollouts) expect(rollout).toEqual(whole.rollouts.get(transitions));
    const [left, right] = [loadCheckpoint(folder), loadCheckpoint(wholeFolder)];
    expect(left.meta).toEqual(right.meta);
    expect(left.arrays).toEqual(right.arrays);
  });
});
