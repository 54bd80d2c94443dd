import { vectorObservation } from '#src/common/index.js';
import { encodeNpzDemonstrations } from '#src/demonstrations/index.js';

/** The bytes of an .npz of demonstrations. Each episode has n + 1 observations and n actions. */
export function npzOf(
  episodes: readonly { readonly observations: readonly number[][]; readonly actions: readonly number[][] }[],
  terminated: boolean,
): Buffer {
  return encodeNpzDemonstrations(
    episodes.map(({ observations, actions }) => ({
      length: actions.length,
      observation: vectorObservation(observations[0]!.length),
      actionSize: actions[0]!.length,
      observations: Float32Array.from(observations.flat()),
      actions: Float32Array.from(actions.flat()),
      terminated,
      rewards: null,
    })),
  );
}
