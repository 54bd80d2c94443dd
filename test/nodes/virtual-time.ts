import { vi } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import { decodeBundle, type PolicyRuntime } from '#src/policy/index.js';
import { Rig, spec as slow, trolleyBundle } from './toy.js';

const nextTurn = setImmediate;

/** The trolley at 100 Hz, so that an episode of 40 steps lasts 0.4 s. */
export const fastSpec = {
  ...slow,
  rateHz: 100,
  stateTopics: slow.stateTopics.map((topic) => ({ ...topic, timeoutMs: 80 })),
  commands: [{ ...slow.commands[0], timeoutMs: 80, teleop: { ...slow.commands[0].teleop, timeoutMs: 80 } }] as const,
  action: slow.action.map((feature) => ({ ...feature, maxRate: Number.POSITIVE_INFINITY })),
};

/** speed = tanh(gain·x) for that robot (or a trolley at another rate), at once. */
export async function quickPolicy(
  gain = -4,
  { rateHz }: Pick<typeof slow, 'rateHz'> = fastSpec,
): Promise<PolicyRuntime> {
  const runtime = await decodeBundle(await trolleyBundle(1, gain));
  return {
    ...runtime,
    contract: { ...runtime.contract, rateHz },
    act: async (observation) => Float32Array.of(Math.tanh(gain * (observation as Float32Array)[0]!)),
  };
}

/** Real-time nodes in time that a test lets pass: what happens depends on no machine's speed. */
export class VirtualTime {
  readonly clock = new ManualClock();
  readonly rig: Rig;

  constructor(robot: typeof slow = fastSpec) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    this.rig = new Rig({ robot, manual: this.clock, clock: this.clock });
  }

  /** Milliseconds pass one by one; all that each brings is done before the next. */
  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) await this.block(1);
  }

  /** Milliseconds pass at once: the event loop was blocked. */
  async block(ms: number): Promise<void> {
    this.clock.advanceMs(ms);
    vi.advanceTimersByTime(ms);
    await this.settle();
  }

  /** What can be done without time passing is done. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => nextTurn(resolve));
      await this.rig.broker.idle();
    }
  }

  async until(holds: () => boolean, what: string, limitMs = 20_000): Promise<void> {
    for (let ms = 0; !holds(); ms++) {
      if (ms > limitMs) throw new Error(`${limitMs} ms passed in vain for: ${what}`);
      await this.pass(1);
    }
  }

  async close(): Promise<void> {
    await this.rig.close();
    vi.useRealTimers();
  }
}
