import { wallClockNs } from '../../common/index.js';
import type { Logger } from '../../platform/index.js';

/** Result of comparing another node's claim with ours: our own message, an older claim, or a newer one. */
export type Claim = 'own' | 'lower' | 'higher';

/**
 * The right to be the one policy node or the one learner of a robot. Each activation takes a new epoch, and puts it into
 * the node's status messages. Where two nodes see each other's status, the one with the lower epoch stops. Epochs are
 * times of day in nanoseconds: machines whose clocks agree to a second agree on which activation came last.
 */
export class Lease {
  /** Names the run of the node. It decides between two nodes with the same epoch, and recognises our own messages. */
  readonly holder: string;
  readonly epoch: bigint;
  #warned = -1n;

  constructor(holder: string, epoch = wallClockNs()) {
    this.holder = holder;
    this.epoch = epoch;
  }

  /**
   * Compares the claim in a status message with ours. A higher epoch under our own name is not our message but that of
   * another node with the same name, which has come after us.
   */
  judge(holder: string, epoch: bigint): Claim {
    if (holder === this.holder) return epoch > this.epoch ? 'higher' : 'own';
    if (epoch === this.epoch) return holder > this.holder ? 'higher' : 'lower';
    return epoch > this.epoch ? 'higher' : 'lower';
  }

  /**
   * Whether the other node's claim makes this one stop. An older claim is logged, once: that node has to stop. `kind`
   * says what the two nodes are.
   */
  yieldsTo(holder: string, epoch: bigint, kind: string, logger: Pick<Logger, 'error'>): boolean {
    const claim = this.judge(holder, epoch);
    if (claim === 'lower' && this.#warned !== epoch) {
      this.#warned = epoch;
      logger.error(`another ${kind} for this robot came before this one: it has to yield`, {
        name: holder,
        epoch: String(epoch),
      });
    }
    return claim === 'higher';
  }
}
