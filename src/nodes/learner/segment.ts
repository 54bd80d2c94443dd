import { ActionRange } from '../../common/index.js';
import type { Transition } from '../../messages/index.js';
import type { RobotSpec } from '../../robot/index.js';
import type { Segment } from '../../training/index.js';

/**
 * Transitions as learning takes them: one array per quantity, row after row; actions in [−1, 1]. A row is `demonstrated`
 * where a person had taken over and `interventionsAsDemonstrations` is set.
 */
export function segmentOf(
  transitions: readonly Transition[],
  spec: Pick<RobotSpec, 'observation' | 'action'>,
  interventionsAsDemonstrations: boolean,
): Segment {
  const range = ActionRange.of(spec.action);
  const [n, o, a] = [transitions.length, spec.observation.length, spec.action.length];
  const segment = {
    length: n,
    observations: new Float32Array(n * o),
    actions: new Float32Array(n * a),
    nextObservations: new Float32Array(n * o),
    terminated: new Uint8Array(n),
    demonstrated: new Uint8Array(n),
  };
  transitions.forEach((transition, i) => {
    segment.observations.set(transition.observation, i * o);
    segment.actions.set(range.normalise(transition.action), i * a);
    segment.nextObservations.set(transition.next_observation, i * o);
    segment.terminated[i] = transition.terminated ? 1 : 0;
    segment.demonstrated[i] = interventionsAsDemonstrations && transition.intervention ? 1 : 0;
  });
  return segment;
}
