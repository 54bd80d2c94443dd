import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { IqLearnError, messageOf } from '../../src/common/index.js';
import { type BenchResult, benchResult, type Figure, median, progress, root } from '../harness.js';
import { parseOptions } from '../options.js';
import { compareTask, type Reference, stepsPerSecond } from './compare.js';

const OPTIONS = {
  python: { default: 'python3', help: 'a Python with the packages of bench/parity/requirements.txt' },
  states: { default: 500, help: 'full states to step from, per task and version' },
  seed: { default: 1, help: 'seed of those states' },
  rounds: { default: 5, help: 'times to measure the speed of both sides in turn; 0 leaves it out' },
};

const SCRIPT = join(root, 'bench', 'parity', 'reference.py');

async function python(interpreter: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(interpreter, ['-W', 'ignore', SCRIPT, ...args])).stdout;
  } catch (cause) {
    throw new IqLearnError('UNAVAILABLE', 'the reference in Python does not run', {
      found: messageOf(cause).trim().split('\n').at(-1) ?? '',
      expected: 'the packages of bench/parity/requirements.txt',
      remedy: 'make a virtual environment with them and give its interpreter with --python',
      cause,
    });
  }
}

async function makeReference(interpreter: string, args: readonly string[]): Promise<Reference> {
  const folder = mkdtempSync(join(tmpdir(), 'iq-learn-parity-'));
  const out = join(folder, 'reference.json');
  try {
    await python(interpreter, [...args, '--out', out]);
    return JSON.parse(readFileSync(out, 'utf8')) as Reference;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both sides in turn, so that what else the machine does weighs on both: medians of the rounds. */
async function speed(interpreter: string, task: string, rounds: number): Promise<Figure[]> {
  const [theirs, ours]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    theirs.push(Number(await python(interpreter, ['--speed', task, '--seconds', '1'])));
    ours.push(await stepsPerSecond(task, 1));
  }
  const note = `one thread, random actions, median of ${rounds} rounds in turn`;
  const ratios = ours.map((value, i) => value / theirs[i]!);
  return [
    { name: `${task}: speed`, value: median(ours), unit: 'steps/s', note },
    { name: `${task}: speed of gymnasium`, value: median(theirs), unit: 'steps/s', note },
    { name: `${task}: speed against gymnasium`, value: median(ratios), unit: 'ratio', note: 'more is faster' },
  ];
}

/** Compares models and single steps with gymnasium, and the speed where it is asked for. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('parity', args, OPTIONS);
  progress(`gymnasium steps from ${options.states} states a task…`);
  const wanted = ['--states', String(options.states), '--seed', String(options.seed)];
  const reference = await makeReference(options.python, wanted);
  const figures: Figure[] = [
    {
      name: 'load average at the start',
      value: loadavg()[0]!,
      unit: 'processes',
      note: 'beyond the cores, speeds suffer',
    },
  ];
  for (const task of reference.tasks) {
    const parity = await compareTask(task);
    const of = (what: string): string => `${parity.task}: ${what}`;
    if (parity.constants > 0)
      figures.push({
        name: of('model constants'),
        value: parity.modelDifference,
        unit: 'max abs difference',
        note: `${parity.constants} constants; worst ${parity.worstConstant}`,
      });
    const note = `${parity.states} states, one step each`;
    figures.push(
      { name: of('observation'), value: parity.observationDifference, unit: 'max abs difference', note },
      { name: of('reward'), value: parity.rewardDifference, unit: 'max abs difference', note },
      {
        name: of('terminated'),
        value: parity.terminatedMismatches,
        unit: 'mismatches',
        note: `${parity.terminatedStates} of ${parity.states} terminate`,
      },
    );
  }
  if (options.rounds > 0)
    for (const name of ['hopper', 'halfcheetah', 'walker2d', 'ant']) {
      progress(`speed of ${name}…`);
      figures.push(...(await speed(options.python, name, options.rounds)));
    }
  return benchResult('parity', args, figures, { versions: reference.versions });
}
