import { Command, CommanderError } from 'commander';
import { cancelled, type ErrorCode, IqLearnError, unknownName } from '../common/index.js';
import { ownVersion } from '../platform/index.js';
import { combineCommand } from './combine.js';
import type { Io } from './command.js';
import { demoCommand } from './demo.js';
import { describeCommand } from './describe.js';
import { devicesCommand } from './devices.js';
import { convertCommand, mergeCommand, splitCommand, trimCommand } from './edit-recordings.js';
import { evaluateCommand } from './evaluate.js';
import { errorText, exitCode, exitCodeOf, systemError, usageError } from './exit.js';
import { expertCommand } from './expert.js';
import { inspectCommand } from './inspect.js';
import { linkCommand } from './link.js';
import { nodesCommand } from './node.js';
import { recordCommand } from './record.js';
import { rewardCommand } from './reward.js';
import { serveCommand } from './serve.js';
import { trainCommand } from './train.js';

const COMMANDS = [
  demoCommand,
  recordCommand,
  trainCommand,
  evaluateCommand,
  combineCommand,
  expertCommand,
  rewardCommand,
  inspectCommand,
  describeCommand,
  convertCommand,
  mergeCommand,
  trimCommand,
  splitCommand,
  devicesCommand,
  linkCommand,
  serveCommand,
  nodesCommand,
];

function program(io: Io): Command {
  const root = new Command('iq-learn')
    .description('Imitation learning for robots: demonstrate, learn by IQ-Learn, deploy.')
    .version(ownVersion(), '--version', 'the version of iq_learn')
    .addHelpText(
      'after',
      '\nExample:\n  $ iq-learn demo --robot rover\n\niq-learn <command> --help shows the options and examples of a command.',
    );
  for (const make of COMMANDS) root.addCommand(make(io));
  for (const each of [root, ...root.commands, ...root.commands.flatMap((parent) => parent.commands)])
    each
      .exitOverride()
      .showSuggestionAfterError(false)
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        // `run` prints every error once, in the form of this project.
        writeErr: () => undefined,
        outputError: () => undefined,
      });
  return root;
}

/** The command that the words name, with the words that name it: `link init` is a command of `link`. */
function chosen(root: Command, args: readonly string[]): { command: Command; name: string } {
  let command = root;
  const names = ['iq-learn'];
  for (const arg of args) {
    const inner = command.commands.find((each) => each.name() === arg);
    if (inner === undefined) break;
    command = inner;
    names.push(arg);
  }
  return { command, name: names.join(' ') };
}

/** The error for a wrong command line; for an unknown option it proposes the nearest known one. */
function refusal(error: CommanderError, root: Command, args: readonly string[]): IqLearnError {
  const { command, name } = chosen(root, args);
  const unknown = /unknown option '([^'=]+)/.exec(error.message)?.[1];
  if (unknown !== undefined)
    return unknownName(
      'option',
      unknown,
      [...command.options.map(({ long }) => long ?? ''), '--help'].filter((flag) => flag !== ''),
    );
  return usageError(error, command, name);
}

/** Throws INVALID_ARGUMENT for a word that is empty: a variable of the shell that is not set, which would name the present folder. */
function refuseEmpty(args: readonly string[]): void {
  const at = args.findIndex((arg) => arg === '' || /^--[\w-]+=$/.test(arg));
  if (at < 0) return;
  throw new IqLearnError('INVALID_ARGUMENT', 'an empty argument', {
    found: [...args.slice(Math.max(0, at - 1), at), args[at] === '' ? "''" : args[at]].join(' '),
    expected: 'a value',
    remedy: 'is a variable of the shell not set?',
  });
}

/** Throws INVALID_ARGUMENT for an option with one value that is given twice: the later would count, and nobody would say so. */
function refuseRepeated(command: Command, args: readonly string[]): void {
  const end = args.indexOf('--');
  const words = end < 0 ? args : args.slice(0, end);
  for (const { long, variadic, required } of command.options) {
    if (variadic || !required || long == null) continue;
    const places = words.flatMap((word, i) => (word === long || word.startsWith(`${long}=`) ? [i] : []));
    if (places.length < 2) continue;
    throw new IqLearnError('INVALID_ARGUMENT', `${long} is given ${places.length} times`, {
      found: places.map((i) => (words[i] === long ? `${long} ${words[i + 1] ?? ''}` : words[i])).join(', '),
      expected: 'one value',
      remedy: 'leave out all but one',
    });
  }
}

/**
 * What an error means once a signal has told the program to end: whatever was cut short is not there, or does not answer.
 * Only what must not be missed stays as it is: what could not be saved, and faults of the program itself.
 */
function afterInterruption(error: unknown): unknown {
  if (!(error instanceof IqLearnError) || KEPT_AFTER_INTERRUPTION.has(error.code)) return error;
  return error.code === 'CANCELLED' ? error : cancelled();
}

const KEPT_AFTER_INTERRUPTION: ReadonlySet<ErrorCode> = new Set(['IO', 'INTERNAL', 'DIVERGED']);

/** Runs one command line (without node and script) and gives its exit code. Never throws. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const root = program(io);
  const debug = process.env.IQ_LEARN_DEBUG === '1';
  try {
    refuseEmpty(args);
    const { command, name } = chosen(root, args);
    const next = args[name.split(' ').length - 1];
    if (command.commands.length > 0 && next === undefined) {
      io.stderr.write(command.helpInformation());
      return exitCode.badInput;
    }
    if (command.commands.length > 0 && !next!.startsWith('-') && next !== 'help')
      throw unknownName(
        'command',
        next!,
        command.commands.map((each) => each.name()),
      );
    const wanted = next === 'help' ? args[name.split(' ').length] : undefined;
    if (wanted !== undefined && !wanted.startsWith('-') && command.commands.every((each) => each.name() !== wanted))
      throw unknownName(
        'command',
        wanted,
        command.commands.map((each) => each.name()),
      );
    refuseRepeated(command, args);
    await root.parseAsync(args, { from: 'user' });
    return io.interrupt.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCode.ok;
    const thrown = error instanceof CommanderError ? refusal(error, root, args) : systemError(error);
    const interrupted = io.interrupt.exitCode;
    const shown = interrupted === exitCode.ok ? thrown : afterInterruption(thrown);
    io.stderr.write(`${errorText(shown, debug)}\n`);
    if (interrupted !== exitCode.ok && shown instanceof IqLearnError && shown.code === 'CANCELLED') return interrupted;
    return exitCodeOf(shown);
  }
}
