import { nearest } from '../common/index.js';

/** The units a feature may have: SI, angles in radian (REP 103), '1' for plain numbers. */
export const units = [
  '1',
  'm',
  'rad',
  's',
  'm/s',
  'rad/s',
  'm/s²',
  'rad/s²',
  'N',
  'N·m',
  'kg',
  'A',
  'V',
  'K',
  'Pa',
  'T',
] as const;
export type Unit = (typeof units)[number];

/** Units that this project does not use, with what to do instead. */
const conversions: Readonly<Record<string, string>> = {
  deg: 'give the value in rad (REP 103): deg × π/180',
  degree: 'give the value in rad (REP 103): deg × π/180',
  degrees: 'give the value in rad (REP 103): deg × π/180',
  '°': 'give the value in rad (REP 103): deg × π/180',
  'deg/s': 'give the value in rad/s (REP 103): deg/s × π/180',
  '°/s': 'give the value in rad/s (REP 103): deg/s × π/180',
  rpm: 'give the value in rad/s: rpm × π/30',
  mm: 'give the value in m: mm / 1000',
  cm: 'give the value in m: cm / 100',
  'km/h': 'give the value in m/s: km/h / 3.6',
  'mm/s': 'give the value in m/s: mm/s / 1000',
  ms: 'give the value in s: ms / 1000',
  g: 'give the value in kg: g / 1000',
  '%': "give a share of 1 with the unit '1'",
};

/** Other spellings of known units. */
const spellings: Readonly<Record<string, Unit>> = {
  Nm: 'N·m',
  'N*m': 'N·m',
  'N.m': 'N·m',
  'm/s^2': 'm/s²',
  'm/s2': 'm/s²',
  'rad/s^2': 'rad/s²',
  'rad/s2': 'rad/s²',
  meter: 'm',
  metre: 'm',
  radian: 'rad',
  radians: 'rad',
  none: '1',
  '': '1',
};

export function isUnit(unit: string): unit is Unit {
  return (units as readonly string[]).includes(unit);
}

/** What the author of a description can do about a unit that is not known. */
export function unitRemedy(unit: string): string {
  const conversion = conversions[unit] ?? conversions[unit.toLowerCase()];
  if (conversion !== undefined) return conversion;
  const meant = spellings[unit] ?? nearest(unit, units);
  return meant === undefined ? 'convert the value to one of these' : `did you mean '${meant}'?`;
}
