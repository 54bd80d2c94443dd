import { IqLearnError } from '../common/index.js';
import { kindOfPath } from '../platform/index.js';
import { commandLine } from './command.js';
import type { RunFolder } from './run-folder.js';

/** Of a demo whose policy so far was written. `json` is the file of the figures, which were not. */
export function interruptedDemo({ json }: { readonly json?: string }, folder: RunFolder): IqLearnError {
  const resume = commandLine('train', { out: relativeTo(folder.path), resume: true });
  return new IqLearnError('CANCELLED', 'interrupted while learning', {
    found: `the policy so far in ${relativeTo(folder.file('policy'))}`,
    remedy: `go on with: ${resume}${json === undefined ? '' : ' (no figures were written)'}`,
  });
}

/** What an interrupted demo has written, and how to go on from there. */
export function leftByDemo(name: string, folder: RunFolder, again: string): string {
  const run = relativeTo(folder.path);
  if (kindOfPath(folder.file('checkpoint')) === 'folder')
    return `go on with: ${commandLine('train', { out: run, resume: true })}`;
  if (kindOfPath(folder.file('recording')) === null) return `nothing was kept: ${again}`;
  const recording = relativeTo(folder.file('recording'));
  return `the demonstrations so far are in ${recording}: ${commandLine('train', { recording: [recording], robot: name })}, or start again: ${again}`;
}

/** A path as it is shown: from the present folder, where it is inside. */
export const relativeTo = (path: string): string =>
  path.startsWith(`${process.cwd()}/`) ? path.slice(process.cwd().length + 1) : path;
