import { IqLearnError } from '../common/index.js';
import type { ArrayRecord, Executable, RunOutputs } from './program.js';

/** The index of a run, the last where none is given. INVALID_ARGUMENT for a run that was not made. */
export function runIndex(run: number | undefined, runs: number): number {
  const index = run ?? runs - 1;
  if (Number.isInteger(index) && index >= 0 && index < runs) return index;
  throw new IqLearnError('INVALID_ARGUMENT', 'these outputs are of other runs', {
    found: `run ${index}`,
    expected: runs === 0 ? 'no run: none was made' : `0 to ${runs - 1}`,
  });
}

/** {@link Executable.runAll} for executables whose outputs are in the process's own memory anyway. */
export async function runInTurn(executable: Executable, batches: readonly ArrayRecord[]): Promise<RunOutputs> {
  const outputs: ArrayRecord[] = [];
  for (const batch of batches) outputs.push(await executable.run(batch));
  return { runs: outputs.length, read: (run) => outputs[runIndex(run, outputs.length)]! };
}

/** What every executable throws when it is used after `dispose`. */
export const disposedError = (): IqLearnError =>
  new IqLearnError('INVALID_ARGUMENT', 'the executable is disposed', {
    expected: 'one that is not',
    remedy: 'compile the program again',
  });
