import type { Imu, LaserScan } from '../messages/index.js';
import { isUnitQuaternion } from './geometry.js';
import type { Pose } from './kinds/message-kind.js';
import { pathKeys, readPath } from './kinds/paths.js';
import type { Refusal } from './refusals.js';

/** Copies what features need from a message into `out`. Returns why the message cannot be used, or null. */
export type Reader = (message: unknown, out: Float64Array) => Refused | null;

/** A {@link Refusal} before the topic is known. */
export type Refused = Omit<Refusal, 'topic'>;

/** A reason whose sentence is made of its parts. */
export function refuse(
  kind: Refused['kind'],
  field: string,
  found: string,
  expected: string,
  text = `${field} is ${found}, expected ${expected}`,
): Refused {
  return { kind, field, found, expected, text };
}

const finite = 'a finite number';

/** Why a number of a message is of no use; null if it is. Observations are float32, and beyond that it would be infinite. */
export function noNumber(field: string, value: number): Refused | null {
  if (Number.isFinite(Math.fround(value))) return null;
  return refuse(
    'notFinite',
    field,
    String(value),
    Number.isFinite(value) ? 'a number that a float32 can hold, at most 3.4e38' : finite,
  );
}

/** A single number, to `slot`. A number of a quaternion is refused with all of it unless that is a rotation. */
export function fieldReader(path: string, slot: number): Reader {
  const keys = pathKeys(path);
  // An element of a list is read several times faster by its number than by the number as a string.
  const steps = keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  const listKey = /^(.*)\[\d+\]$/.exec(path)?.[1];
  const ofQuaternion = keys.at(-2) === 'orientation' ? keys.slice(0, -1) : null;
  const imuPart = /^(orientation|angular_velocity|linear_acceleration)\./.exec(path)?.[1];
  return (message, out) => {
    const value = readPath(message, steps);
    if (listKey !== undefined && Number.isNaN(value)) {
      const list = pathKeys(listKey).reduce<unknown>(
        (at, key) => (at as Readonly<Record<string, unknown>>)?.[key],
        message,
      );
      const { length } = list as ArrayLike<number>;
      if (Number(keys.at(-1)) >= length)
        return refuse('incomplete', listKey, `a list of ${length}`, `one that has ${path}`);
    }
    const refusedNumber = noNumber(path, value);
    if (refusedNumber !== null) return refusedNumber;
    if (imuPart !== undefined) {
      const absent = absentInImu(message, imuPart);
      if (absent !== null) return absent;
    }
    if (ofQuaternion !== null) {
      const part = (name: string): number => readPath(message, [...ofQuaternion, name]);
      const refused = noRotation(ofQuaternion.join('.'), part('x'), part('y'), part('z'), part('w'));
      if (refused !== null) return refused;
    }
    out[slot] = value;
    return null;
  };
}

/** sensor_msgs/Imu: a covariance that begins with −1 says that the quantity is not measured. */
function absentInImu(message: unknown, part: string): Refused | null {
  const covariance = (message as Partial<Imu>)[`${part}_covariance` as keyof Imu] as ArrayLike<number> | undefined;
  if (covariance?.[0] !== -1) return null;
  const field = `${part}_covariance[0]`;
  return refuse('incomplete', field, '-1, which says that there is none', `a sensor that measures ${part}`);
}

function noRotation(field: string, x: number, y: number, z: number, w: number): Refused | null {
  if (isUnitQuaternion(x, y, z, w)) return null;
  const found = `(${[x, y, z, w].map((v) => Number(v.toPrecision(4))).join(', ')})`;
  return refuse('notFinite', field, found, 'a quaternion of length 1');
}

/**
 * A pose: position x, y, z (metres) and orientation x, y, z, w, seven numbers from `slot`. Where no feature needs the
 * orientation it is not looked at: a goal that was typed by hand often has none.
 */
