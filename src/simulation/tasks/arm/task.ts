import type { z } from 'zod';
import { Random } from '../../../common/index.js';
import { clampTo, goalMarker } from '../../geometry.js';
import { Physics } from '../../physics/physics.js';
import { checkAction, checkSeed, checkSnapshot } from '../../spaces.js';
import type { BoxSpace, SceneGeometry, SensorReadings, StepResult, Task } from '../../task.js';
import { armJoints, armModel, armTools } from './model.js';
import { armActions, armDimensions, observeArm } from './observation.js';
import type { armOptions } from './options.js';
import { drawArmScene } from './scene.js';
import { ArmServo } from './servo.js';

/** How near the goal the puck's centre counts as there, metres. */
export const armGoalRadius = 0.045;

const SUBSTEPS = 20;
/** Below this the puck lies still, m/s. */
const STILL = 0.02;
/** Control steps the puck has to lie at a tour's goal for the next push to begin. */
const LAIN_STEPS = 10;
const JOINTS = armJoints.length;

/**
 * A 7-DoF arm that pushes a puck over a table into a zone.
 *
 * The action is the tool's planar velocity, as a twist for MoveIt Servo; a resolved-rate servo turns it into joint
 * targets at every physics step. Episodes have a fixed length, because the puck has to stay where it was pushed. The
 * state counts as success when the puck lies still within {@link armGoalRadius} of the goal.
 *
 * With the option `tour`, whenever the puck has lain at the goal for a second, the scene is set up anew as a person
 * would (puck laid back, arm back home, another goal): one episode shows many pushes. It then succeeds if at least one
 * puck was pushed home. Throws what {@link Physics.load} throws.
 */
export async function createArmTask(options: z.output<typeof armOptions>): Promise<Task> {
  return new ArmTask(await Physics.load(armModel()), options);
}

class ArmTask implements Task {
  readonly name = 'arm';
  readonly observationSpace: BoxSpace = { kind: 'box', dimensions: armDimensions };
  readonly actionSpace: BoxSpace = { kind: 'box', dimensions: armActions };
  readonly stepSeconds: number;
  readonly maxSteps: number;
  readonly #physics: Physics;
  readonly #servo: ArmServo;
  readonly #puck: { readonly qpos: number; readonly qvel: number };
  #goal: readonly [number, number] = [0, 0];
  readonly #tour: boolean;
  #seed = 0;
  /** Pushes done so far, and steps the puck has lain at the present goal. */
  #reached = 0;
  #lain = 0;
  #step = 0;

  constructor(physics: Physics, { tour, maxSteps }: z.output<typeof armOptions>) {
    this.#physics = physics;
    this.#servo = new ArmServo(physics);
    this.#puck = physics.joint('puck');
    this.maxSteps = maxSteps ?? (tour ? 600 : 120);
    this.#tour = tour;
    this.stepSeconds = physics.timestep * SUBSTEPS;
    this.reset(0);
  }

  reset(seed: number): Float64Array {
    checkSeed(seed);
    const random = Random.derive(seed, 'arm');
    this.#physics.reset();
    this.#setUp(random);
    this.#seed = seed;
    this.#reached = 0;
    this.#lain = 0;
    this.#step = 0;
    return observeArm(this.sense());
  }

  /** Draws a goal, lays the puck down between arm and goal and brings the arm home. */
  #setUp(random: Random): void {
    const { goal, puck, puckYaw, tool } = drawArmScene(random);
    this.#goal = goal;
    this.#physics.qpos.set(
      [...puck, armTools.puckHalfHeight, Math.cos(puckYaw / 2), 0, 0, Math.sin(puckYaw / 2)],
      this.#puck.qpos,
    );
    this.#physics.qvel.fill(0);
    this.#servo.place(...tool);
  }

  step(action: ArrayLike<number>): StepResult {
    checkAction(this.actionSpace, action);
    const [vx, vy] = clampTo(armActions, action);
    const before = this.#remaining();
    for (let i = 0; i < SUBSTEPS; i++) {
      this.#servo.drive(vx!, vy!);
      this.#physics.step();
    }
    // What is read now (and after a restore) belongs to this state, not to the one before the last integration.
    this.#physics.forward();
    this.#step += 1;
    const after = this.#remaining();
    const { qvel } = this.#physics;
    const speed = Math.hypot(qvel[this.#puck.qvel]!, qvel[this.#puck.qvel + 1]!);
    const there = after.goal <= armGoalRadius && speed < STILL;
    this.#lain = there ? this.#lain + 1 : 0;
    if (this.#tour && this.#lain === LAIN_STEPS) {
      this.#lain = 0;
      this.#reached += 1;
      this.#setUp(Random.derive(this.#seed, `arm push ${this.#reached}`));
    }
    return {
      observation: observeArm(this.sense()),
      reward: 10 * (before.goal - after.goal) + 2 * (before.tool - after.tool) + (there ? 0.1 : 0),
      terminated: false,
      truncated: this.#step >= this.maxSteps,
      success: there || this.#reached > 0,
    };
  }

  sense(): SensorReadings {
    const { qpos, qvel } = this.#physics;
    const p = this.#puck.qpos;
    return {
      joints: {
        names: armJoints,
        position: qpos.slice(0, JOINTS),
        velocity: qvel.slice(0, JOINTS),
        effort: this.#physics.data('actuator_force').slice(0, JOINTS),
      },
      poses: {
        tool_pose: this.#servo.toolPose(),
        // A tracker cannot tell how a round puck is turned: it reports none.
        object_pose: { position: [qpos[p]!, qpos[p + 1]!, qpos[p + 2]!], orientation: [0, 0, 0, 1] },
        goal_pose: { position: [...this.#goal, 0], orientation: [0, 0, 0, 1] },
      },
    };
  }

  scene(): readonly SceneGeometry[] {
    return [...this.#physics.scene(), goalMarker(this.#goal, armGoalRadius, 0.001)];
  }

  snapshot(): Float64Array {
    return Float64Array.of(
      ...this.#goal,
      this.#step,
      this.#seed,
      this.#reached,
      this.#lain,
      ...this.#servo.reference,
      ...this.#physics.getState(),
    );
  }

  restore(state: Float64Array): void {
    const own = 6 + JOINTS;
    checkSnapshot('arm', state, own + this.#physics.stateSize);
    this.#physics.setState(state.slice(own));
    this.#goal = [state[0]!, state[1]!];
    this.#step = state[2]!;
    [this.#seed, this.#reached, this.#lain] = [state[3]!, state[4]!, state[5]!];
    this.#servo.reference.set(state.subarray(6, own));
  }

  close(): void {
    this.#physics.close();
  }

  /** Metres still to go: puck to goal, and tool to puck. */
  #remaining(): { readonly goal: number; readonly tool: number } {
    const { qpos } = this.#physics;
    const [x, y] = [qpos[this.#puck.qpos]!, qpos[this.#puck.qpos + 1]!];
    const { position } = this.#servo.toolPose();
    return {
      goal: Math.hypot(this.#goal[0] - x, this.#goal[1] - y),
      tool: Math.hypot(position[0] - x, position[1] - y),
    };
  }
}
