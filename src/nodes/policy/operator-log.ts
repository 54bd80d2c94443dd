import type { SteadyClock } from '../../common/index.js';
import { describeRefusal, type Refusal, type SafetyOutput } from '../../robot/index.js';
import type { NodeContext } from '../kit/lifecycle.js';
import type { PolicyDiagnostics } from './diagnostics.js';
import type { Condition } from './policy-status.js';

/** A line about the event loop being blocked is written at most this often, in nanoseconds. */
const BLOCKED_PERIOD_NS = 10_000_000_000n;

/** The log lines that a person at the robot needs: who drives, why the robot stands, and which messages cannot be used. */
export class OperatorLog {
  readonly #logger: NodeContext['logger'];
  readonly #clock: SteadyClock;
  readonly #seen = new Set<string>();
  /** What was said of the present state; numbers in it (ages) do not make another reason. */
  #state = '';
  readonly #reasons = new Set<string>();
  #blocks = 0;
  #blockedNs: bigint | null = null;

  constructor({ logger, clock }: Pick<NodeContext, 'logger' | 'clock'>) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** The safety filter has changed its state. */
  changed({ state, reason }: SafetyOutput): void {
    if (state === 'ESTOP' || state === 'FAULT')
      this.#logger.error(`${state}: the robot is stopped until reset_fault is called`, { reason });
    else if (state === 'HOLDING') this.#logger.warn('HOLDING: the robot is stopped and goes on by itself', { reason });
    else if (state === 'TAKEOVER') this.#logger.info('TAKEOVER: a person drives', { reason });
    else this.#logger.info('RUNNING: the policy drives');
  }

  /** What is published as the node's status. A robot that waits for something, or stands for another reason than before, is told once. */
  condition({ state, reason }: Condition): void {
    if (state !== this.#state) this.#reasons.clear();
    this.#state = state;
    const kind = reason.replace(/[\d.]+/g, '');
    if (this.#reasons.has(kind)) return;
    this.#reasons.add(kind);
    if (state === 'IDLE') this.#logger.info('IDLE: the robot is not driven', { reason });
    else if (state === 'HOLDING' && this.#reasons.size > 1)
      this.#logger.warn('HOLDING: for another reason', { reason });
  }

  /** A message of a state topic cannot be used. Called once for each reason; the diagnostics count the others. */
  refused(refusal: Refusal): void {
    this.#logger.warn('a message cannot be used', { reason: describeRefusal(refusal) });
  }

  /** A topic is stamped by another clock than this computer's. */
  clockDiffers(reason: string): void {
    this.#logger.warn('the clocks differ', { reason });
  }

  /** A command of a person cannot be used. Each reason is written once. */
  teleopRefused(topic: string, reason: string): void {
    if (this.#seen.has(reason)) return;
    this.#seen.add(reason);
    this.#logger.warn('a command of a person cannot be used', { reason: `${topic}: ${reason}` });
  }

  /** Two command the robot by turns, and it obeys both. Written once; status and diagnostics say it while it lasts. */
  contested(reason: string): void {
    const kind = reason.replace(/ is .*/, '');
    if (this.#seen.has(kind)) return;
    this.#seen.add(kind);
    this.#logger.warn('two command the robot: stop one of them', { reason });
  }

  /** The event loop was blocked for this long. */
  blocked(ms: number, diagnostics: PolicyDiagnostics): void {
    diagnostics.blocked.see(ms);
    this.#blocks++;
    const now = this.#clock.nowNs();
    if (this.#blockedNs !== null && now - this.#blockedNs < BLOCKED_PERIOD_NS) return;
    this.#blockedNs = now;
    this.#logger.error('the event loop was blocked: the robot is stopped until fresh state is there', {
      ms: Math.round(ms),
      times: this.#blocks,
    });
  }
}
