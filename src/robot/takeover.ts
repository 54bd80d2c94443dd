import { messageOf } from '../common/index.js';
import { type Header, nanosecondsOf } from '../messages/index.js';
import type { ActionMapper } from './action-mapper.js';
import { RivalCommands } from './rivals.js';
import type { RobotSpec } from './types.js';

export interface TakeoverOptions {
  /**
   * For devices that publish while nobody touches them: a command does not start a takeover if each of its numbers is
   * within this share of its range from 0. With 0 (the default) every command does.
   */
  readonly deadband?: number;
  /** Time of publishing only rest after which such a device ends the takeover. Default 1000; only with a deadband. */
  readonly restMs?: number;
}

export interface TakeoverCounters {
  readonly accepted: number;
  /** NaN, missing joints or a wrong length. */
  readonly malformed: number;
  /** Stamps that do not increase, or are too old: late, reordered, or flushed after a reconnect. */
  readonly late: number;
  /** Commands within the deadband that did not count. */
  readonly resting: number;
}

/** Detects that a person takes over a robot of one command: turns teleoperation messages into the `takeover` input of the safety filter. */
export interface TakeoverDetector {
  /**
   * Takes a message of the teleop topic. `receivedNs` is on the steady clock. `stampNowNs` is the current time on the
   * clock of the stamps, if known: a stamp that is older by more than the topic's timeout is dropped.
   */
  accept(message: unknown, receivedNs: bigint, stampNowNs?: bigint): void;
  /** The newest command since the last call, or null. To be called once per control cycle. */
  take(): Float32Array | null;
  /** Whether {@link take} would give a command. */
  readonly hasNew: boolean;
  /** Forgets the stamps too: between episodes, or when the clock jumped. */
  reset(): void;
  readonly counters: TakeoverCounters;
  /** Why the last malformed command could not be used; empty before the first. */
  readonly lastProblem: string;
  /**
   * Commands that another device contradicts, which moves the same joint elsewhere by turns or drives at another speed,
   * what the last of them says, and whether the newest command is one. They are obeyed: the one who drives must not lose
   * the robot to the policy because a second device speaks.
   */
  readonly contradicted: { readonly count: number; readonly text: string; readonly isNow: boolean };
}

/** Of a robot with several commands each has a detector of its own: see `Takeover`. */
export function createTakeoverDetector(
  spec: RobotSpec,
  mapper: Pick<ActionMapper, 'fromMessage'>,
  { deadband = 0, restMs = 1000 }: TakeoverOptions = {},
): TakeoverDetector {
  const { teleop } = spec.commands[0];
  const counters = { accepted: 0, malformed: 0, late: 0, resting: 0 };
  const timeoutNs = Number.isFinite(teleop.timeoutMs) ? BigInt(Math.round(teleop.timeoutMs * 1e6)) : null;
  const restNs = BigInt(Math.round(restMs * 1e6));
  let newest: Float32Array | null = null;
  let lastStampNs: bigint | null = null;
  let touchedNs: bigint | null = null;
  let lastProblem = '';
  const rivals = new RivalCommands(teleop.topic, spec.action, true);

  const isLate = (message: unknown, stampNowNs: bigint | undefined): boolean => {
    const header = (message as { readonly header?: Header }).header;
    if (header === undefined) return false;
    const stampNs = nanosecondsOf(header.stamp);
    // Zero: the device does not set stamps.
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
      } catch (error) {
        lastProblem = messageOf(error);
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
      rivals.take(action, receivedNs);
      counters.accepted += 1;
      newest = action;
    },
    take() {
      const action = newest;
      newest = null;
      return action;
    },
    get hasNew() {
      return newest !== null;
    },
    reset() {
      newest = null;
      lastStampNs = null;
      touchedNs = null;
      rivals.forget();
    },
    get contradicted() {
      return { count: rivals.count, text: rivals.text, isNow: rivals.isContradicted };
    },
    get lastProblem() {
      return lastProblem;
    },
    get counters() {
      return { ...counters };
    },
  };
}
