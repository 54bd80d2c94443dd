import { distance } from 'fastest-levenshtein';
import { IqLearnError } from './errors.js';

/** The known name nearest to `name`, or undefined when none is near enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 2)) + 1;
  for (const candidate of known) {
    const d = distance(name.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}

/** The error for a name that nobody knows: lists the known ones and proposes the nearest. */
export function unknownName(kind: string, name: string, known: readonly string[]): IqLearnError {
  const suggestion = nearest(name, known);
  return new IqLearnError('NOT_FOUND', `unknown ${kind}`, {
    found: `'${name}'`,
    expected: `one of ${known.join(', ')}`,
    remedy: suggestion === undefined ? 'give one of these' : `did you mean '${suggestion}'?`,
  });
}
