import type { Joy } from '../messages/index.js';
import type { DeadManSpec } from './types.js';

/** The button a person must hold for teleoperation to count. Silence of its topic is a button let go. */
export interface DeadMan {
  readonly spec: DeadManSpec;
  /** Takes a message of the button's topic. `receivedNs` is of the clock that {@link held} is asked with. */
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
