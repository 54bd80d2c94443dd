/** What went wrong, for programs. The text is for people and may change; the code may not. */
export type ErrorCode =
  | 'INVALID_ARGUMENT' // a value given by the caller or on the command line
  | 'INVALID_CONFIG' // a file of settings (RobotSpec, training configuration)
  | 'NOT_FOUND' // a name, file or folder that does not exist
  | 'CORRUPT_DATA' // a file that exists and cannot be trusted
  | 'MISMATCH' // two valid things that do not belong together (a policy and a robot)
  | 'UNSUPPORTED' // a kernel, type or platform that is not covered
  | 'UNAVAILABLE' // a part that cannot be loaded or reached now
  | 'CONFLICT' // somebody else holds it
  | 'IO' // the file system refused
  | 'DIVERGED' // learning left the finite numbers
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'INTERNAL';

/** The parts of an error message: what was being done, what was found, what was expected, what to do. */
export interface ErrorDetails {
  /** What was found, in one phrase with the offending value and where it stands (file, path, line). */
  readonly found?: string;
  /** What was expected instead. */
  readonly expected?: string;
  /** What the reader can do now. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The one error class of iq_learn. `message` holds all parts in one sentence each. */
export class IqLearnError extends Error {
  override readonly name = 'IqLearnError';
  readonly code: ErrorCode;
  /** What was being done or what is wrong, without the details that follow it in `message`. */
  readonly what: string;
  readonly found: string | undefined;
  readonly expected: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const parts = [what];
    if (details.found !== undefined) parts.push(`found: ${details.found}`);
    if (details.expected !== undefined) parts.push(`expected: ${details.expected}`);
    if (details.remedy !== undefined) parts.push(`to do: ${details.remedy}`);
    super(parts.join('; '), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.what = what;
    this.found = details.found;
    this.expected = details.expected;
    this.remedy = details.remedy;
  }
}

/** An error as plain data, to cross the border of a process or thread. Its cause and stack stay behind. */
export interface PackedError {
  readonly code: ErrorCode;
  readonly what: string;
  readonly found?: string;
  readonly expected?: string;
  readonly remedy?: string;
}

/** Packs anything that was thrown; what is not an {@link IqLearnError} becomes INTERNAL with `context` before its message. */
export function packError(thrown: unknown, context?: string): PackedError {
  if (!(thrown instanceof IqLearnError)) {
    const message = messageOf(thrown);
    return { code: 'INTERNAL', what: context === undefined ? message : `${context}: ${message}` };
  }
  const { code, what, found, expected, remedy } = thrown;
  return {
    code,
    what,
    ...(found === undefined ? {} : { found }),
    ...(expected === undefined ? {} : { expected }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** Undoes {@link packError}: an error with the same code, message and parts. */
export function unpackError({ code, what, ...details }: PackedError): IqLearnError {
  return new IqLearnError(code, what, details);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
