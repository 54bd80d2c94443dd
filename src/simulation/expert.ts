import { IqLearnError, Random } from '../common/index.js';
import type { ExpertDefinition } from './definition.js';
import { taskDefinition, taskDefinitions } from './registry.js';
import type { BoxSpace, DiscreteSpace } from './task.js';

/** The names of the tasks that a scripted expert can demonstrate. */
export const expertNames: readonly string[] = taskDefinitions
  .filter(({ expert }) => expert !== undefined)
  .map(({ name }) => name);

export interface ExpertOptions {
  /**
   * How unsteady the hand is, 0 (not at all, the default) to 1. Continuous actions get a slowly varying tremor whose
   * standard deviation is `noise` times a tenth of each action's range; a discrete action is, with probability
   * `noise`, replaced by a random one.
   */
  readonly noise?: number;
}

/** A scripted controller of a task, in place of a person. Without noise it is as deterministic as its definition. */
export interface Expert {
  /** Starts the random draws of an episode. */
  reset(seed: number): void;
  /** The action, in the task's units, for an observation in the order of the task's observation space. */
  act(observation: ArrayLike<number>): Float32Array;
}

/** The share of the tremor that remains after one control step. */
const TREMOR_MEMORY = 0.85;

/** Throws NOT_FOUND for a task that does not exist or has no expert, INVALID_ARGUMENT for noise outside of 0…1. */
export function createExpert(task: string, options: ExpertOptions = {}): Expert {
  const { expert } = taskDefinition(task);
  if (expert === undefined)
    throw new IqLearnError('NOT_FOUND', `the task ${task} has no scripted expert`, {
      found: `'${task}'`,
      expected: `one of ${expertNames.join(', ')}`,
    });
  const { noise = 0 } = options;
  if (!(noise >= 0 && noise <= 1))
    throw new IqLearnError('INVALID_ARGUMENT', "the expert's noise is out of range", {
      found: `${noise}`,
      expected: '0…1',
    });
  return new ScriptedExpert(task, expert, noise);
}

class ScriptedExpert implements Expert {
  readonly #task: string;
  readonly #observationSpace: BoxSpace;
  readonly #actionSpace: BoxSpace | DiscreteSpace;
  readonly #decide: ReturnType<ExpertDefinition['create']>;
  readonly #noise: number;
  readonly #tremor: Float64Array;
  #random: Random;

  constructor(task: string, { observationSpace, actionSpace, create }: ExpertDefinition, noise: number) {
    this.#task = task;
    this.#observationSpace = observationSpace;
    this.#actionSpace = actionSpace;
    this.#decide = create();
    this.#noise = noise;
    this.#tremor = new Float64Array(actionSpace.kind === 'box' ? actionSpace.dimensions.length : 0);
    this.#random = Random.derive(0, `expert ${task}`);
  }

  reset(seed: number): void {
    this.#random = Random.derive(seed, `expert ${this.#task}`);
    this.#tremor.fill(0);
  }

  act(observation: ArrayLike<number>): Float32Array {
    const { dimensions } = this.#observationSpace;
    if (observation.length !== dimensions.length)
      throw new IqLearnError('INVALID_ARGUMENT', `the ${this.#task} expert cannot read the observation`, {
        found: `${observation.length} numbers`,
        expected: `${dimensions.length}: ${dimensions.map((d) => d.name).join(', ')}`,
      });
    const action = this.#decide(observation, this.#random);
    const space = this.#actionSpace;
    if (space.kind === 'box') return this.#trembling(space, action);
    const slips = this.#noise > 0 && this.#random.uniform() < this.#noise;
    return Float32Array.of(slips ? this.#random.integer(space.n) : action[0]!);
  }

  #trembling({ dimensions }: BoxSpace, action: ArrayLike<number>): Float32Array {
    const [noise, tremor] = [this.#noise, this.#tremor];
    return Float32Array.from(dimensions, ({ low, high }, i) => {
      if (noise > 0) tremor[i] = TREMOR_MEMORY * tremor[i]! + Math.sqrt(1 - TREMOR_MEMORY ** 2) * this.#random.normal();
      const value = action[i]! + noise * 0.1 * (high - low) * tremor[i]!;
      return Math.min(Math.max(value, low), high);
    });
  }
}
