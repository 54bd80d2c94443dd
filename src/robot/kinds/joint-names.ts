import { IqLearnError } from '../../common/index.js';
import type { RobotSpec } from '../types.js';

/** Names of the joints of an action, in its order. */
export function jointsOf(spec: RobotSpec): string[] {
  return spec.action.map(({ path }) => path);
}

/** Where a joint stands in a message's list of names. Throws MISMATCH naming every joint that is missing. */
export function indexOfJoint(names: readonly string[], joint: string, spec: RobotSpec): number {
  const at = names.indexOf(joint);
  if (at >= 0) return at;
  const missing = jointsOf(spec).filter((name) => !names.includes(name));
  throw new IqLearnError('MISMATCH', 'the command lacks joints', {
    found: names.join(', ') || 'no joints',
    expected: `also ${missing.join(', ')}`,
    remedy: "where a leader has names of its own, give them: teleop: { joints: { the robot's: the leader's } }",
  });
}
