import { Command, CommanderError, Option } from 'commander';
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

/** Thrown for --help; `run.ts` prints the message and ends well. */
export class HelpRequested extends Error {}

function optionOf(name: string, { default: standard, help }: OptionSpec): Option {
  // Commander keeps --no-peers under the name of --peers, as false; `parseOptions` takes the two apart.
  if (name.startsWith('no-')) return new Option(`--${name}`, help);
  if (typeof standard === 'boolean') return new Option(`--${name}`, help).default(standard);
  const isNumber = typeof standard === 'number';
  const option = new Option(`--${name} <${isNumber ? 'n' : 'text'}>`, help).argParser((text) => {
    if (text === '' || text.startsWith('--')) throw missingValue(name, help, text);
    return isNumber ? numberOf(name, help, text) : text;
  });
  return standard === null ? option : option.default(standard);
}

function missingValue(name: string, help: string, found: string): IqLearnError {
  return new IqLearnError('INVALID_ARGUMENT', `option --${name} lacks its value`, {
    found: found === '' ? 'nothing' : found,
    expected: help,
    remedy: `give it as --${name}=VALUE`,
  });
}

function numberOf(name: string, help: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new IqLearnError('INVALID_ARGUMENT', `bad value of --${name}`, {
    found: `'${text}'`,
    expected: 'a number, 0 or more',
    remedy: help,
  });
}

/**
 * Reads `--name value`, `--name=value` and flags as typed values. Throws NOT_FOUND for an unknown option (the nearest
 * is proposed), INVALID_ARGUMENT for a missing or malformed value, HelpRequested for --help.
 */
export function parseOptions<const Specs extends Readonly<Record<string, OptionSpec>>>(
  bench: string,
  args: readonly string[],
  specs: Specs,
): OptionValues<Specs> {
  let shown = '';
  const options = Object.entries(specs).map(([name, spec]) => [name, optionOf(name, spec)] as const);
  const command = new Command(`npm run bench -- ${bench} [--json FILE]`)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({ sortOptions: false })
    .configureOutput({ writeOut: (text) => (shown += text), writeErr: () => undefined });
  for (const [, option] of options) command.addOption(option);
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw error.exitCode === 0 ? new HelpRequested(shown.trimEnd()) : refusal(error, args, specs);
  }
  const values = options.map(([name, option]) => {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (option.negate) return [name, value === false];
    const standard = specs[name]!.default;
    return [name, value === undefined || (value === false && typeof standard !== 'boolean') ? standard : value];
  });
  return Object.fromEntries(values) as OptionValues<Specs>;
}

/** Commander's refusal as an error of this project. */
function refusal(
  error: CommanderError,
  args: readonly string[],
  specs: Readonly<Record<string, OptionSpec>>,
): IqLearnError {
  const known = Object.keys(specs).map((name) => `--${name}`);
  const missing = /option '--([\w-]+) /.exec(error.message)?.[1];
  if (error.code === 'commander.optionMissingArgument' && missing !== undefined)
    return missingValue(missing, specs[missing]?.help ?? 'a value', '');
  const option = /unknown option '([^']+)'/.exec(error.message)?.[1];
  return unknownName('option', option ?? args.find((arg) => !arg.startsWith('--')) ?? '', known);
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
