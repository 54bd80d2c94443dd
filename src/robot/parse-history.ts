import { nearest } from '../common/index.js';
import type { Path, SpecDocument } from './document.js';
import { earlier, restOf } from './history.js';
import type { ActionFeatureSpec, ObservationFeatureSpec } from './types.js';

/** Features of the present, with those of the control periods before it in front of them, the oldest first. */
export function withEarlier(present: readonly ObservationFeatureSpec[], steps = 1): ObservationFeatureSpec[] {
  const lags = Array.from({ length: steps - 1 }, (_, k) => steps - 1 - k);
  return [
    ...lags.flatMap((lag) => present.map((feature) => ({ ...feature, name: earlier(feature.name, lag), lag }))),
    ...present,
  ];
}

/** The last commands of some of the action's numbers, the oldest first. */
export function pastActions(
  document: SpecDocument,
  path: Path,
  { past_actions: names, steps = 1 }: { readonly past_actions: readonly string[]; readonly steps?: number | undefined },
  action: readonly ActionFeatureSpec[],
): ObservationFeatureSpec[] {
  const present = names.map((wanted, i): ObservationFeatureSpec => {
    const at = action.findIndex(({ name }) => name === wanted);
    if (at < 0) {
      const known = action.map(({ name }) => name);
      const meant = nearest(wanted, known);
      throw document.refusal([...path, 'past_actions', i], {
        found: `'${wanted}'`,
        expected: `a name of the action: ${known.join(', ')}`,
        ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
      });
    }
    const { unit, low, high } = action[at]!;
    return { name: `action.${wanted}`, unit, low, high, source: { kind: 'action', action: at } };
  });
  // There is no command yet that answers the present.
  return withEarlier(present, steps + 1).slice(0, -present.length);
}

/** Refuses past positions of what holds where it stands, if nothing says where that is at the beginning. */
export function checkRest(
  document: SpecDocument,
  features: readonly { readonly path: Path; readonly feature: ObservationFeatureSpec }[],
  action: readonly ActionFeatureSpec[],
): void {
  const observation = features.map(({ feature }) => feature);
  for (const { path, feature } of features) {
    if (feature.source.kind !== 'action') continue;
    const commanded = action[feature.source.action]!;
    if (commanded.stop === 'zero' || restOf(commanded, observation) >= 0) continue;
    throw document.refusal([...path, 'past_actions'], {
      found: `${commanded.name}, a position that is held in a stop, and no feature of where ${commanded.path} is`,
      expected: `the position of ${commanded.path} in observation: an episode begins with the robot where it stands`,
      remedy: `observe it: { topic: /joint_states, joints: [${commanded.path}], quantity: position, unit: ${commanded.unit} }`,
    });
  }
}
