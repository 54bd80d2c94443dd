import { IqLearnError, messageOf, type Random } from '../../common/index.js';
import type { Closable, Transport } from '../../transport/index.js';

/**
 * Serves `~/start_episode` of a node. A start that throws is answered with its reason and the number of the episode
 * that goes on; `failed` hears of it.
 */
export function serveStartEpisode(
  { transport, node }: { readonly transport: Transport; readonly node: string },
  episodes: {
    /** Starts an episode and gives its number. */
    start(seed: bigint): Promise<number>;
    /** Number of the newest episode. */
    current(): number;
    failed?(): void;
  },
): Closable {
  return transport.serve(`/${node}/start_episode`, 'iq_learn/srv/StartEpisode', async ({ seed }) => {
    try {
      return { success: true, message: '', episode: await episodes.start(seed) };
    } catch (error) {
      episodes.failed?.();
      return { success: false, message: messageOf(error), episode: episodes.current() };
    }
  });
}

/** The seed of a start: the one that is asked for, or the next of `own` for a negative one. Throws INVALID_ARGUMENT. */
export function seedOfStart(seed: bigint, own: Random): number {
  if (seed > 0xffffffffn)
    throw new IqLearnError('INVALID_ARGUMENT', 'bad seed', { found: String(seed), expected: '−1 or 0…4294967295' });
  return seed < 0n ? own.uint32() : Number(seed);
}
