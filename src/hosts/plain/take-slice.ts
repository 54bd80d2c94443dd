import { fact } from '../../messages/index.js';
import type { LearnerNode, RobotSlice } from '../../nodes/index.js';
import type { Fleet } from './fleet.js';
import type { StreamPlaces } from './stream-places.js';

export interface SliceParts {
  readonly fleet: Pick<Fleet, 'admitsRow'>;
  readonly places: Pick<StreamPlaces, 'noteSlice' | 'leaveOut'>;
  readonly learner: Pick<LearnerNode, 'takeSlice'>;
  /** Hears of each transition at which the fleet failed; it is not learned from. */
  readonly refused: (error: unknown) => void;
}

/** Gives a robot's transitions to the learner, without those that the fleet leaves out; `epoch` is that of its stream. */
export function takeSlice({ rows, from, to, robot }: RobotSlice, epoch: bigint, parts: SliceParts): void {
  const { fleet, places, learner, refused } = parts;
  const give = (first: number, end: number): void => {
    if (first === end) return;
    const slice = { rows, from: first, to: end, robot };
    places.noteSlice(slice, epoch);
    learner.takeSlice(slice);
  };
  let first = from;
  for (let row = from; row < to; row++) {
    let leftOut = true;
    try {
      if (fleet.admitsRow(robot, rows, row)) continue;
    } catch (error) {
      leftOut = false;
      refused(error);
    }
    give(first, row);
    if (leftOut) places.leaveOut(robot, { epoch, sequence: BigInt(rows.fact(row, fact.place)) });
    first = row + 1;
  }
  give(first, to);
}
