import { IqLearnError } from '../common/index.js';
import { resolve } from '../platform/index.js';

/** Throws INVALID_ARGUMENT for a recording that is given twice: what it shows would count twice. */
export function checkOnce(paths: readonly string[]): void {
  const twice = paths.find((path, i) => paths.findIndex((other) => resolve(other) === resolve(path)) !== i);
  if (twice === undefined) return;
  throw new IqLearnError('INVALID_ARGUMENT', 'a recording is given twice', {
    found: twice,
    expected: 'each recording once: what it shows would count twice',
    remedy: 'leave it out at one of the places',
  });
}
