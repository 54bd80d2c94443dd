import { IqLearnError, messageOf } from '../../common/index.js';
import type { PolicyBundleMessage, ServiceTypes } from '../../messages/index.js';
import type { Logger } from '../../platform/index.js';
import { decodeBundle, type PolicyRuntime, readBundle } from '../../policy/index.js';
import { checkContract, type RobotSpec } from '../../robot/index.js';

export interface BundleInboxOptions {
  readonly spec: RobotSpec;
  readonly logger: Logger;
  /** Keeps every policy until its version is asked for; otherwise only the newest. */
  readonly keepAll: boolean;
  /** Version of the policy that runs already, or −1. */
  readonly version: number;
  /** Called when a policy has passed its checks. */
  readonly onVerified: () => void;
}

/**
 * Takes policy bundles as they arrive, verifies them one after the other while the control loop goes on, and keeps those
 * that passed until the loop takes them at a step boundary. A bundle that is refused is counted and changes nothing.
 */
export class BundleInbox {
  readonly #options: BundleInboxOptions;
  readonly #verified = new Map<number, PolicyRuntime>();
  /** Bundles to be verified. */
  #waiting: PolicyBundleMessage[] = [];
  #working = false;
  /** Versions that wait or are being verified. */
  readonly #underWay = new Set<bigint>();
  /** Epoch of the learner whose bundles we accept (0: none yet). */
  #epoch = 0n;
  /** Policy loaded by service request; takes precedence over policies from the learner. */
  #requested: PolicyRuntime | undefined;
  #newestTaken: number;
  #arrival: (() => void)[] = [];
  #refused = 0;
  #outdated = 0;
  #lastRefusal = '';
  #closed = false;

  constructor(options: BundleInboxOptions) {
    this.#options = options;
    this.#newestTaken = options.version;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Number of bundles of an older version than the one that runs. */
  get outdated(): number {
    return this.#outdated;
  }

  /** Why the last bundle was refused; '' if it passed. */
  get lastRefusal(): string {
    return this.#lastRefusal;
  }

  /** Takes a bundle from the policy topic. */
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
   * Reads a bundle's folder, to be taken next whatever its version. Throws the errors of reading it and of the robot's
   * contract, and CONFLICT where policies come in step with the learner.
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
    void this.#requested?.dispose();
    this.#requested = runtime;
    onVerified();
    return runtime.version;
  }

  /** Answers a request for {@link load}. */
  async answer(folder: string): Promise<ServiceTypes['iq_learn/srv/LoadPolicy']['response']> {
    try {
      return { success: true, message: '', policy_version: BigInt(await this.load(folder)) };
    } catch (error) {
      return { success: false, message: messageOf(error), policy_version: -1n };
    }
  }

  /** The newest policy that passed and was not taken yet, if there is one. */
  takeNewest(): PolicyRuntime | undefined {
    let newest = this.#requested;
    this.#requested = undefined;
    if (newest !== undefined) return this.#taken(newest);
    for (const runtime of this.#verified.values())
      if (newest === undefined || runtime.version > newest.version) newest = runtime;
    return newest === undefined ? undefined : this.#taken(newest);
  }

  /** Waits for exactly this version. Rejects with TIMEOUT after `timeoutMs`, with CANCELLED when the inbox closes. */
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
    const left = [...this.#verified.values(), ...(this.#requested === undefined ? [] : [this.#requested])];
    this.#verified.clear();
    await Promise.all(left.map((runtime) => runtime.dispose()));
  }

  /** Another learner teaches the robot now. It may have gone back to a checkpoint, so its versions begin anywhere. */
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
