import { IqLearnError } from '../../common/index.js';
import type { RobotSpec } from '../types.js';

/** Names of the joints of an action, in its order. */
export function jointsOf(spec: RobotSpec): string[] {
  return spec.action.map(({ path }) => path);
}

/** The error for a command that names a joint more than once: which of its numbers is meant is not known. */
export function twice(joint: string): IqLearnError {
  return new IqLearnError('MISMATCH', 'the command names a joint twice', {
    found: joint,
    expected: 'each joint once',
    remedy: 'have whoever publishes it name each joint once',
  });
}

/** Throws MISMATCH where a list has another number of values than joints are named. */
export function checkLength(what: string, values: ArrayLike<number>, joints: readonly string[]): void {
  if (values.length !== joints.length)
    throw new IqLearnError('MISMATCH', `the command has another number of ${what} than of joints`, {
      found: `${values.length} ${what} for ${joints.length} joints`,
      expected: 'one for each joint',
    });
}

/** Where a joint stands in a message's list of names. Throws MISMATCH naming every joint that is missing. */
export function indexOfJoint(names: readonly string[], joint: string, spec: RobotSpec): number {
  const at = names.indexOf(joint);
  if (at >= 0) {
    if (names.lastIndexOf(joint) !== at) throw twice(joint);
    return at;
  }
  const missing = jointsOf(spec).filter((name) => !names.includes(name));
  throw new IqLearnError('MISMATCH', 'the command lacks joints', {
    found: names.join(', ') || 'no joints',
    expected: `also ${missing.join(', ')}`,
    remedy: "where a leader has names of its own, give them: teleop: { joints: { the robot's: the leader's } }",
  });
}
