import { IqLearnError, unknownName } from '../src/common/index.js';

/** An option of a bench: its default gives its type; `null` is a text without default. */
export interface OptionSpec<Value extends string | number | boolean | null = string | number | boolean | null> {
  readonly default: Value;
  readonly help: string;
}

type Widened<Value> = Value extends boolean
  ? boolean
  : Value extends number
    ? number
    : Value extends string
      ? string
      : string | null;

export type OptionValues<Specs extends Readonly<Record<string, OptionSpec>>> = {
  readonly [Name in keyof Specs]: Widened<Specs[Name]['default']>;
};

/** The options as text, one a line. */
export function optionHelp(specs: Readonly<Record<string, OptionSpec>>): string {
  const rows = Object.entries(specs).map(([name, spec]) => {
    const value = typeof spec.default === 'boolean' ? '' : typeof spec.default === 'number' ? ' N' : ' TEXT';
    const standard = spec.default === null || spec.default === false ? '' : ` (default ${String(spec.default)})`;
    return [`--${name}${value}`, `${spec.help}${standard}`] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`).join('\n');
}

/** Thrown for --help; `run.ts` prints the message and ends well. */
export class HelpRequested extends Error {}

/**
 * `--name value`, `--name=value` and flags → typed values. Throws NOT_FOUND for an unknown option (the nearest is
 * proposed), INVALID_ARGUMENT for a missing or malformed value, HelpRequested for --help.
 */
export function parseOptions<const Specs extends Readonly<Record<string, OptionSpec>>>(
  bench: string,
  args: readonly string[],
  specs: Specs,
): OptionValues<Specs> {
  const values: Record<string, string | number | boolean | null> = {};
  for (const [name, spec] of Object.entries(specs)) values[name] = spec.default;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--help' || arg === '-h')
      throw new HelpRequested(`npm run bench -- ${bench} [--json FILE] [options]\n${optionHelp(specs)}`);
    const equals = arg.indexOf('=');
    const name = (equals < 0 ? arg : arg.slice(0, equals)).replace(/^--/, '');
    const spec = specs[name];
    if (!arg.startsWith('--') || spec === undefined)
      throw unknownName(
        'option',
        arg,
        Object.keys(specs).map((n) => `--${n}`),
      );
    if (typeof spec.default === 'boolean') {
      values[name] = true;
      continue;
    }
    const text = equals >= 0 ? arg.slice(equals + 1) : args[++i];
    if (text === undefined || text === '' || (equals < 0 && text.startsWith('--')))
      throw new IqLearnError('INVALID_ARGUMENT', `option --${name} lacks its value`, {
        found: text ?? 'the end of the command',
        expected: spec.help,
        remedy: `give it as --${name}=VALUE`,
      });
    if (typeof spec.default !== 'number') {
      values[name] = text;
      continue;
    }
    const number = Number(text);
    if (!Number.isFinite(number) || number < 0)
      throw new IqLearnError('INVALID_ARGUMENT', `bad value of --${name}`, {
        found: `'${text}'`,
        expected: 'a number, 0 or more',
        remedy: spec.help,
      });
    values[name] = number;
  }
  return values as OptionValues<Specs>;
}

/** '1,2,3' → [1, 2, 3]. Throws INVALID_ARGUMENT. */
export function integerList(name: string, text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.length > 0 && numbers.every((n) => Number.isInteger(n) && n >= 0)) return numbers;
  throw new IqLearnError('INVALID_ARGUMENT', `bad value of --${name}`, {
    found: `'${text}'`,
    expected: 'integers from 0 up, separated by commas',
    remedy: `for example --${name} 1,2,3`,
  });
}
