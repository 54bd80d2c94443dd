import type { Joy } from '../messages/index.js';
import type { DeadManSpec } from './types.js';

/** The button that a person must hold for teleoperation to count. If its topic falls silent, the button counts as released. */
export interface DeadMan {
  readonly spec: DeadManSpec;
  /** Takes a message of the button's topic. `receivedNs` is on the same clock as the time given to {@link held}. */
  accept(message: Joy, receivedNs: bigint): void;
  held(nowNs: bigint): boolean;
}

export function createDeadMan(spec: DeadManSpec): DeadMan {
  const timeoutNs = BigInt(Math.round(spec.timeoutMs * 1e6));
  let heldNs: bigint | null = null;
  return {
    spec,
    accept({ buttons }, receivedNs) {
      heldNs = buttons[spec.button] === 1 ? receivedNs : null;
    },
    held: (nowNs) => heldNs !== null && nowNs - heldNs <= timeoutNs,
  };
}
