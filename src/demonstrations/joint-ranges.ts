import type { JointState } from '../messages/index.js';
import type { RobotSpec } from '../robot/index.js';
import type { TimedMessage } from './timeline.js';

/** Values that are this near to a tenth count as one, as a driver that gives tenths of a degree has them. */
const TENTH = 1e-3;
/** Values that are kept for their spread: about the first of so many. */
const KEPT = 20_000;

/** What a joint's messages said, before anything was clamped. */
export interface JointRange {
  /** The feature that is made of it. */
  readonly feature: string;
  readonly joint: string;
  readonly quantity: 'position' | 'velocity';
  readonly low: number;
  readonly high: number;
  readonly values: number;
  /** The share of values that are whole tenths, and how many of these differ. */
  readonly tenths: number;
  readonly distinct: number;
  /** Whether it turns back at some time: a wheel that drives on does not. */
  readonly returns: boolean;
  /** How far the joint's positions go, whatever the quantity; 0 where the messages have none. */
  readonly travel: number;
  /** The speed in unit/s that only every twentieth change of the value exceeds; 0 where it is not known. */
  readonly speed: number;
}

/** The ranges of joints as recorded, by the features of a description: those of the present that are measured. */
export function jointRanges(messages: readonly TimedMessage[], spec: RobotSpec): JointRange[] {
  return spec.observation.flatMap(({ name, source, lag }) => {
    if (source.kind !== 'joint' || lag !== undefined || source.derived === true) return [];
    const { topic, joint, quantity } = source;
    if (quantity === 'effort') return [];
    let [low, high, values, tenths] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
    const distinct = new Set<number>();
    const speeds: number[] = [];
    let [rises, falls] = [false, false];
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let last: { readonly value: number; readonly stampNs: bigint } | undefined;
    for (const { topic: own, message, stampNs } of messages) {
      if (own !== topic) continue;
      const state = message as JointState;
      const at = state.name.indexOf(joint);
      const value = state[quantity][at];
      if (value === undefined || !Number.isFinite(value)) continue;
      const position = state.position[at] ?? Number.NaN;
      if (position < least) least = position;
      if (position > most) most = position;
      low = Math.min(low, value);
      high = Math.max(high, value);
      values++;
      if (Math.abs(10 * value - Math.round(10 * value)) < TENTH) {
        tenths++;
        distinct.add(Math.round(10 * value));
      }
      const seconds = last === undefined ? 0 : Number(stampNs - last.stampNs) / 1e9;
      if (seconds > 0 && value !== last!.value && speeds.length < KEPT)
        speeds.push(Math.abs(value - last!.value) / seconds);
      if (last !== undefined && value > last.value) rises = true;
      if (last !== undefined && value < last.value) falls = true;
      last = { value, stampNs };
    }
    if (values === 0) return [];
    speeds.sort((a, b) => a - b);
    const speed = speeds[Math.floor(0.95 * (speeds.length - 1))] ?? 0;
    const range = {
      feature: name,
      joint,
      low,
      high,
      values,
      tenths: tenths / values,
      distinct: distinct.size,
      speed,
      returns: rises && falls,
      travel: Math.max(0, most - least),
    };
    return [{ ...range, quantity }];
  });
}
