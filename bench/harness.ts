import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machine, versions as versionsOfPackages, writeFileAtomic } from '../src/platform/index.js';

/** One measured number. Its `unit` is an SI unit or a word such as 'ratio' or 'return', and `note` says how it was measured. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly note?: string;
}

/** A curve that was sampled: rows of numbers under columns with names. */
export interface Curve {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

/** The result of a bench, with everything that is needed to judge it and to measure it again. */
export interface BenchResult {
  readonly name: string;
  /** The command as it was given, with only the last part of every path. */
  readonly command: string;
  readonly figures: readonly Figure[];
  readonly curves?: readonly Curve[];
  /** The machine in words: the model of the CPU, the cores and the memory. */
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** The time of the measurement in ISO 8601, in UTC. */
  readonly date: string;
}

/** The root of the repository, as seen from dist/bench. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Gives the command of a bench, `npm run bench -- name args`, without the folders of the person who ran it. */
export function commandOf(name: string, args: readonly string[]): string {
  const words = args.map((arg) => {
    const [flag, value] = arg.startsWith('--') ? splitOnce(arg, '=') : ['', arg];
    if (value === undefined) return arg;
    const last = value
      .split(',')
      .map((part) => (part.includes('/') ? basename(part) : part))
      .join(',');
    return flag === '' ? last : `${flag}=${last}`;
  });
  const quoted = words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`));
  return ['npm run bench --', name, ...quoted].join(' ');
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function commit(): string | undefined {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    return (
      git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' and uncommitted changes')
    );
  } catch {
    return undefined;
  }
}

/** Gives the versions of the software that every figure depends on, and those of the Python packages in `more`. */
export function versions(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = commit();
  return { ...versionsOfPackages(), ...(at === undefined ? {} : { commit: at }), ...more };
}

/** Makes a result of figures. `args` are the arguments as the bench was given them. */
export function benchResult(
  name: string,
  args: readonly string[],
  figures: readonly Figure[],
  more: { readonly curves?: readonly Curve[]; readonly versions?: Readonly<Record<string, string>> } = {},
): BenchResult {
  return {
    name,
    command: commandOf(name, args),
    figures,
    ...(more.curves === undefined ? {} : { curves: more.curves }),
    machine: machine(),
    versions: versions(more.versions),
    date: new Date().toISOString(),
  };
}

/** Writes a result as JSON. The file is replaced atomically. */
export function writeResult(path: string, result: BenchResult): void {
  // JSON has no infinities and no NaN: such a figure would silently become null.
  const text = JSON.stringify(
    result,
    (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value),
    2,
  );
  writeFileAtomic(path, `${text}\n`);
}

/** Writes a number with four significant digits, for people to read. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return String(value);
  const magnitude = Math.abs(value);
  return magnitude >= 1000 ? value.toFixed(0) : magnitude >= 0.001 ? value.toPrecision(4) : value.toExponential(2);
}

/** Writes the figures as a table. */
export function table(result: BenchResult): string {
  const rows = result.figures.map((figure) => [figure.name, shown(figure.value), figure.unit, figure.note ?? '']);
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]!.length));
  const [names, values, units] = [width(0), width(1), width(2)];
  return [
    `${result.name}   ${result.command}`,
    ...rows.map(([name, value, unit, note]) =>
      `  ${name!.padEnd(names)}  ${value!.padStart(values)} ${unit!.padEnd(units)}  ${note!}`.trimEnd(),
    ),
    `  on ${result.machine}`,
    `  with ${Object.entries(result.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  ].join('\n');
}

/** Gives the quantile `q` (0 to 1) of samples by interpolation between neighbours. It is NaN where there are no samples. */
export function quantile(samples: readonly number[] | Float64Array, q: number): number {
  const sorted = Float64Array.from(samples).sort();
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const fraction = at - low;
  return sorted[low]! * (1 - fraction) + sorted[Math.min(low + 1, sorted.length - 1)]! * fraction;
}

export const median = (samples: readonly number[] | Float64Array): number => quantile(samples, 0.5);

/** Writes a line of progress to stderr, because stdout is for the result. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
