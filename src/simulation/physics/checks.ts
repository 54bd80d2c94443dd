import type { MjData, MjWarningStatVec } from '@mujoco/mujoco';
import { IqLearnError } from '../../common/index.js';

// MuJoCo carries on where a simulation has gone wrong: it warns, and drops contacts or starts over. These checks turn
// that into errors.

/** MuJoCo calls a position or velocity of a larger magnitude bad (its mjMAXVAL). */
const LARGEST = 1e10;

/** The names of MuJoCo's mjtWarning, in the order of its numbers. */
const WARNINGS = ['inertia', 'contactFull', 'constraintFull', 'badQpos', 'badQvel', 'badQacc', 'badCtrl'] as const;

export type PhysicsWarning = (typeof WARNINGS)[number];

/** How often MuJoCo gave each warning since the last reset; warnings that it did not give are left out. */
export function countWarnings(statistics: MjWarningStatVec): Partial<Record<PhysicsWarning, number>> {
  const counts: Partial<Record<PhysicsWarning, number>> = {};
  WARNINGS.forEach((name, i) => {
    const warning = statistics.get(i);
    if (warning !== undefined && warning.number > 0) counts[name] = warning.number;
    warning?.delete();
  });
  return counts;
}

/** Throws INTERNAL when MuJoCo has dropped contacts or constraints because the model's memory is too small for them. */
export function checkMemory(statistics: MjWarningStatVec): void {
  const { contactFull = 0, constraintFull = 0 } = countWarnings(statistics);
  if (contactFull + constraintFull > 0)
    throw new IqLearnError('INTERNAL', 'the model has too little memory for its contacts', {
      found: `${contactFull} times too many contacts, ${constraintFull} times too many constraints`,
      expected: 'none dropped',
      remedy: 'raise <size memory="…"/> in the model',
    });
}

/** Throws INVALID_ARGUMENT for a control that is NaN or infinite. */
export function checkControls(ctrl: Float64Array): void {
  for (let i = 0; i < ctrl.length; i++)
    if (!Number.isFinite(ctrl[i]))
      throw new IqLearnError('INVALID_ARGUMENT', 'a control is not finite', {
        found: `ctrl[${i}] = ${ctrl[i]}`,
        expected: 'finite numbers',
      });
}

/** Throws INTERNAL when a number of the state (`name` is its array's) is NaN or too large for MuJoCo. */
export function checkFinite(name: string, values: Float64Array, data: MjData): void {
  for (let i = 0; i < values.length; i++)
    if (!(Math.abs(values[i]!) <= LARGEST))
      throw new IqLearnError('INTERNAL', 'the simulation left the finite numbers', {
        found: `${name}[${i}] = ${values[i]} at ${data.time} s`,
        expected: `magnitudes up to ${LARGEST}`,
        remedy: 'reset; shorten the timestep or lower the forces if it comes again',
      });
}
