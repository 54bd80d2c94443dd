import { IqLearnError } from '../common/index.js';
import { basename, extname, kindOfPath, writeFileAtomic } from '../platform/index.js';
import { type DraftInputs, draftDescription, parseRobotSpec } from '../robot/index.js';

/** Where a first description goes, and how what it needs to be told of it is said. */
export interface DraftOutput {
  /** A new file; undefined: the description is printed. */
  readonly file: string | undefined;
  readonly print: (text: string) => void;
  /** What was silent or left out, and what to do: a line each. */
  readonly note: (text: string) => void;
}

/** Throws CONFLICT where the file of a description exists: what a person wrote into it must not be lost. */
export function checkNewDescription(file: string | undefined): void {
  if (file !== undefined && kindOfPath(file) !== null)
    throw new IqLearnError('CONFLICT', `${file} is there already`, {
      found: `a ${kindOfPath(file)}`,
      expected: 'a new file',
      remedy: 'give another name',
    });
}

/** The name that a file gives to its robot. */
export const robotNameOf = (file: string): string => basename(file, extname(file));

/** Writes or prints a first description, once it has been read back. Throws what drafting and reading it throw. */
export function writeDescription(inputs: DraftInputs, { file, print, note }: DraftOutput): void {
  const { text, notes } = draftDescription(inputs);
  parseRobotSpec(text, file ?? 'the draft');
  for (const each of notes) note(each);
  if (file === undefined) print(text);
  else {
    writeFileAtomic(file, text);
    print(`${file}\nCheck every line, then: iq-learn inspect ${file}\n`);
  }
}
