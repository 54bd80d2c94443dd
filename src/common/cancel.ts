import { IqLearnError } from './errors.js';

/** The error of work that was told to end: Ctrl-C, SIGTERM, a closed terminal. It is never reported as anything else. */
export function cancelled(what = 'interrupted', remedy = 'what was finished is saved'): IqLearnError {
  return new IqLearnError('CANCELLED', what, { remedy });
}

/** Throws CANCELLED once the signal was given. Work that takes long asks now and then. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}
