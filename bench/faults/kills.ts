import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
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
  /** How long it ran. */
  readonly ms: number;
}

/** The lines of a text that were written to their end: a process that is killed may leave half of one behind. */
export function wholeLines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

/** When a process is killed: so long after it has said a text so many times. */
interface Moment {
  readonly said: string;
  readonly times: number;
  readonly afterMs: number;
}

/** Runs a script and kills it at a moment, or never; gives what it said. */
async function runChild(args: readonly string[], moment?: Moment): Promise<Ended> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, [...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint += data.toString();
  });
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
    if (timer !== undefined || moment === undefined || said.split(moment.said).length <= moment.times) return;
    timer = setTimeout(() => child.kill('SIGKILL'), moment.afterMs);
  });
  const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
  clearTimeout(timer);
  return { lines: wholeLines(said), complaint, killed: signal === 'SIGKILL', ms: performance.now() - beganMs };
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
    const { lines } = await runChild([script, target, specText], {
      said: 'ended',
      times: 1,
      afterMs: random.uniform(0, withinMs),
    });
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

/** Transitions and segments of the trainings that are killed, and the most segments from the start of one to its end by SIGKILL. */
const [TRANSITIONS, SEGMENTS, MOST] = [400, 20, 5];

const isOutcome = (line: string): boolean => line.startsWith('{"outcome"');

/** Runs the training that is killed; without a moment it is left alone. */
function training(folder: string, mode: 'fresh' | 'resume', moment?: Moment): Promise<Ended> {
  return runChild([join(root, 'test/nodes/training-run.mjs'), folder, mode, '', '', '', String(TRANSITIONS)], moment);
}

/** The training that is left alone: the same for all that are killed. */
let whole: Promise<Ended> | undefined;

/**
 * Kills trainings `kills` times, at random moments of all that they do, writing of checkpoints included, and resumes them
 * each time. Whatever a run says, of each segment, each episode and its policy, must be what one says that is left
 * alone, to the last bit.
 */
export async function killTraining(folder: string, kills: number, random: Random): Promise<Kills> {
  const target = join(folder, 'killed');
  whole ??= training(join(folder, 'whole'), 'fresh');
  const { lines, ms } = await whole;
  const expected = new Set(lines);
  const wrong: string[] = lines.some(isOutcome) ? [] : ['the run that is left alone gives no policy'];
  let done = 0;
  let isFresh = true;
  for (let runs = 1; wrong.length === 0 && (done < kills || !isFresh); runs++) {
    // A fresh run is killed once it has a checkpoint, so that there is something to go on from. The last run is left alone.
    const segments = Math.floor(random.uniform(isFresh ? 2 : 0, MOST));
    const afterMs = random.uniform(0, ms / SEGMENTS);
    const moment =
      segments === 0 ? { said: '"started"', times: 1, afterMs } : { said: '"version"', times: segments, afterMs };
    const run = await training(target, isFresh ? 'fresh' : 'resume', done < kills ? moment : undefined);
    if (run.killed) done++;
    const other = run.lines.find((line) => !expected.has(line));
    if (other !== undefined) wrong.push(`run ${runs} said ${other.slice(0, 300)}`);
    isFresh = run.lines.some(isOutcome);
    if (!run.killed && !isFresh) wrong.push(`run ${runs} gave no policy: ${run.complaint.slice(-300)}`);
    if (isFresh) rmSync(target, { recursive: true, force: true });
  }
  return { kills: done, closed: 0, wrong };
}
