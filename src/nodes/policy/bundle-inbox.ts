import { IqLearnError, messageOf } from '../../common/index.js';
import type { PolicyBundleMessage } from '../../messages/index.js';
import type { Logger } from '../../platform/index.js';
import { decodeBundle, type PolicyRuntime, readBundle } from '../../policy/index.js';
import { checkContract, type RobotSpec } from '../../robot/index.js';

export interface PolicyInboxOptions {
  readonly spec: RobotSpec;
  readonly logger: Logger;
  /** Keeps every policy until it is asked for by its version; otherwise the newest only. */
  readonly keepAll: boolean;
  /** Of the policy that runs already, -1 where there is none. */
  readonly version: number;
  /** Told when a policy has passed. */
  readonly onVerified: () => void;
}

/**
 * Takes policy bundles as they arrive, verifies them one after the other beside the control loop, and holds those that
 * passed until the loop takes them at a step boundary. What is refused is counted and changes nothing.
 */
export class BundleInbox {
  readonly #options: PolicyInboxOptions;
  readonly #verified = new Map<number, PolicyRuntime>();
  #waiting: PolicyBundleMessage[] = [];
  #working = false;
  readonly #underWay = new Set<bigint>();
  /** Of the learner whose policies are taken; 0 before the first. */
  #epoch = 0n;
  /** Asked for by name: goes before what the learner sends. */
  #demanded: PolicyRuntime | undefined;
  #newestTaken: number;
  #arrival: (() => void)[] = [];
  #refused = 0;
  #outdated = 0;
  #lastRefusal = '';
  #closed = false;

  constructor(options: PolicyInboxOptions) {
    this.#options = options;
    this.#newestTaken = options.version;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Bundles of an older version than the one that runs. */
  get outdated(): number {
    return this.#outdated;
  }

  /** Why the last bundle was refused; '' where the last one passed. */
  get lastRefusal(): string {
    return this.#lastRefusal;
  }

  take(message: PolicyBundleMessage): void {
    const { version, epoch } = message;
    if (epoch < this.#epoch) {
      this.#refuse(version, `it comes from a learner of epoch ${epoch}; one of epoch ${this.#epoch} has taken over`);
      return;
    }
    if (epoch > this.#epoch) this.#follow(epoch);
    if (this.#closed || this.#underWay.has(version) || this.#verified.has(Number(version))) return;
    if (version <= BigInt(this.#newestTaken)) {
      if (version < BigInt(this.#newestTaken)) this.#outdated++;
      return;
    }
    if (!this.#options.keepAll) {
      for (const older of this.#waiting) this.#underWay.delete(older.version);
      this.#waiting = [];
    }
    this.#underWay.add(version);
    this.#waiting.push(message);
    void this.#work();
  }

  /**
   * Reads a bundle's folder and has it taken next, whatever its version. Throws what reading and the robot's contract
   * throw, CONFLICT where policies come in step with the learner.
   */
  async load(folder: string): Promise<number> {
    const { keepAll, spec, onVerified } = this.#options;
    if (keepAll)
      throw new IqLearnError('CONFLICT', 'no policy can be loaded now', {
        found: 'a node that takes each policy of its learner in step',
        remedy: 'set synchronous_segment to 0',
      });
    const runtime = await readBundle(folder);
    try {
      checkContract(runtime.contract, spec);
      if (this.#closed) throw new IqLearnError('CANCELLED', 'the policy node is shut down');
    } catch (error) {
      await runtime.dispose();
      throw error;
    }
    void this.#demanded?.dispose();
    this.#demanded = runtime;
    onVerified();
    return runtime.version;
  }

  /** The newest policy that passed, if there is one that was not taken yet. */
  takeNewest(): PolicyRuntime | undefined {
    let newest = this.#demanded;
    this.#demanded = undefined;
    if (newest !== undefined) return this.#taken(newest);
    for (const runtime of this.#verified.values())
      if (newest === undefined || runtime.version > newest.version) newest = runtime;
    return newest === undefined ? undefined : this.#taken(newest);
  }

  /** Waits for exactly this version. TIMEOUT after `timeoutMs`, CANCELLED when the inbox closes. */
  async takeVersion(version: number, timeoutMs: number): Promise<PolicyRuntime> {
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      this.#wake();
    }, timeoutMs);
    try {
      for (;;) {
        const found = this.#verified.get(version);
        if (found !== undefined) return this.#taken(found);
        if (this.#closed) throw new IqLearnError('CANCELLED', 'the policy node is shut down');
        if (late)
          throw new IqLearnError('TIMEOUT', `policy version ${version} has not come`, {
            found: `nothing for ${(timeoutMs / 1000).toFixed(0)} s${this.#lastRefusal === '' ? '' : `, last refusal: ${this.#lastRefusal}`}`,
            expected: 'a new policy from the learner after every segment',
            remedy: 'check that the learner runs and has the same segment size',
          });
        await new Promise<void>((resolve) => this.#arrival.push(resolve));
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = [];
    this.#wake();
    const left = [...this.#verified.values(), ...(this.#demanded === undefined ? [] : [this.#demanded])];
    this.#verified.clear();
    await Promise.all(left.map((runtime) => runtime.dispose()));
  }

  /** Another learner has the robot. It may have begun anew or gone back to a checkpoint: its versions count from there. */
  #follow(epoch: bigint): void {
    const first = this.#epoch === 0n;
    this.#epoch = epoch;
    if (first) return;
    this.#options.logger.warn('another learner sends policies from now on', { epoch: String(epoch) });
    this.#newestTaken = -1;
    this.#waiting = [];
    this.#underWay.clear();
    for (const runtime of this.#verified.values()) void runtime.dispose();
    this.#verified.clear();
  }

  #refuse(version: bigint, reason: string): void {
    this.#refused++;
    const { logger } = this.#options;
    if (reason !== this.#lastRefusal)
      logger.error('a policy is refused; the one before stays', { version: String(version), reason });
    this.#lastRefusal = reason;
  }

  #taken(runtime: PolicyRuntime): PolicyRuntime {
    this.#newestTaken = runtime.version;
    this.#verified.delete(runtime.version);
    for (const [version, older] of this.#verified)
      if (version < runtime.version) {
        this.#verified.delete(version);
        void older.dispose();
      }
    return runtime;
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift())
      await this.#verify(message).finally(() => this.#underWay.delete(message!.version));
    this.#working = false;
  }

  async #verify({ robot, epoch, version, model, manifest }: PolicyBundleMessage): Promise<void> {
    const { spec } = this.#options;
    let runtime: PolicyRuntime | undefined;
    try {
      if (robot !== spec.robot)
        throw new IqLearnError('MISMATCH', 'a policy for another robot', {
          found: `robot '${robot}'`,
          expected: `'${spec.robot}'`,
        });
      runtime = await decodeBundle({ model, manifest }, `policy version ${version}`);
      checkContract(runtime.contract, spec);
      if (BigInt(runtime.version) !== version)
        throw new IqLearnError('MISMATCH', 'message and manifest tell different versions', {
          found: `version ${runtime.version} in the manifest`,
          expected: String(version),
        });
      if (this.#closed || epoch !== this.#epoch || runtime.version < this.#newestTaken) {
        await runtime.dispose();
        return;
      }
      this.#lastRefusal = '';
      this.#verified.set(runtime.version, runtime);
      this.#wake();
      this.#options.onVerified();
    } catch (error) {
      await runtime?.dispose();
      this.#refuse(version, messageOf(error));
    }
  }

  #wake(): void {
    for (const resume of this.#arrival.splice(0)) resume();
  }
}
