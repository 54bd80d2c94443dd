import { ActionRange, blockValues, clamp, type PerBlock, STATE_BLOCK } from '../common/index.js';
import { observationOf } from './observation-blocks.js';
import type { FeatureSpec, RobotSpec } from './types.js';

type Described = Pick<RobotSpec, 'observation' | 'blocks' | 'action'>;

/**
 * What a policy gives and learns: the robot's commands, and in place of a command that is described as a delta its
 * difference from the measured value, within ±most. Its name says so: `elbow - elbow_position`.
 */
export function policyFeatures({ observation, action }: Described): FeatureSpec[] {
  return action.map(({ name, unit, low, high, delta }) =>
    delta === undefined
      ? { name, unit, low, high }
      : { name: `${name} - ${observation[delta.of]!.name}`, unit, low: -delta.most, high: delta.most },
  );
}

/**
 * A robot's commands ⇄ the actions of its policy. A delta is counted from the value that the same observation has, live and
 * recorded, so that it means the same on both; what a robot without deltas is commanded is the policy's action itself.
 */
export class PolicyActions {
  /** As the contract has them. */
  readonly features: readonly FeatureSpec[];
  readonly range: ActionRange;
  readonly #spec: Described;
  /** The action's deltas: where they stand, and where in the observation their measured value is. */
  readonly #deltas: readonly { readonly at: number; readonly of: number }[];

  constructor(spec: Described) {
    this.#spec = spec;
    this.features = policyFeatures(spec);
    this.range = ActionRange.of(this.features);
    this.#deltas = spec.action.flatMap(({ delta }, at) => (delta === undefined ? [] : [{ at, of: delta.of }]));
  }

  /**
   * The command that a policy's action means for this observation. A delta that leads beyond the limits of its command
   * leads to the limit; what is not finite stays so, and is the safety filter's to refuse.
   */
  toCommand(action: Float32Array, observation: PerBlock<ArrayLike<number>>): Float32Array {
    if (this.#deltas.length === 0) return action;
    const measured = this.#measured(observation);
    const command = action.slice();
    for (const { at, of } of this.#deltas) {
      const { low, high } = this.#spec.action[at]!;
      const sum = measured[of]! + action[at]!;
      command[at] = Number.isFinite(sum) ? clamp(sum, low, high) : sum;
    }
    return command;
  }

  /** Commands as actions of the policy, in units: one, or several one after the other with as many rows of observations. */
  fromCommands(commands: ArrayLike<number>, observations: PerBlock<ArrayLike<number>>): Float32Array {
    if (this.#deltas.length === 0) return commands instanceof Float32Array ? commands : Float32Array.from(commands);
    const measured = this.#measured(observations);
    const [width, size] = [this.#spec.observation.length, this.#spec.action.length];
    const actions = Float32Array.from(commands);
    for (let row = 0; row * size < actions.length; row++)
      for (const { at, of } of this.#deltas)
        actions[row * size + at] = commands[row * size + at]! - measured[row * width + of]!;
    return actions;
  }

  /** As {@link fromCommands}, in −1…1 as learning takes them; beyond ±1 where a command is beyond what a policy can give. */
  normalise(commands: ArrayLike<number>, observations: PerBlock<ArrayLike<number>>): Float32Array {
    return this.range.normalise(this.fromCommands(commands, observations));
  }

  #measured(observations: PerBlock<ArrayLike<number>>): ArrayLike<number> {
    const blocks = observationOf(this.#spec);
    const state = blocks.findIndex(({ name }) => name === STATE_BLOCK);
    return blockValues(blocks, observations, 'observation')[state]!;
  }
}
