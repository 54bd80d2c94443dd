import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { loadCheckpoint } from '#src/platform/index.js';

const script = fileURLToPath(new URL('./training-run.mjs', import.meta.url));
const killWhileWriting = new URL('./kill-while-writing.mjs', import.meta.url).href;
const FULL = 8; // segments of the script's training

interface Said {
  readonly metrics: Map<number, object>;
  readonly rollouts: Map<number, object>;
  readonly outcomes: { readonly version: number; readonly interrupted: boolean }[];
}
/** A signal that the process gets some time after it told a segment. */
interface Interruption {
  readonly signal: NodeJS.Signals;
  readonly version: number;
  readonly delayMs: number;
}

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'iq-resume-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Runs the training in a process and collects what it says; its exit code, or the signal that ended it. */
async function train(
  folder: string,
  said: Said,
  { resume = false, ...given }: { resume?: boolean; interruption?: Interruption; preload?: string } = {},
): Promise<number | string> {
  const { interruption, preload } = given;
  const { signal, version, delayMs } = interruption ?? {};
  const args = interruption === undefined ? [] : [signal!, String(version), String(delayMs)];
  const child = spawn(process.execPath, [script, folder, resume ? 'resume' : 'fresh', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...(preload === undefined ? {} : { NODE_OPTIONS: `--import=${preload}` }) },
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (text) => {
    const line = JSON.parse(text);
    if (line.metrics !== undefined) {
      const before = said.metrics.get(line.version);
      if (before === undefined) said.metrics.set(line.version, line);
      else expect(line).toEqual(before); // told again
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

describe('a training that is ended at any moment and resumed equals the uninterrupted one bit for bit', () => {
  // Episodes of the hopper end early, anywhere in a segment.
  it('fault F26: kill -9, kill -9 of the learner while it writes a generation, Ctrl-C', async () => {
    const [wholeFolder, folder] = [join(root, 'whole'), join(root, 'resumed')];
    const [whole, resumed] = [nothing(), nothing()];
    const random = new Random(11);
    const told = (version: number, signal: NodeJS.Signals): Interruption => {
      return { signal, version, delayMs: random.integer(40) };
    };
    const interrupt = async (): Promise<void> => {
      expect(await train(folder, resumed, { interruption: told(2, 'SIGKILL') })).toBe('SIGKILL');
      expect(await train(folder, resumed, { resume: true, preload: killWhileWriting })).toBe(1);
      expect(readdirSync(folder).filter((name) => name.endsWith('.part')).length).toBe(1);
      const again = { resume: true, interruption: told(6, 'SIGINT') };
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
