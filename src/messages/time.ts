import { IqLearnError } from '../common/index.js';
import type { Header, Time } from './generated/types.js';

const second = 1_000_000_000n;

/** ROS time from nanoseconds. Throws INVALID_ARGUMENT outside the 32 bits of `sec` (1901…2038). */
export function stampOf(ns: bigint): Time {
  const nanosec = ((ns % second) + second) % second;
  const sec = (ns - nanosec) / second;
  if (sec < -0x80000000n || sec > 0x7fffffffn)
    throw new IqLearnError('INVALID_ARGUMENT', 'a time does not fit a ROS stamp', {
      found: `${ns} ns`,
      expected: 'seconds within 32 bits with sign',
    });
  return { sec: Number(sec), nanosec: Number(nanosec) };
}

/** Nanoseconds of a ROS time or duration. */
export function nanosecondsOf(time: Time): bigint {
  return BigInt(time.sec) * second + BigInt(time.nanosec);
}

export function header(stampNs: bigint, frameId = ''): Header {
  return { stamp: stampOf(stampNs), frame_id: frameId };
}
