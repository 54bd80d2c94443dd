import { Command } from 'commander';
import { IqLearnError, unknownName } from '../src/common/index.js';
import { type BenchResult, progress, table, writeResult } from './harness.js';
import { HelpRequested } from './options.js';
import { writeTables } from './tables.js';

const BENCHES: Readonly<Record<string, string>> = {
  update:
    'ms per IQ-Learn SAC and SAC update against PyTorch, JAX, stable-baselines3 and sbx, and the share of the SGEMM peak',
  gpu: 'parity of cuda with the CPU, then ms per IQ-Learn update against PyTorch and JAX on the same GPU',
  policy: 'latency observation → action, and state message → command message',
  ros2: 'latency state message → command message of the policy executable over DDS, against rclpy and PyTorch',
  link: 'transitions/s through mosquitto into the replay buffer against JSON and Python, sizes, policies, random bytes',
  paper: 'the tables of the paper: what is published, and what this package reaches',
  learn: 'return against environment steps and wall clock from few demonstrations, over seeds',
  combine: 'the mean of the actions of policies from several runs, beside each of them',
  images: 'cloning from pictures: convolutions against bytes as features, error and time',
  memory: "the learner's resident set with a full buffer, and its growth",
  faults: 'kills, changed bytes and malicious inputs: what was refused, and that nothing wrong was accepted',
  parity: 'models and single steps against gymnasium and MuJoCo in Python',
};

function usage(): string {
  const width = Math.max(...Object.keys(BENCHES).map((name) => name.length));
  const rows = Object.entries(BENCHES).map(([name, help]) => `  ${name.padEnd(width)}  ${help}`);
  return [
    'npm run bench -- NAME [--json FILE] [options]     e.g. npm run bench -- update --json update.json',
    '',
    ...rows,
    '',
    'tables writes the results in bench/results into docs/benchmarks.md.',
    'NAME --help lists the options of a bench; --json writes figures, machine, versions and command.',
  ].join('\n');
}

/** Takes `--json FILE` out of the arguments: it belongs to every bench, the rest to the one that runs. */
function takeJson(args: readonly string[]): { json: string | undefined; rest: string[] } {
  const command = new Command()
    .option('--json <file>')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  let rest: string[];
  try {
    const { operands, unknown } = command.parseOptions([...args]);
    rest = [...operands, ...unknown];
  } catch {
    rest = [];
    command.setOptionValue('json', '');
  }
  const { json } = command.opts<{ json?: string }>();
  if (json === '' || json?.startsWith('--'))
    throw new IqLearnError('INVALID_ARGUMENT', 'option --json lacks its value', {
      expected: 'the file to write the figures to',
      remedy: 'give it as --json FILE',
    });
  return { json, rest };
}

/** Runs the bench that the arguments name. Its exit code is 0 where it succeeded, 1 where it failed, 2 for wrong arguments. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...benchArgs] = args;
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(`${usage()}\n`);
    return 0;
  }
  try {
    if (name === 'tables') {
      writeTables();
      return 0;
    }
    if (!Object.hasOwn(BENCHES, name)) throw unknownName('bench', name, Object.keys(BENCHES));
    const { json, rest } = takeJson(benchArgs);
    const module = (await import(new URL(`./${name}/index.js`, import.meta.url).href)) as {
      run(args: string[]): Promise<BenchResult>;
    };
    const result = await module.run(rest);
    process.stdout.write(`${table(result)}\n`);
    if (json !== undefined) {
      writeResult(json, result);
      progress(`written to ${json}`);
    }
    return 0;
  } catch (error) {
    if (error instanceof HelpRequested) {
      process.stdout.write(`${error.message}\n`);
      return 0;
    }
    if (!(error instanceof IqLearnError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    if (error.code !== 'NOT_FOUND' && error.code !== 'INVALID_ARGUMENT') return 1;
    if (!Object.hasOwn(BENCHES, name)) process.stderr.write(`\n${usage()}\n`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
