import { yawOf } from '../common/index.js';
/** Whether a quaternion has length 1, to the precision that a sensor's float32 leaves. */
export function isUnitQuaternion(x: number, y: number, z: number, w: number): boolean {
  return Math.abs(x * x + y * y + z * z + w * w - 1) < 1e-2;
}

/** One pose in the frame of another; `RelativeComponent` says what each part means. */
export class RelativePose {
  x = 0;
  y = 0;
  z = 0;
  distance = 0;
  planar_distance = 0;
  bearing_sin = 0;
  bearing_cos = 1;
  yaw_sin = 0;
  yaw_cos = 1;

  /** Both poses are seven numbers (position x, y, z in metres, orientation x, y, z, w) from their offset. */
  update(pose: Float64Array, at: number, reference: Float64Array, from: number): void {
    const dx = pose[at]! - reference[from]!;
    const dy = pose[at + 1]! - reference[from + 1]!;
    const dz = pose[at + 2]! - reference[from + 2]!;
    const qx = reference[from + 3]!;
    const qy = reference[from + 4]!;
    const qz = reference[from + 5]!;
    const qw = reference[from + 6]!;
    // The rows of the reference's rotation, transposed: world → reference.
    this.x = (1 - 2 * (qy * qy + qz * qz)) * dx + 2 * (qx * qy + qw * qz) * dy + 2 * (qx * qz - qw * qy) * dz;
    this.y = 2 * (qx * qy - qw * qz) * dx + (1 - 2 * (qx * qx + qz * qz)) * dy + 2 * (qy * qz + qw * qx) * dz;
    this.z = 2 * (qx * qz + qw * qy) * dx + 2 * (qy * qz - qw * qx) * dy + (1 - 2 * (qx * qx + qy * qy)) * dz;
    this.distance = Math.hypot(dx, dy, dz);
    this.planar_distance = Math.hypot(dx, dy);
    const yaw = yawOf(qx, qy, qz, qw);
    const cos = Math.cos(yaw);
    const sin = Math.sin(yaw);
    const bearing = Math.atan2(-sin * dx + cos * dy, cos * dx + sin * dy);
    this.bearing_sin = Math.sin(bearing);
    this.bearing_cos = Math.cos(bearing);
    const turn = yawOf(pose[at + 3]!, pose[at + 4]!, pose[at + 5]!, pose[at + 6]!) - yaw;
    this.yaw_sin = Math.sin(turn);
    this.yaw_cos = Math.cos(turn);
  }
}
