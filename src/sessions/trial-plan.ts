import { IqLearnError, Random } from '../common/index.js';

/**
 * The order of an evaluation: `trials` rounds in which every policy comes once, in an order drawn anew for each round. So
 * a battery that runs down, a floor that gets dirty or a person who gets tired meets all policies alike. The same seed
 * gives the same order.
 */
export function trialOrder(policies: readonly string[], trials: number, seed: number): string[] {
  const random = Random.derive(seed, 'order of trials');
  return Array.from({ length: trials }, () => {
    const round = [...policies];
    for (let i = round.length - 1; i > 0; i--) {
      const k = random.integer(i + 1);
      [round[i], round[k]] = [round[k]!, round[i]!];
    }
    return round;
  }).flat();
}

/** The names that people see: the last part of each folder's path that tells the policies apart. Throws INVALID_ARGUMENT for one given twice. */
export function policyLabels(folders: readonly string[]): string[] {
  const parts = folders.map((folder) => folder.split('/').filter((part) => part !== '' && part !== '.'));
  const longest = Math.max(...parts.map(({ length }) => length));
  for (let depth = 1; depth <= longest; depth++) {
    const labels = parts.map((path) => path.slice(-depth).join('/'));
    // `runs/a/policy` and `runs/b/policy` are a and b.
    const short = labels.map((label) => label.replace(/\/policy$/, ''));
    if (new Set(short).size === folders.length && !short.includes('policy')) return short;
    if (new Set(labels).size === folders.length && depth === longest) return labels;
  }
  throw new IqLearnError('INVALID_ARGUMENT', 'a policy is given twice', {
    found: folders.join(', '),
    expected: 'the folder of each policy once',
  });
}
