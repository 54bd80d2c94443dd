import { TURN } from '../common/index.js';
import type { RobotSpec } from '../robot/index.js';
import type { Finding } from './finding.js';
import type { JointRange } from './joint-ranges.js';
import type { ImuSurvey, ScanSurvey } from './survey-messages.js';

/** Fewer messages than this say nothing about a joint. */
const FEWEST = 20;
/** More than this is no angle in degrees, but of a wheel that has turned for long, or ticks of an encoder. */
const MOST_DEGREES = 400;
/** No scanner sees farther, in metres. */
const FARTHEST = 1000;
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const short = (value: number): string => String(Number(value.toPrecision(3)));

/** What a description knows about how far a joint goes and how fast; infinite where it does not. */
function known(spec: RobotSpec, { feature, joint, quantity }: JointRange) {
  const own = spec.observation.find(({ name }) => name === feature)!;
  const reach = (low: number, high: number): number => Math.max(Math.abs(low), Math.abs(high));
  const commanded = spec.action.filter((action) => action.path === joint);
  const of = (wanted: string) => commanded.find((action) => action.quantity === wanted);
  const [position, velocity] = [of('position'), of('velocity')];
  const speed =
    velocity === undefined ? (position?.maxRate ?? Number.POSITIVE_INFINITY) : reach(velocity.low, velocity.high);
  const far = quantity === 'velocity' ? speed : position && reach(position.low, position.high);
  return { unit: own.unit, far: Math.min(far ?? Number.POSITIVE_INFINITY, reach(own.low, own.high)), speed };
}

/** Why a joint's numbers cannot be in the unit that its feature has; null where they can. */
function strange(range: JointRange, { unit, far, speed: fastest }: ReturnType<typeof known>): string | null {
  const { feature, low, high, quantity, values, tenths, distinct, speed, returns } = range;
  if (values < FEWEST) return null;
  const most = Math.max(Math.abs(low), Math.abs(high));
  const said = `${feature} is ${short(low)}…${short(high)} ${unit}`;
  if (unit === 'm' || unit === '1') return most > 20 * far ? `${said}, its limit is ${short(far)}` : null;
  if (unit !== 'rad' && unit !== 'rad/s') return null;
  if (most <= TURN || most > MOST_DEGREES) return null;
  if (most > 3 * far) return `${said}, its limit is ${short(far)}`;
  if (quantity === 'velocity') return null;
  if (speed > 5 * fastest) return `${said}, and moves by ${short(speed)} rad/s, where its limit is ${short(fastest)}`;
  // An encoder passes every value; only what counts in degrees stands on whole tenths, there and back.
  return far === Number.POSITIVE_INFINITY && returns && tenths > 0.95 && distinct >= 10
    ? `${said}, in steps of 0.1 or more`
    : null;
}

/** A scan in millimetres sees everything as free space. */
function strangeScan({ topic, rangeMax, beyond }: ScanSurvey): string | null {
  if (rangeMax > FARTHEST && Number.isFinite(rangeMax)) return `range_max of ${topic} is ${short(rangeMax)} m`;
  return beyond > 0.9
    ? `${percent(beyond)} of the ranges of ${topic} are beyond its range_max, ${short(rangeMax)} m`
    : null;
}

/** What stands still is accelerated by 9.81 m/s² upwards: by 1 only in units of that. */
const G: readonly [number, number] = [0.9, 1.1];

/** Why an inertial sensor's numbers cannot be m/s² and rad/s. */
function strangeImu({ topic, acceleration, turning, messages }: ImuSurvey, spec: RobotSpec): [What, string][] {
  if (messages < FEWEST) return [];
  const isRead = (part: string): boolean =>
    spec.observation.some(({ source: s }) => s.kind === 'field' && s.topic === topic && s.path.startsWith(part));
  const turns = spec.action.filter(({ quantity, unit }) => quantity === undefined && unit === 'rad/s');
  const fastest = Math.max(...turns.map(({ low, high }) => Math.max(Math.abs(low), Math.abs(high))));
  const out: [What, string][] = [];
  if (isRead('linear_acceleration') && acceleration > G[0] && acceleration < G[1])
    out.push(['gravity', `the acceleration of ${topic} is mostly ${short(acceleration)} m/s² long`]);
  if (isRead('angular_velocity') && turns.length > 0 && turning > 5 * fastest)
    out.push(['radians', `${topic} turns by ${short(turning)} rad/s, and is commanded ${short(fastest)} at most`]);
  return out;
}

type What = 'radians' | 'metres' | 'share' | 'gravity';

const UNITS: Readonly<Record<What, { readonly expected: string; readonly remedy: string }>> = {
  radians: {
    expected: 'radians (REP 103), where these look like degrees',
    remedy:
      'have the driver give radians (degrees × 0.0174533) on the robot and record again, or widen the limits if the joint does go so far',
  },
  metres: {
    expected: 'metres',
    remedy: 'have the driver give metres (millimetres × 0.001), or widen the limits if a joint does go so far',
  },
  share: {
    expected: 'numbers within its limits, where these look like per cent',
    remedy: 'have the driver give a share (per cent × 0.01) on the robot and record again, or widen the limits',
  },
  gravity: {
    expected: '9.81 m/s² at rest (REP 145), where this looks like 1 g',
    remedy: 'have the driver give m/s² (g × 9.81)',
  },
};

const ofUnit = (unit: string): What => (unit === 'm' ? 'metres' : unit === '1' ? 'share' : 'radians');

/**
 * Sensors whose numbers are those of another unit than the description's: degrees for radians, millimetres for metres,
 * per cent for a share, g for m/s².
 */
export function lintUnits(
  ranges: readonly JointRange[],
  scans: readonly ScanSurvey[],
  imus: readonly ImuSurvey[],
  spec: RobotSpec,
): Finding[] {
  const joints = ranges.flatMap((range): [What, string][] => {
    const limits = known(spec, range);
    const why = strange(range, limits);
    return why === null ? [] : [[ofUnit(limits.unit), why]];
  });
  const sensors = scans.flatMap((scan): [What, string][] => {
    const why = strangeScan(scan);
    return why === null ? [] : [['metres', why]];
  });
  const found = [...joints, ...sensors, ...imus.flatMap((imu) => strangeImu(imu, spec))];
  return (Object.keys(UNITS) as What[]).flatMap((what): Finding[] => {
    const texts = found.flatMap(([own, why]) => (own === what ? [why] : []));
    if (texts.length === 0) return [];
    return [
      {
        level: 'warn',
        check: 'another unit',
        source: null,
        found: texts.slice(0, 6).join('; ') + (texts.length > 6 ? ` and ${texts.length - 6} more` : ''),
        ...UNITS[what],
      },
    ];
  });
}
