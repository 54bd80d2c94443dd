import { IqLearnError } from '../../common/index.js';
import type { RobotSpec } from '../types.js';

/** The error for a command of another number of dimensions than the robot's action. */
export function wrongLength(code: 'INVALID_ARGUMENT' | 'MISMATCH', found: number, spec: RobotSpec): IqLearnError {
  return new IqLearnError(code, 'the command has the wrong length', {
    found: `${found} numbers`,
    expected: `${spec.action.length}: ${spec.action.map(({ name }) => name).join(', ')}`,
  });
}
