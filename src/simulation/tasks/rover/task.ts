import type { z } from 'zod';
import { Random } from '../../../common/index.js';
import { clampTo, goalMarker, rotateBack, rotationMatrix } from '../../geometry.js';
import { Physics } from '../../physics/physics.js';
import { checkAction, checkSeed, checkSnapshot } from '../../spaces.js';
import type { BoxSpace, PoseReading, SceneGeometry, SensorReadings, StepResult, Task } from '../../task.js';
import { roverLayout } from './layout.js';
import { roverBase, roverModel } from './model.js';
import { observeRover, roverActions, roverDimensions, scanFieldOfView } from './observation.js';
import type { roverOptions } from './options.js';
import { drawGoal, drawRoverScene } from './scene.js';

const SUBSTEPS = 10;
const BEAMS = 58;
const ANGLE_MIN = -scanFieldOfView / 2;
const ANGLE_INCREMENT = scanFieldOfView / (BEAMS - 1);
const RANGE_MIN = 0.05;
const RANGE_MAX = 4;
/** Control steps the rover has to stand at a goal for it to count as reached. */
const STAND_STEPS = 5;
/** The base controller's ramps, m/s² and rad/s². */
const MAX_ACCELERATION = [2, 8] as const;

/**
 * A differential-drive robot with a range sensor that drives to a goal between obstacles and stops there.
 *
 * The action is the twist of cmd_vel; the base controller ramps it and turns it into wheel speeds. Episodes have a
 * fixed length: they end neither at the goal nor on a collision. An episode succeeds if the rover has stood within
 * 0.25 m of the goal for half a second and has touched nothing since the start.
 *
 * With the option `tour`, whenever the rover has stood at the goal for half a second, the next goal appears on the other
 * side: one episode shows many ways. It then succeeds if at least one goal was reached.
 * Throws what {@link Physics.load} throws.
 */
export async function createRoverTask(options: z.output<typeof roverOptions>): Promise<Task> {
  return new RoverTask(await Physics.load(roverModel(roverLayout)), options);
}

class RoverTask implements Task {
  readonly name = 'rover';
  readonly observationSpace: BoxSpace = { kind: 'box', dimensions: roverDimensions };
  readonly actionSpace: BoxSpace = { kind: 'box', dimensions: roverActions };
  readonly stepSeconds: number;
  readonly maxSteps: number;
  readonly #physics: Physics;
  readonly #blockedShare: number;
  readonly #tour: boolean;
  readonly #base: number;
  readonly #bumper: number;
  readonly #left: number;
  readonly #right: number;
  readonly #beams = new Float64Array(3 * BEAMS);
  readonly #ranges = new Float32Array(BEAMS);
  #goal: readonly [number, number] = [0, 0];
  #seed = 0;
  /** Goals reached so far, and steps stood at the present one. */
  #reached = 0;
  #stood = 0;
  #step = 0;
  #collided = false;

  constructor(physics: Physics, { tour, blockedShare, maxSteps }: z.output<typeof roverOptions>) {
    this.#physics = physics;
    this.maxSteps = maxSteps ?? (tour ? 600 : 150);
    this.#blockedShare = blockedShare;
    this.#tour = tour;
    this.stepSeconds = physics.timestep * SUBSTEPS;
    this.#base = physics.body('base_link');
    this.#bumper = physics.sensor('bumper').address;
    this.#left = physics.actuator('wheel_left');
    this.#right = physics.actuator('wheel_right');
    this.reset(0);
  }

