import { IqLearnError, Random } from '../../common/index.js';
import { Physics } from '../physics/physics.js';
import {
  checkAction,
  checkOptionNames,
  checkSeed,
  checkSnapshot,
  maxStepsOf,
  type TaskOptions,
  unbounded,
} from '../spaces.js';
import type { BoxSpace, SceneGeometry, SensorReadings, StepResult, Task } from '../task.js';
import { hingesOf, mjcf, type PlanarRobot, ROOT_JOINTS } from './planar.js';
import { HALF_CHEETAH, HOPPER, walker } from './robots.js';

/** Whose conventions hold: `v4` pays for being alive in every step, `v5` only while healthy. */
export type GymnasiumVersion = 'v4' | 'v5';

/** What makes a task of a robot. */
interface Rules {
  readonly robot: PlanarRobot;
  /** Physics steps a task step. */
  readonly frameSkip: number;
  /** Half width of the uniform noise on the positions at reset. */
  readonly positionNoise: number;
  /** Noise on the velocities at reset: half width, or standard deviation. */
  readonly velocityNoise: { readonly kind: 'uniform' | 'normal'; readonly scale: number };
  /** Observed velocities are clipped to ± this. */
  readonly velocityClip: number;
  /** Reward lost per Σ action². */
  readonly controlCost: number;
  /** Reward for being alive; 0 where the robot cannot fall. */
  readonly aliveReward: number;
  readonly isHealthy: (qpos: Float64Array, qvel: Float64Array) => boolean;
}

function hopperIsHealthy(qpos: Float64Array, qvel: Float64Array): boolean {
  for (let i = 2; i < qpos.length; i++) if (!(Math.abs(qpos[i]!) < 100)) return false;
  for (let i = 0; i < qvel.length; i++) if (!(Math.abs(qvel[i]!) < 100)) return false;
  return qpos[1]! > 0.7 && Math.abs(qpos[2]!) < 0.2;
}

const walkerIsHealthy = (qpos: Float64Array): boolean => qpos[1]! > 0.8 && qpos[1]! < 2 && Math.abs(qpos[2]!) < 1;

const RULES = {
  hopper: (): Rules => ({
    robot: HOPPER,
    frameSkip: 4,
    positionNoise: 0.005,
    velocityNoise: { kind: 'uniform', scale: 0.005 },
    velocityClip: 10,
    controlCost: 1e-3,
    aliveReward: 1,
    isHealthy: hopperIsHealthy,
  }),
  walker2d: (version: GymnasiumVersion): Rules => ({
    robot: walker(version),
    frameSkip: 4,
    positionNoise: 0.005,
    velocityNoise: { kind: 'uniform', scale: 0.005 },
    velocityClip: 10,
    controlCost: 1e-3,
    aliveReward: 1,
    isHealthy: walkerIsHealthy,
  }),
  halfcheetah: (): Rules => ({
    robot: HALF_CHEETAH,
    frameSkip: 5,
    positionNoise: 0.1,
    velocityNoise: { kind: 'normal', scale: 0.1 },
    velocityClip: Number.POSITIVE_INFINITY,
    controlCost: 0.1,
    aliveReward: 0,
    isHealthy: () => true,
  }),
};

export type LocomotionName = keyof typeof RULES;

/** Steps until truncation, as gymnasium registers these tasks. */
const MAX_STEPS = 1000;

/**
 * Hopper, Walker2d and HalfCheetah with gymnasium's observation, reward and termination on models of the same
 * dynamics; one step from the same full state agrees with gymnasium to rounding (bench/parity). Gymnasium's
 * mj_rnePostConstraint after a step is left out: it fills contact forces that nothing here reads.
 *
 * The action is the motors' control, −1…1 a joint. As in gymnasium it is not clipped by the task: MuJoCo clamps the
 * torque while the control cost counts what was asked for.
 */
export class LocomotionTask implements Task {
  readonly name: LocomotionName;
  readonly observationSpace: BoxSpace;
  readonly actionSpace: BoxSpace;
  readonly stepSeconds: number;
  readonly maxSteps: number;
  readonly #physics: Physics;
  readonly #rules: Rules;
  readonly #version: GymnasiumVersion;
  readonly #jointNames: readonly string[];
  #steps = 0;

