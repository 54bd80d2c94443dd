/** Who else claims to be what this node is: nobody worth minding, one that must yield, or one to yield to. */
export type Claim = 'own' | 'lower' | 'higher';

/**
 * The right to be the one policy node or the one learner of a robot. Each activation takes a new epoch, later ones
 * higher; where two meet, the lower yields. Epochs are times of day: machines whose clocks agree to a second agree on
 * who came last.
 */
export class Lease {
  readonly holder: string;
  readonly epoch: bigint;
  #warned = -1n;

  /** `holder` tells two of the same epoch apart. */
  constructor(holder: string, epoch = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n)) {
    this.holder = holder;
    this.epoch = epoch;
  }

  judge(holder: string, epoch: bigint): Claim {
    if (holder === this.holder) return 'own';
    if (epoch === this.epoch) return holder > this.holder ? 'higher' : 'lower';
    return epoch > this.epoch ? 'higher' : 'lower';
  }

  /** True the first time a lower epoch is heard: it is worth a word in the log, not one a message. */
  isNews(epoch: bigint): boolean {
    const news = this.#warned !== epoch;
    this.#warned = epoch;
    return news;
  }
}
