import { IqLearnError, Random } from '../../common/index.js';
import { Physics } from '../physics.js';
import { checkAction, checkOptionNames, checkSeed, checkSnapshot, maxStepsOf, type TaskOptions } from '../spaces.js';
import type { BoxSpace, SceneGeometry, SensorReadings, StepResult, Task } from '../task.js';
import { clearance, clearanceAlong, roverLayout } from './layout.js';
import { roverBase, roverModel } from './model.js';
import { observeRover, roverActions, roverDimensions, scanFieldOfView } from './observation.js';

const SUBSTEPS = 10;
const BEAMS = 58;
const ANGLE_MIN = -scanFieldOfView / 2;
const ANGLE_INCREMENT = scanFieldOfView / (BEAMS - 1);
const RANGE_MIN = 0.05;
const RANGE_MAX = 4;
/** The base controller's ramps, m/s² and rad/s². */
const MAX_ACCELERATION = [2, 8] as const;

/**
 * A differential drive robot with a range sensor that is to drive to a goal between obstacles and stop there.
 *
 * The action is the twist of cmd_vel; the base controller ramps it and turns it into wheel speeds. Episodes have a
 * fixed length: they end neither at the goal nor on a collision. Success is standing within 0.25 m of the goal
 * without having touched anything since the start.
 *
 * Options: `maxSteps` (150 control steps of 0.1 s) and `blockedShare` (0.8), the share of episodes whose straight way
 * to the goal is blocked. Throws INVALID_ARGUMENT for a wrong option, NOT_FOUND for an unknown one, and what
 * {@link Physics.load} throws.
 */
export async function createRoverTask(options: TaskOptions = {}): Promise<Task> {
  checkOptionNames('rover', options, ['maxSteps', 'blockedShare']);
  const maxSteps = maxStepsOf(options, 150);
  const { blockedShare = 0.8 } = options;
  if (typeof blockedShare !== 'number' || !(blockedShare >= 0 && blockedShare <= 1))
    throw new IqLearnError('INVALID_ARGUMENT', 'the option blockedShare is wrong', {
      found: String(blockedShare),
      expected: 'a number in 0…1',
    });
  return new RoverTask(await Physics.load(roverModel(roverLayout)), maxSteps, blockedShare);
}

class RoverTask implements Task {
  readonly name = 'rover';
  readonly observationSpace: BoxSpace = { kind: 'box', dimensions: roverDimensions };
  readonly actionSpace: BoxSpace = { kind: 'box', dimensions: roverActions };
  readonly stepSeconds: number;
  readonly maxSteps: number;
  readonly #physics: Physics;
  readonly #blockedShare: number;
  readonly #base: number;
  readonly #bumper: number;
  readonly #left: number;
  readonly #right: number;
  readonly #beams = new Float64Array(3 * BEAMS);
  readonly #ranges = new Float32Array(BEAMS);
  #goal: readonly [number, number] = [0, 0];
  #step = 0;
  #collided = false;

  constructor(physics: Physics, maxSteps: number, blockedShare: number) {
    this.#physics = physics;
    this.maxSteps = maxSteps;
    this.#blockedShare = blockedShare;
    this.stepSeconds = physics.timestep * SUBSTEPS;
    this.#base = physics.body('base_link');
    this.#bumper = physics.sensor('bumper').address;
    this.#left = physics.actuator('wheel_left');
    this.#right = physics.actuator('wheel_right');
    this.reset(0);
  }

