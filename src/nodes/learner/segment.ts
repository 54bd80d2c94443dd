import type { Transition } from '../../messages/index.js';
import type { RobotSpec } from '../../robot/index.js';
import type { Segment } from '../../training/index.js';
import { isSlice, stackTransitions, type TransitionPiece } from '../kit/transition-pieces.js';

/**
 * Transitions as learning takes them: one array per quantity, row after row; actions in [−1, 1]. A row is `demonstrated`
 * where a person had taken over and `interventionsAsDemonstrations` is set. `robotOf` names the robot of a fleet that made
 * a transition.
 */
export function segmentOf(
  pieces: readonly TransitionPiece[],
  spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action'>,
  interventionsAsDemonstrations: boolean,
  robotOf?: (transition: Transition) => string,
): Segment {
  const { intervention, ...stacked } = stackTransitions(pieces, spec);
  return {
    ...stacked,
    demonstrated: interventionsAsDemonstrations ? intervention : new Uint8Array(stacked.length),
    ...(robotOf && { robots: robotsOf(pieces, robotOf) }),
  };
}

function robotsOf(pieces: readonly TransitionPiece[], robotOf: (transition: Transition) => string): string[] {
  const robots: string[] = [];
  for (const piece of pieces) {
    if (isSlice(piece)) for (let row = piece.from; row < piece.to; row++) robots.push(piece.robot);
    else robots.push(robotOf(piece));
  }
  return robots;
}