  reset(seed: number): Float64Array {
    checkSeed(seed);
    const { start, yaw, goal } = drawRoverScene(seed, this.#blockedShare);
    this.#physics.reset();
    this.#physics.qpos.set([...start, roverBase.axleHeight, Math.cos(yaw / 2), 0, 0, Math.sin(yaw / 2)]);
    this.#physics.forward();
    this.#goal = goal;
    this.#seed = seed;
    this.#reached = 0;
    this.#stood = 0;
    this.#step = 0;
    this.#collided = false;
    return observeRover(this.sense());
  }

  step(action: ArrayLike<number>): StepResult {
    checkAction(this.actionSpace, action);
    const [v, w] = clampTo(roverActions, action);
    const before = this.#goalDistance();
    for (let i = 0; i < SUBSTEPS; i++) {
      this.#drive(v!, w!);
      this.#physics.step();
      if (this.#physics.data('sensordata')[this.#bumper]! > 0) this.#collided = true;
    }
    this.#step += 1;
    const readings = this.sense();
    const distance = this.#goalDistance();
    const { linear, angular } = readings.odometry!;
    const stands = Math.hypot(linear[0], linear[1]) < 0.1 && Math.abs(angular[2]) < 0.3;
    const arrived = distance <= roverLayout.goalRadius && stands;
    const touches = this.#physics.data('sensordata')[this.#bumper]! > 0;
    this.#stood = arrived ? this.#stood + 1 : 0;
    if (this.#stood === STAND_STEPS) {
      this.#reached += 1;
      if (this.#tour) return this.#nextGoal(readings, before - distance);
    }
    return {
      observation: observeRover(readings),
      reward: before - distance + (arrived ? 0.1 : 0) - (touches ? 0.5 : 0),
      terminated: false,
      truncated: this.#step >= this.maxSteps,
      success: this.#reached > 0 && !this.#collided,
    };
  }

  /** The end of a step that reached a tour's goal: the observation already shows the next one. */
  #nextGoal(readings: SensorReadings, progress: number): StepResult {
    this.#stood = 0;
    const random = Random.derive(this.#seed, `rover goal ${this.#reached}`);
    this.#goal = drawGoal(random, this.#goal, this.#goal[0] > 0 ? -1 : 1, this.#blockedShare);
    const shown = { ...readings, poses: { goal_pose: this.#goalPose() } };
    return {
      observation: observeRover(shown),
      reward: progress + 0.1,
      terminated: false,
      truncated: this.#step >= this.maxSteps,
      success: !this.#collided,
    };
  }

  #goalPose(): PoseReading {
    return { position: [...this.#goal, 0], orientation: [0, 0, 0, 1] };
  }

  sense(): SensorReadings {
    const { qpos, qvel } = this.#physics;
    const [w, x, y, z] = [qpos[3]!, qpos[4]!, qpos[5]!, qpos[6]!];
    const rotation = rotationMatrix([x, y, z, w]);
    return {
      odometry: {
        pose: { position: [qpos[0]!, qpos[1]!, qpos[2]!], orientation: [x, y, z, w] },
        // MuJoCo gives a free joint's linear velocity in the world's frame and its angular velocity in the body's.
        linear: rotateBack(rotation, [qvel[0]!, qvel[1]!, qvel[2]!]),
        angular: [qvel[3]!, qvel[4]!, qvel[5]!],
      },
      scan: {
        angleMin: ANGLE_MIN,
        angleIncrement: ANGLE_INCREMENT,
        rangeMin: RANGE_MIN,
        rangeMax: RANGE_MAX,
        ranges: this.#scan(rotation),
      },
      poses: { goal_pose: this.#goalPose() },
    };
  }

  scene(): readonly SceneGeometry[] {
    return [...this.#physics.scene(), goalMarker(this.#goal, roverLayout.goalRadius, 0.005)];
  }

  snapshot(): Float64Array {
    return Float64Array.of(
      ...this.#goal,
      this.#step,
      Number(this.#collided),
      this.#seed,
      this.#reached,
      this.#stood,
      ...this.#physics.getState(),
    );
  }

  restore(state: Float64Array): void {
    checkSnapshot('rover', state, 7 + this.#physics.stateSize);
    this.#physics.setState(state.slice(7));
    this.#goal = [state[0]!, state[1]!];
    this.#step = state[2]!;
    this.#collided = state[3] === 1;
    [this.#seed, this.#reached, this.#stood] = [state[4]!, state[5]!, state[6]!];
  }

  close(): void {
    this.#physics.close();
  }

  /** The base controller: ramps the twist and turns it into wheel speeds (its own state is the wheels' last command). */
  #drive(linear: number, angular: number): void {
    const { ctrl, timestep } = this.#physics;
    const { wheelRadius, halfTrack } = roverBase;
    const [left, right] = [ctrl[this.#left]! * wheelRadius, ctrl[this.#right]! * wheelRadius];
    const v = towards((left + right) / 2, linear, MAX_ACCELERATION[0] * timestep);
    const w = towards((right - left) / (2 * halfTrack), angular, MAX_ACCELERATION[1] * timestep);
    ctrl[this.#left] = (v - w * halfTrack) / wheelRadius;
    ctrl[this.#right] = (v + w * halfTrack) / wheelRadius;
  }

  #scan(rotation: readonly number[]): Float32Array {
    const { qpos } = this.#physics;
    const h = roverBase.lidarHeight;
    const origin = [qpos[0]! + rotation[2]! * h, qpos[1]! + rotation[5]! * h, qpos[2]! + rotation[8]! * h];
    for (let i = 0; i < BEAMS; i++) {
      const cos = Math.cos(ANGLE_MIN + i * ANGLE_INCREMENT);
      const sin = Math.sin(ANGLE_MIN + i * ANGLE_INCREMENT);
      for (let row = 0; row < 3; row++)
        this.#beams[3 * i + row] = rotation[3 * row]! * cos + rotation[3 * row + 1]! * sin;
    }
    this.#physics.castRays(origin, this.#beams, this.#ranges, undefined, { excludeBody: this.#base });
    return this.#ranges.map((range) => (range <= RANGE_MAX ? range : Number.POSITIVE_INFINITY));
  }

  #goalDistance(): number {
    return Math.hypot(this.#goal[0] - this.#physics.qpos[0]!, this.#goal[1] - this.#physics.qpos[1]!);
  }
}

function towards(from: number, to: number, most: number): number {
  return from + Math.min(Math.max(to - from, -most), most);
}
