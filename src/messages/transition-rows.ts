import type { Transition } from './generated/types.js';
import { header } from './time.js';

/** The robot's name and sizes that transitions have when they can lie in rows: named numbers and no further blocks. */
export interface TransitionShape {
  readonly robot: string;
  readonly observation: number;
  readonly action: number;
}

/** Places of the numbers in a row of {@link TransitionRows.facts}. */
export const fact = {
  sequence: 0,
  episode: 1,
  step: 2,
  version: 3,
  sec: 4,
  nanosec: 5,
  reward: 6,
  intervention: 7,
  terminated: 8,
  truncated: 9,
  /** Where the transition is in the stream of its robot. */
  place: 10,
} as const;

/** Numbers in a row of {@link TransitionRows.facts}. */
export const FACTS = 11;

/**
 * Transitions of one robot as rows of a few arrays, without an object for each: a learner of many robots takes in a hundred
 * thousand per second. What is in rows has the robot's sizes, finite numbers, and integers that a number holds exactly.
 */
export class TransitionRows {
  readonly shape: TransitionShape;
  /** Row after row, as learning takes them. */
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly nextObservations: Float32Array;
  /** Of each transition, what {@link fact} names; truth is 1. */
  readonly facts: Float64Array;
  /** The session of each transition. */
  readonly sessions: string[];
  /** Rows there is room for. */
  readonly capacity: number;
  length = 0;

  constructor(shape: TransitionShape, capacity: number) {
    this.shape = shape;
    this.capacity = capacity;
    this.observations = new Float32Array(capacity * shape.observation);
    this.actions = new Float32Array(capacity * shape.action);
    this.nextObservations = new Float32Array(capacity * shape.observation);
    this.facts = new Float64Array(capacity * FACTS);
    this.sessions = new Array<string>(capacity);
  }

  /** One row of a transition whose vectors have the sizes of `shape`; others stay zeros. */
  static of(transition: Transition, shape: TransitionShape): TransitionRows {
    const rows = new TransitionRows(shape, 1);
    const { observation: o, action: a } = shape;
    const { observation, action, next_observation, header } = transition;
    if (observation.length === o && action.length === a && next_observation.length === o) {
      rows.observations.set(observation);
      rows.actions.set(action);
      rows.nextObservations.set(next_observation);
    }
    rows.facts.set([
      Number(transition.sequence),
      transition.episode,
      transition.step,
      Number(transition.policy_version),
      header.stamp.sec,
      header.stamp.nanosec,
      transition.reward,
      transition.intervention ? 1 : 0,
      transition.terminated ? 1 : 0,
      transition.truncated ? 1 : 0,
    ]);
    rows.sessions[0] = transition.session;
    rows.length = 1;
    return rows;
  }

  /** A number of transition `row`; `name` is one of {@link fact}. */
  fact(row: number, name: number): number {
    return this.facts[row * FACTS + name]!;
  }

  set(row: number, name: number, value: number): void {
    this.facts[row * FACTS + name] = value;
  }

  /** Transition `row` as a message; its vectors are copies. */
  message(row: number): Transition {
    const { observation: o, action: a } = this.shape;
    const stamp = { sec: this.fact(row, fact.sec), nanosec: this.fact(row, fact.nanosec) };
    return {
      header: { ...header(0n), stamp },
      robot: this.shape.robot,
      session: this.sessions[row]!,
      sequence: BigInt(this.fact(row, fact.sequence)),
      episode: this.fact(row, fact.episode),
      step: this.fact(row, fact.step),
      policy_version: BigInt(this.fact(row, fact.version)),
      intervention: this.fact(row, fact.intervention) === 1,
      observation: this.observations.slice(row * o, (row + 1) * o),
      action: this.actions.slice(row * a, (row + 1) * a),
      next_observation: this.nextObservations.slice(row * o, (row + 1) * o),
      terminated: this.fact(row, fact.terminated) === 1,
      truncated: this.fact(row, fact.truncated) === 1,
      reward: this.fact(row, fact.reward),
      blocks: new Uint8Array(0),
      next_blocks: new Uint8Array(0),
    };
  }
}

/** Transitions `from` to `to` (without it) of rows. */
export interface TransitionSlice {
  readonly rows: TransitionRows;
  readonly from: number;
  readonly to: number;
}
