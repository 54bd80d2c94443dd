import { type Header, nanosecondsOf } from '../messages/index.js';
import type { ActionMapper } from './action-mapper.js';
import type { RobotSpec } from './types.js';

export interface TakeoverOptions {
  /**
   * A command whose every number is within this share of its range from 0 does not start a takeover, for devices
   * that publish while nobody touches them; 0 (the default): every command does.
   */
  readonly deadband?: number;
  /** A device that goes on publishing rest ends the takeover after this long; 1000. Only with a deadband. */
  readonly restMs?: number;
}

export interface TakeoverCounters {
  readonly accepted: number;
  /** NaN, missing joints or a wrong length. */
  readonly malformed: number;
  /** Stamps that do not go forward, or of too long ago: late, reordered, or flushed after a reconnect. */
  readonly late: number;
  readonly resting: number;
}

/** Tells when a person takes over: turns teleoperation messages into what the safety filter is given. */
export interface TakeoverDetector {
  /**
   * Takes a message of the teleop topic. `receivedNs` is of the steady clock; `stampNowNs` is the time of the stamps'
   * own clock, where it is known, against which stamps older than the topic's timeout are dropped.
   */
  accept(message: unknown, receivedNs: bigint, stampNowNs?: bigint): void;
  /** The newest command since the last call, or null: once a control cycle. */
  take(): Float32Array | null;
  /** Forgets the stamps too: between episodes, or when the clock jumped. */
  reset(): void;
  readonly counters: TakeoverCounters;
}

export function createTakeoverDetector(
  spec: RobotSpec,
  mapper: ActionMapper,
  { deadband = 0, restMs = 1000 }: TakeoverOptions = {},
): TakeoverDetector {
  const counters = { accepted: 0, malformed: 0, late: 0, resting: 0 };
  const timeoutNs = Number.isFinite(spec.teleop.timeoutMs) ? BigInt(Math.round(spec.teleop.timeoutMs * 1e6)) : null;
  const restNs = BigInt(Math.round(restMs * 1e6));
  let newest: Float32Array | null = null;
  let lastStampNs: bigint | null = null;
  let touchedNs: bigint | null = null;

  const isLate = (message: unknown, stampNowNs: bigint | undefined): boolean => {
    const header = (message as { readonly header?: Header }).header;
    if (header === undefined) return false;
    const stampNs = nanosecondsOf(header.stamp);
    // A device that does not set stamps cannot be judged by them.
    if (stampNs === 0n) return false;
    if (lastStampNs !== null && stampNs <= lastStampNs) return true;
    lastStampNs = stampNs;
    return stampNowNs !== undefined && timeoutNs !== null && stampNowNs - stampNs > timeoutNs;
  };
  const isRest = (action: Float32Array): boolean =>
    action.every((value, i) => Math.abs(value) <= deadband * (spec.action[i]!.high - spec.action[i]!.low));

  return {
    accept(message, receivedNs, stampNowNs) {
      let action: Float32Array;
      try {
        action = mapper.fromMessage(message);
      } catch {
        counters.malformed += 1;
        return;
      }
      if (isLate(message, stampNowNs)) {
        counters.late += 1;
        return;
      }
      if (deadband > 0) {
        if (!isRest(action)) touchedNs = receivedNs;
        else if (touchedNs === null || receivedNs - touchedNs > restNs) {
          counters.resting += 1;
          touchedNs = null;
          return;
        }
      }
      counters.accepted += 1;
      newest = action;
    },
    take() {
      const action = newest;
      newest = null;
      return action;
    },
    reset() {
      newest = null;
      lastStampNs = null;
      touchedNs = null;
    },
    get counters() {
      return { ...counters };
    },
  };
}
