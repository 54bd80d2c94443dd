import { STATE_BLOCK, stackObservations } from '../../common/index.js';
import type { LearnerRows } from '../../learning/index.js';
import { fact, type Transition, type TransitionShape, type TransitionSlice } from '../../messages/index.js';
import { observationOf, PolicyActions, type RobotSpec } from '../../robot/index.js';
import { transitionObservations } from './transition-observation.js';

/** Transitions that lie in rows, and the robot of a fleet that made them; '' where there is no fleet. */
export interface RobotSlice extends TransitionSlice {
  readonly robot: string;
}

/** Transitions as they came, in their order: one as a message, or several in rows. */
export type TransitionPiece = Transition | RobotSlice;

export const isSlice = (piece: TransitionPiece): piece is RobotSlice => 'rows' in piece;

/** What a robot's transitions must be to lie in rows; undefined where its observation is more than one vector of numbers. */
export function rowShape(
  spec: Pick<RobotSpec, 'robot' | 'observation' | 'blocks' | 'action'>,
): TransitionShape | undefined {
  const [only, ...others] = observationOf(spec);
  if (only?.name !== STATE_BLOCK || others.length > 0) return undefined;
  return { robot: spec.robot, observation: spec.observation.length, action: spec.action.length };
}

/** Adds a slice behind the pieces; one that goes on where the last one ends makes that longer. The pieces own their slices. */
export function addSlice(pieces: TransitionPiece[], { rows, from, to, robot }: RobotSlice): void {
  const last = pieces.at(-1);
  if (last !== undefined && isSlice(last) && last.rows === rows && last.to === from && last.robot === robot)
    (last as { to: number }).to = to;
  else pieces.push({ rows, from, to, robot });
}

/** How many transitions there are. */
export function countOf(pieces: readonly TransitionPiece[]): number {
  return pieces.reduce((sum, piece) => sum + (isSlice(piece) ? piece.to - piece.from : 1), 0);
}

/** Transitions row after row, and in which of them a person had taken over. */
export interface StackedTransitions extends LearnerRows {
  readonly intervention: Uint8Array;
}

type Shape = Pick<RobotSpec, 'observation' | 'blocks' | 'action'>;

/** Puts transitions together as learning takes them. Throws INVALID_ARGUMENT where one is not of this robot. */
export function stackTransitions(pieces: readonly TransitionPiece[], spec: Shape): StackedTransitions {
  return pieces.some(isSlice) ? stackRows(pieces, spec) : stackMessages(pieces as readonly Transition[], spec);
}

function stackMessages(transitions: readonly Transition[], spec: Shape): StackedTransitions {
  const observation = observationOf(spec);
  const observed = transitions.map((transition) => transitionObservations(observation, transition));
  const before = observed.map(([first]) => first);
  const after = observed.map(([, second]) => second);
  const a = spec.action.length;
  const commands = new Float32Array(transitions.length * a);
  transitions.forEach(({ action }, i) => {
    commands.set(action, i * a);
  });
  const observations = stackObservations(observation, before);
  return {
    length: transitions.length,
    observations,
    actions: new PolicyActions(spec).normalise(commands, observations),
    nextObservations: stackObservations(observation, after),
    terminated: Uint8Array.from(transitions, ({ terminated }) => (terminated ? 1 : 0)),
    intervention: Uint8Array.from(transitions, ({ intervention }) => (intervention ? 1 : 0)),
  };
}

/** Robots whose transitions lie in rows have one block of named numbers. */
function stackRows(pieces: readonly TransitionPiece[], spec: Shape): StackedTransitions {
  const length = countOf(pieces);
  const [o, a] = [spec.observation.length, spec.action.length];
  const observations = new Float32Array(length * o);
  const actions = new Float32Array(length * a);
  const nextObservations = new Float32Array(length * o);
  const terminated = new Uint8Array(length);
  const intervention = new Uint8Array(length);
  let i = 0;
  for (const piece of pieces) {
    if (!isSlice(piece)) {
      observations.set(piece.observation, i * o);
      actions.set(piece.action, i * a);
      nextObservations.set(piece.next_observation, i * o);
      terminated[i] = piece.terminated ? 1 : 0;
      intervention[i] = piece.intervention ? 1 : 0;
      i++;
      continue;
    }
    const { rows, from, to } = piece;
    observations.set(rows.observations.subarray(from * o, to * o), i * o);
    actions.set(rows.actions.subarray(from * a, to * a), i * a);
    nextObservations.set(rows.nextObservations.subarray(from * o, to * o), i * o);
    for (let row = from; row < to; row++, i++) {
      terminated[i] = rows.fact(row, fact.terminated);
      intervention[i] = rows.fact(row, fact.intervention);
    }
  }
  const normalised = new PolicyActions(spec).normalise(actions, observations);
  return { length, observations, actions: normalised, nextObservations, terminated, intervention };
}
