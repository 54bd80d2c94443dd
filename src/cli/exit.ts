import type { Command, CommanderError } from 'commander';
import { type ErrorCode, IqLearnError, messageOf } from '../common/index.js';

/** Exit codes of the program. */
export const exitCode = { ok: 0, failure: 1, badInput: 2, interrupted: 130 } as const;

/** Errors caused by the user's input: arguments, settings, files. All others count as failures. */
const BAD_INPUT: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'INVALID_CONFIG',
  'NOT_FOUND',
  'CORRUPT_DATA',
  'MISMATCH',
  'UNSUPPORTED',
]);

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof IqLearnError)) return exitCode.failure;
  if (error.code === 'CANCELLED') return exitCode.interrupted;
  return BAD_INPUT.has(error.code) ? exitCode.badInput : exitCode.failure;
}

/** The line that is printed for an error; with `debug` it is followed by its stack trace and those of its causes. */
export function errorText(error: unknown, debug: boolean): string {
  if (debug && error instanceof Error) {
    const cause = error.cause === undefined ? '' : `\ncaused by: ${errorText(error.cause, true)}`;
    return `${error.stack ?? error.message}${cause}`;
  }
  const line = messageOf(error).replace(/\s*\n\s*/g, ' ');
  if (error instanceof IqLearnError)
    return `error: ${line}${error.remedy === undefined ? '; to do: see --help of the command' : ''}`;
  return `error: ${line}; to do: set IQ_LEARN_DEBUG=1 to see where it comes from, and report it`;
}

const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'a read-only file system',
  ENOSPC: 'no space left on the disk',
  EDQUOT: "no space left of this user's quota",
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a file where a folder is expected',
  EISDIR: 'a folder where a file is expected',
  EEXIST: 'something that is there already',
  EMFILE: 'too many open files',
};

/** An error of the operating system, which says what it refused, in the words of this project; any other as it is. */
export function systemError(error: unknown): unknown {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  const found = REFUSALS[code ?? ''];
  if (error instanceof IqLearnError || found === undefined) return error;
  return new IqLearnError('IO', path === undefined ? 'the output cannot be written' : `cannot ${syscall} ${path}`, {
    found,
    expected: 'files and folders that this user may read and write, with free space',
    remedy: 'change the permissions, free space, or choose another place',
    cause: error,
  });
}

/** Turns an error of commander into one of this project: what was found, what was expected, what to do. `name` is the whole name of the command. */
export function usageError(error: CommanderError, { args, registeredArguments }: Command, name: string): IqLearnError {
  const text = error.message.replace(/^error: /, '');
  const quoted = /'([^']+)'/.exec(text)?.[1] ?? '';
  const remedy = `see ${name} --help`;
  switch (error.code) {
    case 'commander.missingMandatoryOptionValue':
      return new IqLearnError('INVALID_ARGUMENT', 'a required option is missing', {
        found: 'a command without it',
        expected: quoted,
        remedy,
      });
    case 'commander.optionMissingArgument':
      return new IqLearnError('INVALID_ARGUMENT', 'an option lacks its value', {
        found: 'the option alone',
        expected: quoted,
        remedy,
      });
    case 'commander.missingArgument':
      return new IqLearnError('INVALID_ARGUMENT', 'an argument is missing', {
        found: 'a command without it',
        expected: `<${quoted}>`,
        remedy,
      });
    case 'commander.excessArguments':
      return new IqLearnError('INVALID_ARGUMENT', `too many arguments for ${name}`, {
        found: `${args.length}, of which '${args.slice(registeredArguments.length).join(' ')}' is too much`,
        expected: String(registeredArguments.length),
        remedy: `leave it out, or put the name of its option before it: ${remedy}`,
      });
    default:
      return new IqLearnError('INVALID_ARGUMENT', text, { remedy });
  }
}
