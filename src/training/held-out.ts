import { blockValues, IqLearnError, type ObservationSpec, perBlock, shapeSize } from '../common/index.js';
import type { Episode } from '../learning/index.js';

/** Demonstrations in two parts: one to learn from, and one to judge by what was not learned from. */
export interface HeldOut {
  readonly learn: readonly Episode[];
  readonly test: readonly Episode[];
  /** Whole episodes; or, of a single demonstration, its end: then both parts are of the same drive and look alike. */
  readonly kind: 'episodes' | 'end of the demonstration';
}

/** Every fifth episode is held out, or this share of a single one. */
const EVERY = 5;
/** A single demonstration has to be so long that both of its parts say something. */
const SHORTEST = 50;

/** Steps `from` to `to` of an episode. */
function part(episode: Episode, spec: ObservationSpec, from: number, to: number): Episode {
  const a = episode.actions.length / episode.length;
  const observations = blockValues(spec, episode.observations, 'episode').map((rows, i) => {
    const size = shapeSize(spec[i]!.shape);
    return rows.slice(from * size, (to + 1) * size);
  });
  return {
    length: to - from,
    observations: perBlock(spec, observations),
    actions: episode.actions.slice(from * a, to * a),
    terminated: episode.terminated && to === episode.length,
  };
}

/** Throws INVALID_ARGUMENT where there is too little to hold a part of it out. */
export function heldOut(episodes: readonly Episode[], spec: ObservationSpec): HeldOut {
  const whole = episodes.filter(({ length }) => length > 0);
  if (whole.length > 1) {
    // The last one of every five, and of fewer the last.
    const tested = (i: number): boolean => i % EVERY === EVERY - 1 || (whole.length < EVERY && i === whole.length - 1);
    return {
      learn: whole.filter((_, i) => !tested(i)),
      test: whole.filter((_, i) => tested(i)),
      kind: 'episodes',
    };
  }
  const [only] = whole;
  if (only === undefined || only.length < SHORTEST)
    throw new IqLearnError('INVALID_ARGUMENT', 'there is too little to learn from offline', {
      found: only === undefined ? 'no step of a demonstration' : `one demonstration of ${only.length} steps`,
      expected: `two demonstrations, or one of at least ${SHORTEST} steps`,
      remedy: 'record more demonstrations: iq-learn record',
    });
  const cut = only.length - Math.floor(only.length / EVERY);
  return {
    learn: [part(only, spec, 0, cut)],
    test: [part(only, spec, cut, only.length)],
    kind: 'end of the demonstration',
  };
}
