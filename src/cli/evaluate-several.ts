import { join } from 'node:path';
import { kindOfPath, timestamp } from '../platform/index.js';
import { simulatedResults } from '../report/index.js';
import { runTrials, Trials } from '../sessions/index.js';
import { withDisplay } from './command.js';
import { resultFigures, writeFigures } from './figures.js';
import { checkTarget, interruptedWith, openRunFolder } from './run-folder.js';
import type { Session } from './session.js';

export interface SeveralOptions {
  /** Folders. */
  readonly policies: readonly string[];
  /** Of each policy. */
  readonly trials: number;
  readonly blind: boolean;
  /** Folder of the results; undefined for a new one. */
  readonly out: string | undefined;
  /** Where figures go, if anywhere, and the command that measures them again. */
  readonly figures: { readonly file: string | undefined; readonly command: string };
}

/**
 * Several policies in turn. Every trial is kept before the next begins; the report of what there is is written also where
 * the evaluation is interrupted, and the same command goes on from there.
 */
export async function evaluateSeveral(session: Session, options: SeveralOptions): Promise<void> {
  const { io, display, spec, settings, seed, logger } = session;
  const { policies, trials: each, blind, figures } = options;
  const out = options.out ?? join('runs', `${spec.robot}-trials-${timestamp()}`);
  const simulation = { hasSuccess: settings.hasSuccess };
  const folder = openRunFolder(out, { reuse: true });
  try {
    if (figures.file !== undefined) checkTarget(figures.file);
    const trials = await Trials.open({ spec, policies, trials: each, seed, blind, folder: folder.path, simulation });
    const before = trials.done;
    if (before > 0) display.say(`going on after ${before} of ${trials.wanted} trials`);
    const onTrial = (about: string, { success, return: total }: { success: boolean; return: number }): void => {
      const verdict = settings.hasSuccess ? (success ? 'success, ' : 'failure, ') : '';
      display.say(`${about}: ${verdict}return ${total.toFixed(2)}`);
      display.show({ phase: 'evaluating', done: trials.done, total: trials.wanted, unit: 'trials' });
    };
    const now = (): Date => new Date();
    try {
      const { signal } = io.interrupt;
      await withDisplay(display, () => runTrials({ spec, trials, logger, signal, now, onTrial }));
    } finally {
      if (trials.done > 0) trials.report(now());
      if (trials.done > 0 && trials.done < trials.wanted)
        display.say(`${trials.done} of ${trials.wanted} trials are kept; the same command with --out ${out} goes on`);
    }
    const figuresOf = (): ReturnType<typeof resultFigures> =>
      resultFigures(simulatedResults(trials.data), settings.hasSuccess);
    if (figures.file !== undefined) writeFigures(figures.file, 'evaluate', figures.command, figuresOf());
    io.stdout.write(`${trials.table}\n\nreport: ${join(out, 'report.html')}\n`);
  } catch (error) {
    const isBegun = kindOfPath(folder.file('trials.json')) !== null;
    throw interruptedWith(error, isBegun ? `what was finished is in ${out}` : `nothing was kept: ${figures.command}`);
  } finally {
    folder.close();
  }
}
