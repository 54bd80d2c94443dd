import type { z } from 'zod';
import { Random } from '../../../common/index.js';
import { checkAction, checkSeed, checkSnapshot } from '../../spaces.js';
import type { SceneGeometry, SensorReadings, StepResult, Task } from '../../task.js';
import type { cartpoleOptions } from './options.js';
import { cartpoleActions, cartpoleObservations } from './spaces.js';

/** m/s². */
const GRAVITY = 9.8;
/** Kilograms. */
const CART_MASS = 1;
const POLE_MASS = 0.1;
const TOTAL_MASS = CART_MASS + POLE_MASS;
/** Metres from the pivot to the pole's centre. */
const POLE_HALF_LENGTH = 0.5;
/** Newtons, to either side. */
const FORCE = 10;
/** Seconds a step. */
const STEP_SECONDS = 0.02;
/** The episode ends beyond this angle (radians) or this place (metres). */
const ANGLE_LIMIT = (12 * 2 * Math.PI) / 360;
const POSITION_LIMIT = 2.4;
/** Half width of the uniform noise at reset. */
const RESET_NOISE = 0.05;

/**
 * The pole on a cart of Barto, Sutton & Anderson (1983) with the conventions of gymnasium's CartPole-v1: push left or
 * right, reward 1 a step, ends when the pole tips or the cart leaves, truncated after 500 steps. Float64, explicit Euler.
 */
export class CartPoleTask implements Task {
  readonly name = 'cartpole';
  readonly observationSpace = cartpoleObservations;
  readonly actionSpace = cartpoleActions;
  readonly stepSeconds = STEP_SECONDS;
  readonly maxSteps: number;
  #state = new Float64Array(4);
  #force = 0;
  #steps = 0;

  constructor({ maxSteps }: z.output<typeof cartpoleOptions>) {
    this.maxSteps = maxSteps;
    this.reset(0);
  }

  reset(seed: number): Float64Array {
    checkSeed(seed);
    const random = Random.derive(seed, 'cartpole/reset');
    for (let i = 0; i < 4; i++) this.#state[i] = random.uniform(-RESET_NOISE, RESET_NOISE);
    this.#force = 0;
    this.#steps = 0;
    return this.#state.slice();
  }

  step(action: ArrayLike<number>): StepResult {
    checkAction(this.actionSpace, action);
    const [x, xDot, theta, thetaDot] = this.#state as unknown as [number, number, number, number];
    const force = action[0] === 1 ? FORCE : -FORCE;
    const [cos, sin] = [Math.cos(theta), Math.sin(theta)];
    // Florian (2007), "Correct equations for the dynamics of the cart-pole system", without friction.
    const push = (force + POLE_MASS * POLE_HALF_LENGTH * thetaDot * thetaDot * sin) / TOTAL_MASS;
    const thetaDotDot =
      (GRAVITY * sin - cos * push) / (POLE_HALF_LENGTH * (4 / 3 - (POLE_MASS * cos * cos) / TOTAL_MASS));
    const xDotDot = push - (POLE_MASS * POLE_HALF_LENGTH * thetaDotDot * cos) / TOTAL_MASS;
    this.#state = Float64Array.of(
      x + STEP_SECONDS * xDot,
      xDot + STEP_SECONDS * xDotDot,
      theta + STEP_SECONDS * thetaDot,
      thetaDot + STEP_SECONDS * thetaDotDot,
    );
    this.#force = force;
    this.#steps += 1;
    const stands = Math.abs(this.#state[0]!) <= POSITION_LIMIT && Math.abs(this.#state[2]!) <= ANGLE_LIMIT;
    return {
      observation: this.#state.slice(),
      reward: 1,
      terminated: !stands,
      truncated: this.#steps >= this.maxSteps,
      success: false,
    };
  }

  sense(): SensorReadings {
    const [x, xDot, theta, thetaDot] = this.#state as unknown as [number, number, number, number];
    return {
      joints: {
        names: ['cart', 'pole'],
        position: Float64Array.of(x, theta),
        velocity: Float64Array.of(xDot, thetaDot),
        effort: Float64Array.of(this.#force, 0),
      },
    };
  }

  scene(): readonly SceneGeometry[] {
    const [x, , theta] = this.#state as unknown as [number, number, number];
    const [cos, sin] = [Math.cos(theta), Math.sin(theta)];
    return [
      {
        name: 'cart',
        shape: 'box',
        size: [0.2, 0.1, 0.1],
        rgba: [0.3, 0.35, 0.4, 1],
        position: [x, 0, 0],
        rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      },
      {
        name: 'pole',
        shape: 'capsule',
        size: [0.03, POLE_HALF_LENGTH, 0],
        rgba: [0.85, 0.55, 0.3, 1],
        position: [x + POLE_HALF_LENGTH * sin, 0, POLE_HALF_LENGTH * cos],
        rotation: [cos, 0, sin, 0, 1, 0, -sin, 0, cos],
      },
    ];
  }

  /** The count of steps, the four states, the force. */
  snapshot(): Float64Array {
    return Float64Array.of(this.#steps, ...this.#state, this.#force);
  }

  restore(state: Float64Array): void {
    checkSnapshot(this.name, state, 6);
    this.#steps = state[0]!;
    this.#state = state.slice(1, 5);
    this.#force = state[5]!;
  }

  close(): void {}
}
