import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Display, Terminal } from './display.js';
import type { Interrupt } from './interrupt.js';
import { OrderedHelp, withOutputOptions } from './output.js';

/** The streams and the interrupt of a command. Results go to stdout, all else to stderr. */
export interface Io {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: Terminal;
  readonly interrupt: Interrupt;
}

/** Makes a command whose help ends with examples that can be pasted into a shell. */
export function command(name: string, description: string, examples: readonly string[]): Command {
  const made = new Command(name).description(description);
  made.createHelp = () => Object.assign(new OrderedHelp(), made.configureHelp());
  return made.addHelpText(
    'after',
    `\nExample${examples.length === 1 ? '' : 's'}:\n${examples.map((line) => `  $ ${line}`).join('\n')}`,
  );
}

/** Makes a command that works for a while, with the options that say how it shows its progress. */
export function longCommand(name: string, description: string, examples: readonly string[]): Command {
  return withOutputOptions(command(name, description, examples));
}

/** The words that call iq-learn from the present folder: in a checkout it is a script of npm; once installed it is on the path. */
function launcher(): string {
  try {
    const { name } = JSON.parse(readFileSync('package.json', 'utf8')) as { name?: string };
    return name === 'iq_learn' ? 'npm run iq-learn --' : 'iq-learn';
  } catch {
    return 'iq-learn';
  }
}

/** The command line that repeats a command with these options. It can be pasted into a shell. */
export function commandLine(
  name: string,
  options: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>,
): string {
  const words = Object.entries(options).flatMap(([key, value]) => {
    if (value === undefined || value === false) return [];
    if (typeof value === 'object' && value.length === 0) return [];
    if (value === true) return [`--${key}`];
    const values = typeof value === 'object' ? value : [String(value)];
    return [`--${key}`, ...values.map(quoted)];
  });
  return [launcher(), name, ...words].join(' ');
}

function quoted(word: string): string {
  return /^[\w./:=@+-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}

/** Runs `work` and closes the display afterwards, also when it fails. */
export async function withDisplay<Result>(display: Display, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } finally {
    display.close();
  }
}
