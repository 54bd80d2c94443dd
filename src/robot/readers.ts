import type { JointState, LaserScan } from '../messages/index.js';
import { isUnitQuaternion } from './geometry.js';
import type { Pose } from './kinds/message-kind.js';
import { readPath } from './kinds/paths.js';
import type { JointQuantity } from './types.js';

/** Copies what features need from a message into `out`. Returns why the message cannot be used, or null. */
export type Reader = (message: unknown, out: Float64Array) => Refused | null;

export interface Refused {
  readonly kind: 'notFinite' | 'incomplete';
  readonly text: string;
}

const notFinite = (text: string): Refused => ({ kind: 'notFinite', text });
const incomplete = (text: string): Refused => ({ kind: 'incomplete', text });

/** A single number, to `slot`. */
export function fieldReader(path: string, slot: number): Reader {
  const keys = path.split('.');
  return (message, out) => {
    const value = readPath(message, keys);
    if (!Number.isFinite(value)) return notFinite(`${path} is ${value}`);
    out[slot] = value;
    return null;
  };
}

/** A pose: position x, y, z (metres) and orientation x, y, z, w, seven numbers from `slot`. */
export function poseReader(poseOf: (message: unknown) => Pose, slot: number): Reader {
  return (message, out) => {
    const { position: p, orientation: q } = poseOf(message);
    out[slot] = p.x;
    out[slot + 1] = p.y;
    out[slot + 2] = p.z;
    out[slot + 3] = q.x;
    out[slot + 4] = q.y;
    out[slot + 5] = q.z;
    out[slot + 6] = q.w;
    for (let i = slot; i < slot + 7; i++) if (!Number.isFinite(out[i])) return notFinite('the pose is not finite');
    return isUnitQuaternion(q.x, q.y, q.z, q.w) ? null : notFinite('the orientation is no unit quaternion');
  };
}

export interface JointSlot {
  readonly joint: string;
  readonly quantity: JointQuantity;
  readonly slot: number;
}

/** Joints by name, in whatever order the message has them. */
export function jointReader(jointsOf: (message: unknown) => JointState, slots: readonly JointSlot[]): Reader {
  // The order of names rarely changes: where each joint was found is tried first.
  const found = slots.map(() => -1);
  return (message, out) => {
    const state = jointsOf(message);
    const names = state.name;
    for (let i = 0; i < slots.length; i++) {
      const { joint, quantity, slot } = slots[i]!;
      let at = found[i]!;
      if (names[at] !== joint) {
        at = names.indexOf(joint);
        found[i] = at;
      }
      if (at < 0) return incomplete(missingJoints(slots, names));
      const list = state[quantity];
      if (list.length !== names.length)
        return incomplete(`${list.length} numbers of ${quantity} for ${names.length} joints`);
      const value = list[at]!;
      if (!Number.isFinite(value)) return notFinite(`${quantity} of ${joint} is ${value}`);
      out[slot] = value;
    }
    return null;
  };
}

function missingJoints(slots: readonly JointSlot[], names: readonly string[]): string {
  const missing = [...new Set(slots.map(({ joint }) => joint))].filter((joint) => !names.includes(joint));
  return `lacks the joints ${missing.join(', ')} (it has ${names.join(', ') || 'none'})`;
}

/**
 * The nearest range in each of `sectors` equal sectors of the scan, from its right (clockwise) end to its left.
 * As REP 117 says: +Inf or more than range_max means that nothing was seen, −Inf that something is nearer than
 * range_min; other values below range_min are not measurements. A NaN makes the whole scan unusable.
 */
export function sectorReader(scanOf: (message: unknown) => LaserScan, sectors: number, slot: number): Reader {
  return (message, out) => {
    const { ranges, range_min, range_max, angle_increment } = scanOf(message);
    if (!(Number.isFinite(range_max) && range_max > 0 && Number.isFinite(range_min)))
      return notFinite(`range_min ${range_min}, range_max ${range_max}`);
    const beams = ranges.length;
    if (beams < sectors) return incomplete(`${beams} beams for ${sectors} sectors`);
    out.fill(range_max, slot, slot + sectors);
    const last = Math.max(beams - 1, 1);
    for (let i = 0; i < beams; i++) {
      const beam = ranges[i]!;
      if (Number.isNaN(beam)) return notFinite(`range ${i} is NaN`);
      if (beam < range_min && beam !== Number.NEGATIVE_INFINITY) continue;
      const range = Math.max(beam, range_min);
      const fromRight = angle_increment < 0 ? beams - 1 - i : i;
      const at = slot + Math.min(Math.floor((fromRight * sectors) / last), sectors - 1);
      if (range < out[at]!) out[at] = range;
    }
    return null;
  };
}
