import type { z } from 'zod';
import { Random } from '../../../common/index.js';
import { checkAction, checkSeed, checkSnapshot } from '../../spaces.js';
import type { SceneGeometry, SensorReadings, StepResult, Task } from '../../task.js';
import { ACTIONS, CELLS, GOALS, GRID_SIDE, neighbour } from './mdp.js';
import type { gridworldOptions } from './options.js';
import { gridworldActions, gridworldObservations } from './spaces.js';

/**
 * A 5×5 grid, five actions, reward 1 for every step begun in one of two opposite corners, uniform start, no terminal
 * state: the smallest task in which a recovered reward can be looked at. The observation is one-hot.
 */
export class GridworldTask implements Task {
  readonly name = 'gridworld';
  readonly observationSpace = gridworldObservations;
  readonly actionSpace = gridworldActions;
  readonly stepSeconds = 1;
  readonly maxSteps: number;
  readonly #slip: number;
  #random = new Random(0);
  #cell = 0;
  #steps = 0;

  constructor({ slip, maxSteps }: z.output<typeof gridworldOptions>) {
    this.#slip = slip;
    this.maxSteps = maxSteps;
    this.reset(0);
  }

  reset(seed: number): Float64Array {
    checkSeed(seed);
    this.#random = Random.derive(seed, 'gridworld');
    this.#cell = this.#random.integer(CELLS);
    this.#steps = 0;
    return this.#observe();
  }

  step(action: ArrayLike<number>): StepResult {
    checkAction(this.actionSpace, action);
    const reward = GOALS.includes(this.#cell) ? 1 : 0;
    const slips = this.#slip > 0 && this.#random.uniform() < this.#slip;
    this.#cell = neighbour(this.#cell, slips ? this.#random.integer(ACTIONS.length) : action[0]!);
    this.#steps += 1;
    return {
      observation: this.#observe(),
      reward,
      terminated: false,
      truncated: this.#steps >= this.maxSteps,
      success: false,
    };
  }

  sense(): SensorReadings {
    return {
      joints: {
        names: ['x', 'y'],
        position: Float64Array.of(this.#cell % GRID_SIDE, Math.floor(this.#cell / GRID_SIDE)),
        velocity: new Float64Array(2),
        effort: new Float64Array(2),
      },
    };
  }

  scene(): readonly SceneGeometry[] {
    const rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    const at = (cell: number, z: number) => [cell % GRID_SIDE, Math.floor(cell / GRID_SIDE), z] as const;
    const middle = (GRID_SIDE - 1) / 2;
    return [
      {
        name: 'floor',
        shape: 'box',
        size: [GRID_SIDE / 2, GRID_SIDE / 2, 0.05],
        rgba: [0.8, 0.85, 0.8, 1],
        position: [middle, middle, -0.05],
        rotation,
      },
      ...GOALS.map((cell, i) => ({
        name: `goal${i}`,
        shape: 'box' as const,
        size: [0.4, 0.4, 0.02] as const,
        rgba: [0.3, 0.65, 0.35, 1] as const,
        position: at(cell, 0.02),
        rotation,
      })),
      {
        name: 'agent',
        shape: 'sphere',
        size: [0.3, 0, 0],
        rgba: [0.85, 0.55, 0.3, 1],
        position: at(this.#cell, 0.3),
        rotation,
      },
    ];
  }

  /** The count of steps, the cell, the generator. */
  snapshot(): Float64Array {
    return Float64Array.of(this.#steps, this.#cell, ...this.#random.state.words);
  }

  restore(state: Float64Array): void {
    checkSnapshot(this.name, state, 6);
    const [steps, cell, a, b, c, d] = state as unknown as [number, number, number, number, number, number];
    this.#steps = steps;
    this.#cell = cell;
    this.#random = Random.fromState({ words: [a, b, c, d], spare: null });
  }

  close(): void {}

  #observe(): Float64Array {
    const observation = new Float64Array(CELLS);
    observation[this.#cell] = 1;
    return observation;
  }
}
