import { IqLearnError, Random, unknownName } from '../common/index.js';
import type { BoxSpace } from './task.js';
import { armExpert } from './tasks/arm/expert.js';
import { armActions, armDimensions } from './tasks/arm/observation.js';
import { roverExpert } from './tasks/rover/expert.js';
import { roverActions, roverDimensions } from './tasks/rover/observation.js';

const EXPERTS = {
  rover: { observations: roverDimensions, actions: roverActions, make: roverExpert },
  arm: { observations: armDimensions, actions: armActions, make: armExpert },
} as const;

export type ExpertName = keyof typeof EXPERTS;

export const expertNames = Object.keys(EXPERTS) as readonly ExpertName[];

export interface ExpertOptions {
  /** A person's tremor: 0 (none, the default) to 1 (a fifth of each action's range, slowly varying). */
  readonly noise?: number;
}

/** A scripted driver of a task, in place of a person. Without noise its action depends on the observation alone. */
export interface Expert {
  /** Starts an episode's tremor; of no effect without noise. */
  reset(seed: number): void;
  /** The action, in the task's units, for an observation in the order of the task's observation space. */
  act(observation: ArrayLike<number>): Float32Array;
}

/** How much of the tremor a control step keeps. */
const TREMOR_MEMORY = 0.85;

/** Throws NOT_FOUND for a task without an expert, INVALID_ARGUMENT for noise outside 0…1. */
export function createExpert(task: ExpertName, options: ExpertOptions = {}): Expert {
  if (!Object.hasOwn(EXPERTS, task)) throw unknownName('task with an expert', task, expertNames);
  const { noise = 0 } = options;
  if (!(noise >= 0 && noise <= 1))
    throw new IqLearnError('INVALID_ARGUMENT', "the expert's noise is out of range", {
      found: `${noise}`,
      expected: '0…1',
    });
  const { observations, actions, make } = EXPERTS[task];
  const space: BoxSpace = { kind: 'box', dimensions: observations };
  const decide = make(space);
  const tremor = actions.map(() => 0);
  let random = Random.derive(0, `expert ${task}`);
  return {
    reset(seed) {
      random = Random.derive(seed, `expert ${task}`);
      tremor.fill(0);
    },
    act(observation) {
      if (observation.length !== space.dimensions.length)
        throw new IqLearnError('INVALID_ARGUMENT', `the ${task} expert cannot read the observation`, {
          found: `${observation.length} numbers`,
          expected: `${space.dimensions.length}: ${space.dimensions.map((d) => d.name).join(', ')}`,
        });
      const action = decide(observation);
      return Float32Array.from(actions, ({ low, high }, i) => {
        if (noise > 0) tremor[i] = TREMOR_MEMORY * tremor[i]! + Math.sqrt(1 - TREMOR_MEMORY ** 2) * random.normal();
        const value = action[i]! + noise * 0.1 * (high - low) * tremor[i]!;
        return Math.min(Math.max(value, low), high);
      });
    },
  };
}
