import { ActionRange, stackObservations } from '../../common/index.js';
import type { Transition } from '../../messages/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';
import type { Segment } from '../../training/index.js';
import { transitionObservations } from '../kit/transition-observation.js';

/**
 * Transitions as learning takes them: one array per quantity, row after row; actions in [−1, 1]. A row is `demonstrated`
 * where a person had taken over and `interventionsAsDemonstrations` is set. `robotOf` names the robot of a fleet that made
 * a transition.
 */
export function segmentOf(
  transitions: readonly Transition[],
  spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action'>,
  interventionsAsDemonstrations: boolean,
  robotOf?: (transition: Transition) => string,
): Segment {
  const range = ActionRange.of(spec.action);
  const observation = observationOf(spec);
  const observed = transitions.map((transition) => transitionObservations(observation, transition));
  const [n, a] = [transitions.length, spec.action.length];
  const segment = {
    length: n,
    observations: stackObservations(
      observation,
      observed.map(([before]) => before),
    ),
    actions: new Float32Array(n * a),
    nextObservations: stackObservations(
      observation,
      observed.map(([, after]) => after),
    ),
    terminated: new Uint8Array(n),
    demonstrated: new Uint8Array(n),
    ...(robotOf && { robots: transitions.map(robotOf) }),
  };
  transitions.forEach((transition, i) => {
    segment.actions.set(range.normalise(transition.action), i * a);
    segment.terminated[i] = transition.terminated ? 1 : 0;
    segment.demonstrated[i] = interventionsAsDemonstrations && transition.intervention ? 1 : 0;
  });
  return segment;
}
