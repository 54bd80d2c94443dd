import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockValues, type Random, STATE_BLOCK } from '../../src/common/index.js';
import { readDemonstrations, recover } from '../../src/demonstrations/index.js';
import { parseRobotSpec } from '../../src/robot/index.js';
import { root } from '../harness.js';

/** What became of processes that were killed at random moments. */
export interface Kills {
  readonly kills: number;
  /** Episodes that were said to be closed before the kills. */
  readonly closed: number;
  /** What must never happen. */
  readonly wrong: readonly string[];
}

interface Ended {
  /** Whole lines of the output. */
  readonly lines: readonly string[];
  /** What went to stderr, for people. */
  readonly complaint: string;
  readonly killed: boolean;
}

/** The lines of a text that were written to their end: a process that is killed may leave half of one behind. */
export function wholeLines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

/** Runs a script and kills it `afterMs` after `begun` was said, or never; gives what it said. */
async function runChild(args: readonly string[], begun: string, afterMs: number): Promise<Ended> {
  const child = spawn(process.execPath, [...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint += data.toString();
  });
  let timer: Promise<void> | undefined;
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
    if (timer === undefined && said.includes(begun) && Number.isFinite(afterMs))
      timer = sleep(afterMs).then(() => void child.kill('SIGKILL'));
  });
  const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
  await timer;
  return { lines: wholeLines(said), complaint, killed: signal === 'SIGKILL' };
}

const EPISODE = 40;

/** Kills recording processes within `withinMs` of their first episode; recovers and reads what they wrote. */
export async function killRecordings(
  folder: string,
  kills: number,
  random: Random,
  specText: string,
  withinMs = 400,
): Promise<Kills> {
  const spec = parseRobotSpec(specText, 'toy.yaml');
  const wrong: string[] = [];
  let closed = 0;
  for (let i = 0; i < kills; i++) {
    const target = join(folder, `recording-${i}`);
    const script = join(root, 'test/demonstrations/record-child.mjs');
    const { lines } = await runChild([script, target, specText], 'ended 0', random.uniform(0, withinMs));
    const ended = lines.filter((line) => line.startsWith('ended')).length;
    closed += ended;
    await recover(target);
    const { episodes } = await readDemonstrations([target], spec);
    for (let episode = 0; episode < ended; episode++) {
      const found = episodes[episode];
      if (found?.length !== EPISODE || !found.terminated) wrong.push(`kill ${i}: episode ${episode} is not whole`);
    }
    for (const { length, observation, observations } of episodes) {
      const rows = blockValues<ArrayLike<number>>(observation, observations, STATE_BLOCK)[0]!;
      for (let t = 0; t <= length; t++) if (rows[2 * t] !== rows[0]! + t) wrong.push(`kill ${i}: step ${rows[2 * t]}`);
    }
  }
  return { kills, closed, wrong };
}

/** Kills one training `kills` times at random moments and resumes it each time; its end must be that of one that was left alone. */
export async function killTraining(folder: string, kills: number, random: Random): Promise<Kills> {
  const script = join(root, 'test/nodes/training-run.mjs');
  const outcomeOf = ({ lines }: Ended): string | undefined => lines.find((line) => line.startsWith('{"outcome"'));
  const whole = await runChild([script, join(folder, 'whole'), 'fresh'], '"version"', Number.POSITIVE_INFINITY);
  const expected = outcomeOf(whole);
  const target = join(folder, 'killed');
  const wrong: string[] = expected === undefined ? ['the run that is left alone gives no policy'] : [];
  let done = 0;
  let runs = 0;
  while (done < kills && wrong.length === 0) {
    // The first run is killed once it has a checkpoint, so that there is something to go on from.
    const begun = runs === 0 ? '"version":2' : '"version"';
    const run = await runChild([script, target, runs === 0 ? 'fresh' : 'resume'], begun, random.uniform(0, 300));
    runs++;
    if (run.killed) done++;
    const outcome = outcomeOf(run);
    if (outcome === undefined) {
      if (!run.killed) wrong.push(`run ${runs} ended by itself without a policy`);
      continue;
    }
    if (outcome !== expected) wrong.push(`run ${runs} gave another policy`);
    if (done < kills) runs = 0;
  }
  if (wrong.length === 0) {
    const run = await runChild([script, target, 'resume'], '"version"', Number.POSITIVE_INFINITY);
    const last = outcomeOf(run);
    if (last !== expected)
      wrong.push(
        last === undefined
          ? `the resumed run gave no policy: ${run.complaint.slice(-300)}`
          : 'the resumed run gave another policy',
      );
  }
  return { kills: done, closed: 0, wrong };
}