export function poseReader(poseOf: (message: unknown) => Pose, slot: number, needsOrientation: boolean): Reader {
  return (message, out) => {
    const { position: p, orientation: q } = poseOf(message);
    for (const axis of ['x', 'y', 'z'] as const) {
      const refusedNumber = noNumber(`pose.position.${axis}`, p[axis]);
      if (refusedNumber !== null) return refusedNumber;
    }
    out[slot] = p.x;
    out[slot + 1] = p.y;
    out[slot + 2] = p.z;
    const refused = noRotation('pose.orientation', q.x, q.y, q.z, q.w);
    if (refused !== null && needsOrientation) return refused;
    out[slot + 3] = refused === null ? q.x : 0;
    out[slot + 4] = refused === null ? q.y : 0;
    out[slot + 5] = refused === null ? q.z : 0;
    out[slot + 6] = refused === null ? q.w : 1;
    return null;
  };
}

/**
 * The nearest range in each of `sectors` equal sectors of the scan, from its right (clockwise) end to its left.
 * As REP 117 says: +Inf or more than range_max means that nothing was seen, −Inf that something is nearer than
 * range_min, NaN that the beam gave no measurement. Other values below range_min, and 0, are no measurements either. A
 * sector without measurements is free up to range_max, and up to `high` where the sensor has no range_max. The scan is
 * refused where a sector, or more than half of the scan, is nothing but NaN.
 */
export function sectorReader(
  scanOf: (message: unknown) => LaserScan,
  sectors: number,
  slot: number,
  high: number,
): Reader {
  const broken = new Uint32Array(sectors);
  const all = new Uint32Array(sectors);
  return (message, out) => {
    const { ranges, range_min, range_max, angle_increment } = scanOf(message);
    const farthest = range_max === Number.POSITIVE_INFINITY ? high : range_max;
    if (!(Number.isFinite(farthest) && farthest > 0))
      return refuse('notFinite', 'range_max', String(range_max), 'metres above 0, or `high` at the feature');
    if (!Number.isFinite(range_min)) return refuse('notFinite', 'range_min', String(range_min), finite);
    // Every range would be too near to be one, and all that is in the way would count as free.
    if (range_min > range_max)
      return refuse('notFinite', 'range_min', String(range_min), `at most range_max, ${range_max}`);
    const beams = ranges.length;
    if (beams < sectors)
      return refuse('incomplete', 'ranges', `${beams} beams`, `at least one for each of ${sectors} sectors`);
    out.fill(farthest, slot, slot + sectors);
    broken.fill(0);
    all.fill(0);
    const last = Math.max(beams - 1, 1);
    for (let i = 0; i < beams; i++) {
      const beam = ranges[i]!;
      const fromRight = angle_increment < 0 ? beams - 1 - i : i;
      const sector = Math.min(Math.floor((fromRight * sectors) / last), sectors - 1);
      all[sector]!++;
      if (Number.isNaN(beam)) broken[sector]!++;
      if (!(beam >= range_min && beam > 0) && beam !== Number.NEGATIVE_INFINITY) continue;
      const range = Math.max(beam, range_min);
      if (range < out[slot + sector]!) out[slot + sector] = range;
    }
    return blindness(broken, all, beams);
  };
}

/** The refusal of a scan of which a sector, or most, is NaN; null for one that sees enough. */
function blindness(broken: Uint32Array, all: Uint32Array, beams: number): Refused | null {
  let total = 0;
  for (let sector = 0; sector < broken.length; sector++) {
    total += broken[sector]!;
    if (all[sector]! > 0 && broken[sector] === all[sector])
      return refuse(
        'notFinite',
        'ranges',
        `NaN in all ${all[sector]} beams of sector ${sector}`,
        'a measurement in every sector',
      );
  }
  return total * 2 > beams
    ? refuse('notFinite', 'ranges', `NaN in ${total} of ${beams} beams`, 'measurements in most of the beams')
    : null;
}
