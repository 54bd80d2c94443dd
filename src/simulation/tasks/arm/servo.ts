import type { Physics } from '../../physics/physics.js';
import { armDrive, armHome, armJoints, armTools } from './model.js';

/** The tool stays within these, metres: where the arm reaches well. */
export const armWorkspace = { x: [0.26, 0.66], y: [-0.3, 0.3] } as const;

/** 1/s: how fast deviations of height and orientation are taken back. */
const HOLD_GAIN = 8;
/** 1/s: how fast the tool comes to rest at the workspace's border. */
const BORDER_GAIN = 10;
/** 1/s: how fast the elbow returns to its home posture. */
const POSTURE_GAIN = 0.5;
/** Squared damping of the least squares: bounds joint speeds near singularities. */
const DAMPING = 1e-4;

const JOINTS = armJoints.length;

/**
 * Resolved-rate control of the tool, as MoveIt Servo's twist commands: a planar tool velocity becomes joint targets by
 * damped least squares, while height and orientation are held and the redundant elbow keeps its posture.
 */
export class ArmServo {
  readonly #physics: Physics;
  readonly #site: number;
  readonly #bodies: readonly number[];
  readonly #jacobian = new Float64Array(6 * JOINTS);
  readonly #twist = new Float64Array(6);
  readonly #rates = new Float64Array(JOINTS);
  readonly #system = new Float64Array(6 * 7);
  /** The joints' reference positions, radians; they run ahead of the arm only by its control error. */
  readonly reference = new Float64Array(JOINTS);

  /** The arm's joints have to be the model's first. */
  constructor(physics: Physics) {
    this.#physics = physics;
    this.#site = physics.site('tool');
    this.#bodies = armJoints.map((_, i) => physics.body(`link${i + 1}`));
  }

