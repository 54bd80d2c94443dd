import type { Command } from 'commander';
import { IqLearnError } from '../common/index.js';

/** Options that say nothing beside another, by their long names. */
export interface Contradiction {
  /** What they say nothing beside, by its name: `--task`. */
  readonly name: string;
  /** The same as it was given: `--task cartpole`. */
  readonly found: string;
  readonly options: readonly string[];
  readonly remedy: string;
}

/** An option as it was given, for people. */
function given(command: Command, long: string, attribute: string): string {
  const value: unknown = command.getOptionValue(attribute);
  if (typeof value === 'boolean') return long;
  return `${long} ${Array.isArray(value) ? value.join(' ') : String(value)}`;
}

/** Throws INVALID_ARGUMENT where options were given that would be left unread: what they ask for would not be done, and nobody would say so. */
export function refuseUnread(command: Command, { name, found, options, remedy }: Contradiction): void {
  const unread = options.flatMap((long) => {
    const option = command.options.find((each) => each.long === long);
    if (option === undefined) throw new Error(`${command.name()} has no option ${long}`);
    const attribute = option.attributeName();
    return command.getOptionValueSource(attribute) === 'cli' ? [{ long, text: given(command, long, attribute) }] : [];
  });
  if (unread.length === 0) return;
  const names = unread.map(({ long }) => long).join(', ');
  throw new IqLearnError('INVALID_ARGUMENT', `${name} does not go together with ${names}`, {
    found: `${found} with ${unread.map(({ text }) => text).join(', ')}`,
    expected: `${name} without ${names}`,
    remedy,
  });
}
