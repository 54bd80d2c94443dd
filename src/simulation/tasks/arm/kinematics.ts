import { Physics } from '../../physics/physics.js';
import type { PoseReading } from '../../task.js';
import { armJoints, armModel } from './model.js';
import { ArmServo } from './servo.js';

/** The arm's geometry and its servo without its dynamics: for an arm that moves elsewhere, in Gazebo. */
export class ArmKinematics {
  readonly #physics: Physics;
  readonly #servo: ArmServo;

  private constructor(physics: Physics) {
    this.#physics = physics;
    this.#servo = new ArmServo(physics);
  }

  /** Throws what {@link Physics.load} throws. */
  static async load(): Promise<ArmKinematics> {
    return new ArmKinematics(await Physics.load(armModel()));
  }

  /** Takes where the joints are: radians, in the order of {@link armJoints}. */
  measure(joints: ArrayLike<number>): void {
    for (let i = 0; i < armJoints.length; i++) this.#physics.qpos[i] = joints[i]!;
    this.#physics.forward();
  }

  /** The tool in the base frame, for the joints measured last. */
  toolPose(): PoseReading {
    return this.#servo.toolPose();
  }

  /** Joint speeds, rad/s, with which the tool moves at (vx, vy), m/s, from the joints measured last. */
  rates(vx: number, vy: number): Float64Array {
    return this.#servo.rates(vx, vy).slice();
  }

  /** Joints, radians, with which the tool stands upright at (x, y), metres; forgets what was measured. */
  place(x: number, y: number): Float64Array {
    this.#servo.place(x, y);
    return this.#servo.reference.slice();
  }

  close(): void {
    this.#physics.close();
  }
}
