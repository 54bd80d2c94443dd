import { Random } from '../../common/index.js';
import { Physics } from '../physics/physics.js';
import { checkAction, checkSeed, checkSnapshot, unbounded } from '../spaces.js';
import type { BoxSpace, SceneGeometry, SensorReadings, StepResult, Task } from '../task.js';
import type { GymnasiumVersion, LocomotionRules } from './rules.js';

export interface LocomotionOptions {
  readonly version: GymnasiumVersion;
  readonly maxSteps: number;
  readonly shortestSteps: number;
}

/**
 * Hopper, Walker2d, HalfCheetah and Ant with gymnasium's observation, reward and termination on models of the same
 * dynamics; one step from the same full state agrees with gymnasium to rounding (bench/parity). Gymnasium's
 * mj_rnePostConstraint after a step is left out: it fills contact forces that nothing here reads.
 *
 * The action is the motors' control, −1…1 a joint. As in gymnasium it is not clipped by the task: MuJoCo clamps the
 * torque while the control cost counts what was asked for.
 */
export class LocomotionTask implements Task {
  readonly name: string;
  readonly observationSpace: BoxSpace;
  readonly actionSpace: BoxSpace;
  readonly stepSeconds: number;
  readonly maxSteps: number;
  readonly #physics: Physics;
  readonly #rules: LocomotionRules;
  readonly #version: GymnasiumVersion;
  readonly #shortest: number;
  #steps = 0;
  /** Steps of this episode. */
  #limit = 0;
  /** Where the reward counts the robot's way from. */
  #forward = 0;

  private constructor(name: string, rules: LocomotionRules, options: LocomotionOptions, physics: Physics) {
    this.name = name;
    this.maxSteps = options.maxSteps;
    this.#rules = rules;
    this.#version = options.version;
    this.#shortest = Math.min(options.shortestSteps, options.maxSteps);
    this.#physics = physics;
    this.stepSeconds = physics.timestep * rules.frameSkip;
    const { positions, unobserved, velocities, motors } = rules.model;
    this.observationSpace = {
      kind: 'box',
      dimensions: [
        ...positions.slice(unobserved).map(({ name, unit }) => unbounded(name, unit)),
        ...velocities.map((velocity) => ({ ...velocity, low: -rules.velocityClip, high: rules.velocityClip })),
      ],
    };
    this.actionSpace = {
      kind: 'box',
      dimensions: motors.map((joint) => ({ name: joint, unit: '1', low: -1, high: 1 })),
    };
    this.reset(0);
  }

  /** Throws UNAVAILABLE when MuJoCo does not load. */
  static async create(name: string, rules: LocomotionRules, options: LocomotionOptions): Promise<LocomotionTask> {
    return new LocomotionTask(name, rules, options, await Physics.load(rules.model.mjcf));
  }

  /** The physics below, for comparison with other engines. */
  get physics(): Physics {
    return this.#physics;
  }

  reset(seed: number): Float64Array {
    checkSeed(seed);
    const physics = this.#physics;
    const { model, positionNoise, velocityNoise } = this.#rules;
    const random = Random.derive(seed, `${this.name}/reset`);
    physics.reset();
    const { qpos, qvel } = physics;
    for (let i = 0; i < qpos.length; i++) qpos[i]! += random.uniform(-positionNoise, positionNoise);
    for (let i = 0; i < qvel.length; i++)
      qvel[i]! +=
        velocityNoise.kind === 'uniform'
          ? random.uniform(-velocityNoise.scale, velocityNoise.scale)
          : velocityNoise.scale * random.normal();
    model.normalise?.(qpos);
    physics.forward();
    this.#forward = model.forward(physics);
    this.#steps = 0;
    this.#limit = this.#drawLimit(seed);
    return this.#observe();
  }

  #drawLimit(seed: number): number {
    const [shortest, longest] = [this.#shortest, this.maxSteps];
    if (shortest === 0) return longest;
    const share = Random.derive(seed, `${this.name}/steps`).uniform();
    return Math.round(shortest * (longest / shortest) ** share);
  }

  step(action: ArrayLike<number>): StepResult {
    checkAction(this.actionSpace, action);
    const physics = this.#physics;
    const rules = this.#rules;
    const before = this.#forward;
    physics.ctrl.set(action);
    physics.step(rules.frameSkip);
    this.#steps += 1;
    this.#forward = rules.model.forward(physics);
    const velocity = (this.#forward - before) / this.stepSeconds;
    const healthy = rules.isHealthy(physics.qpos, physics.qvel);
    const alive = healthy || this.#version === 'v4' ? rules.aliveReward : 0;
    let squares = 0;
    for (let i = 0; i < action.length; i++) squares += action[i]! * action[i]!;
    return {
      observation: this.#observe(),
      reward: velocity + alive - rules.controlCost * squares,
      terminated: !healthy,
      truncated: this.#steps >= this.#limit,
      success: false,
    };
  }

  sense(): SensorReadings {
    return this.#rules.model.sense(this.#physics);
  }

  scene(): readonly SceneGeometry[] {
    return this.#physics.scene();
  }

  /**
   * The count of steps, MuJoCo's integration state, the forward position where the state does not determine it, and the
   * steps of the episode where they are drawn.
   */
  snapshot(): Float64Array {
    const forward = this.#rules.model.forwardLags ? [this.#forward] : [];
    const limit = this.#shortest > 0 ? [this.#limit] : [];
    return Float64Array.of(this.#steps, ...this.#physics.getState(), ...forward, ...limit);
  }

  restore(state: Float64Array): void {
    const { forward, forwardLags } = this.#rules.model;
    const end = 1 + this.#physics.stateSize;
    const size = end + (forwardLags ? 1 : 0);
    checkSnapshot(this.name, state, this.#shortest > 0 ? size + 1 : size);
    this.#physics.setState(state.subarray(1, end));
    this.#forward = forwardLags ? state[end]! : forward(this.#physics);
    this.#steps = state[0]!;
    this.#limit = this.#shortest > 0 ? state[size]! : this.maxSteps;
  }

  close(): void {
    this.#physics.close();
  }

  #observe(): Float64Array {
    const { qpos, qvel } = this.#physics;
    const { model, velocityClip: clip } = this.#rules;
    const observation = new Float64Array(qpos.length - model.unobserved + qvel.length);
    observation.set(qpos.subarray(model.unobserved));
    const at = qpos.length - model.unobserved;
    for (let i = 0; i < qvel.length; i++) observation[at + i] = Math.min(clip, Math.max(-clip, qvel[i]!));
    return observation;
  }
}
