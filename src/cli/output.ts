import { type Command, Help, Option } from 'commander';
import { type LogLevel, logLevels } from '../platform/index.js';
import { oneOf } from './options.js';

/** How a command that works for a while shows its progress. None of these options changes the results on stdout. */
export interface OutputOptions {
  readonly headless: boolean;
  readonly quiet?: boolean;
  readonly logFormat?: 'text' | 'json';
  readonly logLevel?: LogLevel;
}

const GROUP = 'Progress and logs:';

/** Help with options in the order in which they were added, and the group of {@link OutputOptions} last. */
export class OrderedHelp extends Help {
  override sortOptions = false;

  override groupItems<Item extends Command | Option>(
    ...[unsorted, visible, groupOf]: Parameters<typeof Help.prototype.groupItems<Item>>
  ): Map<string, Item[]> {
    const groups = super.groupItems(unsorted, visible, groupOf);
    const last = groups.get(GROUP);
    groups.delete(GROUP);
    if (last !== undefined) groups.set(GROUP, last);
    return groups;
  }
}

/** Adds the options of {@link OutputOptions} to a command; its help shows them in a group of their own. */
export function withOutputOptions(command: Command): Command {
  const options = [
    new Option('--headless', 'show progress as plain lines instead of the live panel').default(false),
    new Option('--quiet', 'show no progress on the terminal, only warnings, errors and results').default(false),
    new Option('--log-level <level>', `how much nodes log: ${logLevels.join(', ')} (default: info)`).argParser(
      oneOf('log level', logLevels),
    ),
    new Option('--log-format <format>', 'text for people, or json: progress as one JSON object a line, for machines')
      .argParser(oneOf('log format', ['text', 'json']))
      .default('text'),
  ];
  for (const option of options) command.addOption(option.helpGroup(GROUP));
  return command;
}