  private constructor(
    name: LocomotionName,
    rules: Rules,
    version: GymnasiumVersion,
    maxSteps: number,
    physics: Physics,
  ) {
    this.name = name;
    this.maxSteps = maxSteps;
    this.#rules = rules;
    this.#version = version;
    this.#physics = physics;
    this.stepSeconds = physics.timestep * rules.frameSkip;
    const hinges = hingesOf(rules.robot).map((hinge) => hinge.name);
    this.#jointNames = [...ROOT_JOINTS, ...hinges];
    const unit = (joint: string): string => (joint === 'rootx' || joint === 'rootz' ? 'm' : 'rad');
    this.observationSpace = {
      kind: 'box',
      dimensions: [
        // The forward position is left out: the gait must not depend on it.
        ...this.#jointNames.slice(1).map((joint) => unbounded(`${joint}_position`, unit(joint))),
        ...this.#jointNames.map((joint) => ({
          name: `${joint}_velocity`,
          unit: `${unit(joint)}/s`,
          low: -rules.velocityClip,
          high: rules.velocityClip,
        })),
      ],
    };
    this.actionSpace = {
      kind: 'box',
      dimensions: hinges.map((joint) => ({ name: joint, unit: '1', low: -1, high: 1 })),
    };
    this.reset(0);
  }

  /**
   * Options: `version` ('v4' if not given, or 'v5') and `maxSteps` (1000). Throws NOT_FOUND for another option,
   * INVALID_ARGUMENT for a wrong value.
   */
  static async create(name: LocomotionName, options: TaskOptions = {}): Promise<LocomotionTask> {
    checkOptionNames(name, options, ['version', 'maxSteps']);
    const { version = 'v4' } = options;
    if (version !== 'v4' && version !== 'v5')
      throw new IqLearnError('INVALID_ARGUMENT', 'the option version is wrong', {
        found: String(version),
        expected: "'v4' or 'v5'",
      });
    const maxSteps = maxStepsOf(options, MAX_STEPS);
    const rules = RULES[name](version);
    return new LocomotionTask(name, rules, version, maxSteps, await Physics.load(mjcf(rules.robot)));
  }

  /** The physics below, for comparison with other engines. */
  get physics(): Physics {
    return this.#physics;
  }

  reset(seed: number): Float64Array {
    checkSeed(seed);
    const physics = this.#physics;
    const { positionNoise, velocityNoise } = this.#rules;
    const random = Random.derive(seed, `${this.name}/reset`);
    physics.reset();
    const { qpos, qvel } = physics;
    for (let i = 0; i < qpos.length; i++) qpos[i]! += random.uniform(-positionNoise, positionNoise);
    for (let i = 0; i < qvel.length; i++)
      qvel[i]! +=
        velocityNoise.kind === 'uniform'
          ? random.uniform(-velocityNoise.scale, velocityNoise.scale)
          : velocityNoise.scale * random.normal();
    physics.forward();
    this.#steps = 0;
    return this.#observe();
  }

  step(action: ArrayLike<number>): StepResult {
    checkAction(this.actionSpace, action);
    const physics = this.#physics;
    const rules = this.#rules;
    const before = physics.qpos[0]!;
    physics.ctrl.set(action);
    physics.step(rules.frameSkip);
    this.#steps += 1;
    const velocity = (physics.qpos[0]! - before) / this.stepSeconds;
    const healthy = rules.isHealthy(physics.qpos, physics.qvel);
    const alive = healthy || this.#version === 'v4' ? rules.aliveReward : 0;
    let squares = 0;
    for (let i = 0; i < action.length; i++) squares += action[i]! * action[i]!;
    return {
      observation: this.#observe(),
      reward: velocity + alive - rules.controlCost * squares,
      terminated: !healthy,
      truncated: this.#steps >= this.maxSteps,
      success: false,
    };
  }

  sense(): SensorReadings {
    return {
      joints: {
        names: this.#jointNames,
        position: this.#physics.qpos.slice(),
        velocity: this.#physics.qvel.slice(),
        effort: this.#physics.data('qfrc_actuator').slice(),
      },
    };
  }

  scene(): readonly SceneGeometry[] {
    return this.#physics.scene();
  }

  /** The count of steps, then MuJoCo's integration state. */
  snapshot(): Float64Array {
    return Float64Array.of(this.#steps, ...this.#physics.getState());
  }

  restore(state: Float64Array): void {
    checkSnapshot(this.name, state, 1 + this.#physics.stateSize);
    this.#physics.setState(state.subarray(1));
    this.#steps = state[0]!;
  }

  close(): void {
    this.#physics.close();
  }

  #observe(): Float64Array {
    const { qpos, qvel } = this.#physics;
    const clip = this.#rules.velocityClip;
    const observation = new Float64Array(qpos.length - 1 + qvel.length);
    for (let i = 1; i < qpos.length; i++) observation[i - 1] = qpos[i]!;
    for (let i = 0; i < qvel.length; i++) observation[qpos.length - 1 + i] = Math.min(clip, Math.max(-clip, qvel[i]!));
    return observation;
  }
}