  /** The tool's position (metres) and orientation (x, y, z, w), base frame. */
  toolPose(): { position: [number, number, number]; orientation: [number, number, number, number] } {
    const at = this.#physics.data('site_xpos');
    const [p, r] = [3 * this.#site, 9 * this.#site];
    const m = this.#physics.data('site_xmat');
    // The tool never turns far from its upright orientation, so w is never near 0.
    const w = Math.sqrt(Math.max(0, 1 + m[r]! + m[r + 4]! + m[r + 8]!)) / 2;
    return {
      position: [at[p]!, at[p + 1]!, at[p + 2]!],
      orientation: [
        (m[r + 7]! - m[r + 5]!) / (4 * w),
        (m[r + 2]! - m[r + 6]!) / (4 * w),
        (m[r + 3]! - m[r + 1]!) / (4 * w),
        w,
      ],
    };
  }

  /** Sets the joints so that the tool stands upright at (x, y), at rest (inverse kinematics from the home posture). */
  place(x: number, y: number): void {
    const { qpos } = this.#physics;
    const yaw = Math.atan2(y, x);
    armHome.forEach((angle, i) => {
      qpos[i] = angle;
    });
    qpos[0] = yaw;
    qpos[6] = yaw;
    for (let iteration = 0; iteration < 50; iteration++) {
      this.#physics.forward();
      const { position } = this.toolPose();
      this.#twist.set([x - position[0], y - position[1], armTools.tipHeight - position[2], ...this.#tilt()]);
      if (Math.hypot(...this.#twist) < 1e-9) break;
      this.#solve(1e-8, 0);
      for (let i = 0; i < JOINTS; i++) qpos[i] = qpos[i]! + this.#rates[i]!;
    }
    for (let i = 0; i < JOINTS; i++) {
      this.reference[i] = qpos[i]!;
      this.#physics.ctrl[i] = qpos[i]!;
    }
    this.#physics.forward();
  }

  /** Joint speeds, rad/s, with which the tool moves at (vx, vy), m/s in the base frame; valid until the next call. */
  rates(vx: number, vy: number): Float64Array {
    const { position } = this.toolPose();
    const tilt = this.#tilt();
    this.#twist.set([
      bordered(vx, position[0], armWorkspace.x),
      bordered(vy, position[1], armWorkspace.y),
      HOLD_GAIN * (armTools.tipHeight - position[2]),
      HOLD_GAIN * tilt[0],
      HOLD_GAIN * tilt[1],
      HOLD_GAIN * tilt[2],
    ]);
    this.#solve(DAMPING, POSTURE_GAIN);
    return this.#rates;
  }

  /** Sets the drives for one physics step with the tool moving at (vx, vy), m/s in the base frame. */
  drive(vx: number, vy: number): void {
    const { ctrl, timestep } = this.#physics;
    this.rates(vx, vy);
    for (let i = 0; i < JOINTS; i++) {
      this.reference[i] = this.reference[i]! + this.#rates[i]! * timestep;
      // The drives damp the joint's speed itself; this much of it is wanted.
      ctrl[i] = this.reference[i]! + (this.#rates[i]! * armDrive.damping) / armDrive.stiffness;
    }
  }

  /** The rotation vector that would set the tool upright (first order), radians. */
  #tilt(): [number, number, number] {
    const m = this.#physics.data('site_xmat');
    const r = 9 * this.#site;
    return [(m[r + 5]! - m[r + 7]!) / 2, (m[r + 6]! - m[r + 2]!) / 2, (m[r + 1]! - m[r + 3]!) / 2];
  }

  /**
   * Joint rates for `twist` (linear, then angular): q̇ = q̇₀ + Jᵀ(JJᵀ + λI)⁻¹(ẋ − J q̇₀) with q̇₀ towards the home posture
   * (Nakamura and Hanafusa, 1986; Liégeois, 1977).
   */
  #solve(damping: number, postureGain: number): void {
    const J = this.#jacobian;
    const rates = this.#rates;
    this.#fillJacobian();
    for (let k = 0; k < JOINTS; k++) rates[k] = postureGain * (armHome[k]! - this.#physics.qpos[k]!);
    const a = this.#system;
    for (let i = 0; i < 6; i++) {
      let residual = this.#twist[i]!;
      for (let k = 0; k < JOINTS; k++) residual -= J[i * JOINTS + k]! * rates[k]!;
      a[i * 7 + 6] = residual;
      for (let j = 0; j < 6; j++) {
        let sum = i === j ? damping : 0;
        for (let k = 0; k < JOINTS; k++) sum += J[i * JOINTS + k]! * J[j * JOINTS + k]!;
        a[i * 7 + j] = sum;
      }
    }
    // Gaussian elimination; the matrix is symmetric positive definite, so no pivoting.
    for (let c = 0; c < 6; c++)
      for (let r = c + 1; r < 6; r++) {
        const factor = a[r * 7 + c]! / a[c * 7 + c]!;
        for (let k = c; k < 7; k++) a[r * 7 + k] = a[r * 7 + k]! - factor * a[c * 7 + k]!;
      }
    for (let r = 5; r >= 0; r--) {
      let sum = a[r * 7 + 6]!;
      for (let k = r + 1; k < 6; k++) sum -= a[r * 7 + k]! * a[k * 7 + 6]!;
      a[r * 7 + 6] = sum / a[r * 7 + r]!;
      for (let k = 0; k < JOINTS; k++) rates[k] = rates[k]! + J[r * JOINTS + k]! * a[r * 7 + 6]!;
    }
  }

  #fillJacobian(): void {
    const [xpos, xmat, site] = [
      this.#physics.data('xpos'),
      this.#physics.data('xmat'),
      this.#physics.data('site_xpos'),
    ];
    const [sx, sy, sz] = [site[3 * this.#site]!, site[3 * this.#site + 1]!, site[3 * this.#site + 2]!];
    const J = this.#jacobian;
    this.#bodies.forEach((body, k) => {
      // Joints turn about their link's z (odd ones) or y axis through its origin.
      const axis = 9 * body + (k % 2 === 0 ? 2 : 1);
      const [ax, ay, az] = [xmat[axis]!, xmat[axis + 3]!, xmat[axis + 6]!];
      const [rx, ry, rz] = [sx - xpos[3 * body]!, sy - xpos[3 * body + 1]!, sz - xpos[3 * body + 2]!];
      J[k] = ay * rz - az * ry;
      J[JOINTS + k] = az * rx - ax * rz;
      J[2 * JOINTS + k] = ax * ry - ay * rx;
      J[3 * JOINTS + k] = ax;
      J[4 * JOINTS + k] = ay;
      J[5 * JOINTS + k] = az;
    });
  }
}

function bordered(velocity: number, position: number, [low, high]: readonly [number, number]): number {
  return Math.min(Math.max(velocity, BORDER_GAIN * (low - position)), BORDER_GAIN * (high - position));
}
