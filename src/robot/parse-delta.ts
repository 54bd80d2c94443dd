import { nearest } from '../common/index.js';
import type { Path, SpecDocument } from './document.js';
import type { ActionFeatureSpec, ObservationFeatureSpec } from './types.js';

interface Written {
  readonly of: string;
  readonly most: number;
}

/** The action with the deltas of its entries, each of a feature that measures what it commands. Entries were checked before. */
export function withDeltas(
  document: SpecDocument,
  entries: readonly unknown[],
  action: readonly ActionFeatureSpec[],
  observation: readonly ObservationFeatureSpec[],
): ActionFeatureSpec[] {
  return action.map((feature, i) => {
    const { delta } = entries[i] as { readonly delta?: Written };
    if (delta === undefined) return feature;
    return { ...feature, delta: readDelta(document, ['action', i, 'delta'], delta, feature, observation) };
  });
}

function readDelta(
  document: SpecDocument,
  path: Path,
  { of, most }: Written,
  action: ActionFeatureSpec,
  observation: readonly ObservationFeatureSpec[],
): { of: number; most: number } {
  const at = observation.findIndex(({ name, lag }) => name === of && lag === undefined);
  const feature = observation[at];
  if (feature === undefined) {
    const known = observation.filter(({ lag }) => lag === undefined).map(({ name }) => name);
    const meant = nearest(of, known);
    throw document.refusal([...path, 'of'], {
      found: `'${of}'`,
      expected: `a feature of observation that measures ${action.path}`,
      remedy: meant === undefined ? `observe it, or take one of ${known.join(', ')}` : `did you mean '${meant}'?`,
    });
  }
  const { source, unit, low, high } = feature;
  if (unit !== action.unit)
    throw document.refusal([...path, 'of'], { found: `${of} in ${unit}`, expected: `a feature in ${action.unit}` });
  if (action.quantity !== undefined && source.kind === 'joint' && source.joint !== action.path)
    throw document.refusal([...path, 'of'], {
      found: `${of}, of the joint ${source.joint}`,
      expected: `a feature of the joint ${action.path}, which is commanded`,
    });
  if (low > action.low || high < action.high)
    throw document.refusal([...path, 'of'], {
      found: `${of}, which is clamped to ${low}…${high}`,
      expected: `a feature that has all of ${action.low}…${action.high}: a delta from a clamped value is another one`,
    });
  if (!(most <= action.high - action.low))
    throw document.refusal([...path, 'most'], {
      found: String(most),
      expected: `at most the whole range of the command, ${Number((action.high - action.low).toPrecision(6))}`,
    });
  return { of: at, most };
}
