import { IqLearnError, type Logger, messageOf } from '../common/index.js';
import type { PolicyBundleMessage } from '../messages/index.js';
import { decodeBundle, type PolicyRuntime } from '../policy/index.js';
import { checkContract, type RobotSpec } from '../robot/index.js';

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
export class PolicyInbox {
  readonly #options: PolicyInboxOptions;
  readonly #verified = new Map<number, PolicyRuntime>();
  #waiting: PolicyBundleMessage[] = [];
  #working = false;
  readonly #underWay = new Set<bigint>();
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
    const { version } = message;
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

  /** The newest policy that passed, if there is one that was not taken yet. */
  takeNewest(): PolicyRuntime | undefined {
    let newest: PolicyRuntime | undefined;
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
    const left = [...this.#verified.values()];
    this.#verified.clear();
    await Promise.all(left.map((runtime) => runtime.dispose()));
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

  async #verify({ robot, version, model, manifest }: PolicyBundleMessage): Promise<void> {
    const { spec, logger } = this.#options;
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
      if (this.#closed || runtime.version < this.#newestTaken) {
        await runtime.dispose();
        return;
      }
      this.#lastRefusal = '';
      this.#verified.set(runtime.version, runtime);
      this.#wake();
      this.#options.onVerified();
    } catch (error) {
      await runtime?.dispose();
      this.#refused++;
      this.#lastRefusal = messageOf(error);
      logger.error('a policy is refused; the one before stays', { version: String(version), reason: messageOf(error) });
    }
  }

  #wake(): void {
    for (const resume of this.#arrival.splice(0)) resume();
  }
}
