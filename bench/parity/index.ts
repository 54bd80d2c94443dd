import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { IqLearnError, messageOf } from '../../src/common/index.js';
import { type BenchResult, benchResult, type Figure, progress, root } from '../harness.js';
import { parseOptions } from '../options.js';
import { compareTask, type Reference, stepsPerSecond } from './compare.js';

const OPTIONS = {
  python: { default: 'python3', help: 'a Python with the packages of bench/parity/requirements.txt' },
  states: { default: 500, help: 'full states to step from, per task and version' },
  seed: { default: 1, help: 'seed of those states' },
  'speed-seconds': { default: 2, help: 'seconds to measure the speed of each task on each side; 0 leaves it out' },
};

async function makeReference(python: string, args: readonly string[]): Promise<Reference> {
  const folder = mkdtempSync(join(tmpdir(), 'iq-learn-parity-'));
  const out = join(folder, 'reference.json');
  try {
    const script = join(root, 'bench', 'parity', 'reference.py');
    await promisify(execFile)(python, ['-W', 'ignore', script, ...args, '--out', out], { maxBuffer: 1 << 26 });
    return JSON.parse(readFileSync(out, 'utf8')) as Reference;
  } catch (cause) {
    throw new IqLearnError('UNAVAILABLE', 'the reference in Python does not run', {
      found: messageOf(cause).trim().split('\n').at(-1) ?? '',
      expected: 'the packages of bench/parity/requirements.txt',
      remedy: 'make a virtual environment with them and give its interpreter with --python',
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Compares models and single steps with gymnasium, and the speed where it is asked for. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('parity', args, OPTIONS);
  const seconds = options['speed-seconds'];
  progress(`gymnasium steps from ${options.states} states a task…`);
  const reference = await makeReference(options.python, [
    ...['--states', String(options.states), '--seed', String(options.seed)],
    ...['--speed-seconds', String(seconds)],
  ]);
  const figures: Figure[] = [];
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
    if (task.stepsPerSecond !== undefined) {
      const ours = await stepsPerSecond(task, seconds);
      figures.push(
        { name: of('speed'), value: ours, unit: 'steps/s', note: 'one thread, random actions' },
        { name: of('speed against gymnasium'), value: ours / task.stepsPerSecond, unit: 'ratio' },
      );
    }
  }
  return benchResult('parity', args, figures, { versions: reference.versions });
}