  reset(seed: number): Float64Array {
    checkSeed(seed);
    const random = Random.derive(seed, 'rover');
    const { start, goal } = drawWay(random, this.#blockedShare);
    const yaw = Math.atan2(goal[1] - start[1], goal[0] - start[0]) + random.uniform(-0.8, 0.8);
    this.#physics.reset();
    this.#physics.qpos.set([...start, roverBase.axleHeight, Math.cos(yaw / 2), 0, 0, Math.sin(yaw / 2)]);
    this.#physics.forward();
    this.#goal = goal;
    this.#step = 0;
    this.#collided = false;
    return observeRover(this.sense());
  }

  step(action: ArrayLike<number>): StepResult {
    checkAction(this.actionSpace, action);
    const [v, w] = roverActions.map(({ low, high }, i) => Math.min(Math.max(action[i]!, low), high));
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
    return {
      observation: observeRover(readings),
      reward: before - distance + (arrived ? 0.1 : 0) - (touches ? 0.5 : 0),
      terminated: false,
      truncated: this.#step >= this.maxSteps,
      success: arrived && !this.#collided,
    };
  }

  sense(): SensorReadings {
    const { qpos, qvel } = this.#physics;
    const [w, x, y, z] = [qpos[3]!, qpos[4]!, qpos[5]!, qpos[6]!];
    const rotation = rotationOf(w, x, y, z);
    return {
      odometry: {
        pose: { position: [qpos[0]!, qpos[1]!, qpos[2]!], orientation: [x, y, z, w] },
        // MuJoCo gives a free joint's linear velocity in the world's frame and its angular velocity in the body's.
        linear: intoBody(rotation, qvel[0]!, qvel[1]!, qvel[2]!),
        angular: [qvel[3]!, qvel[4]!, qvel[5]!],
      },
      scan: {
        angleMin: ANGLE_MIN,
        angleIncrement: ANGLE_INCREMENT,
        rangeMin: RANGE_MIN,
        rangeMax: RANGE_MAX,
        ranges: this.#scan(rotation),
      },
      poses: { goal_pose: { position: [...this.#goal, 0], orientation: [0, 0, 0, 1] } },
    };
  }

  scene(): readonly SceneGeometry[] {
    return [
      ...this.#physics.scene(),
      {
        name: 'goal',
        shape: 'cylinder',
        size: [roverLayout.goalRadius, 0.005, 0],
        rgba: [0.2, 0.7, 0.35, 0.8],
        position: [...this.#goal, 0.005],
        rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      },
    ];
  }

  snapshot(): Float64Array {
    return Float64Array.of(...this.#goal, this.#step, Number(this.#collided), ...this.#physics.getState());
  }

  restore(state: Float64Array): void {
    checkSnapshot('rover', state, 4 + this.#physics.stateSize);
    this.#physics.setState(state.slice(4));
    this.#goal = [state[0]!, state[1]!];
    this.#step = state[2]!;
    this.#collided = state[3] === 1;
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

/** Start and goal in free space, 1.8 to 4.5 m apart; in `blockedShare` of the draws the straight way is blocked. */
function drawWay(
  random: Random,
  blockedShare: number,
): { start: readonly [number, number]; goal: readonly [number, number] } {
  const blocked = random.uniform() < blockedShare;
  const free = (side: -1 | 1, margin: number): readonly [number, number] => {
    for (;;) {
      const point = [side * random.uniform(1.5, 2.1), random.uniform(-1.9, 1.9)] as const;
      if (clearance(...point) >= margin) return point;
    }
  };
  for (;;) {
    const start = free(-1, 0.35);
    const goal = free(1, 0.4);
    if (clearanceAlong(start, goal) < roverLayout.robotRadius === blocked) return { start, goal };
  }
}

function towards(from: number, to: number, most: number): number {
  return from + Math.min(Math.max(to - from, -most), most);
}

/** Row-major rotation matrix of a unit quaternion. */
function rotationOf(w: number, x: number, y: number, z: number): number[] {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  ];
}

function intoBody(r: readonly number[], x: number, y: number, z: number): readonly [number, number, number] {
  return [r[0]! * x + r[3]! * y + r[6]! * z, r[1]! * x + r[4]! * y + r[7]! * z, r[2]! * x + r[5]! * y + r[8]! * z];
}
