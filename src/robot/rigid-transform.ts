import type { Pose } from './kinds/message-kind.js';

/** How a frame lies in its parent: a rotation (unit quaternion x, y, z, w) and a translation in metres. */
export interface RigidTransform {
  readonly translation: readonly [x: number, y: number, z: number];
  readonly rotation: readonly [x: number, y: number, z: number, w: number];
}

type Vector = RigidTransform['translation'];
type Quaternion = RigidTransform['rotation'];

export const identity: RigidTransform = { translation: [0, 0, 0], rotation: [0, 0, 0, 1] };

function times([ax, ay, az, aw]: Quaternion, [bx, by, bz, bw]: Quaternion): Quaternion {
  return [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
}

/** The vector turned by the quaternion: v + 2 q × (q × v + w v). */
function turned([qx, qy, qz, qw]: Quaternion, [x, y, z]: Vector): Vector {
  const cx = qy * z - qz * y + qw * x;
  const cy = qz * x - qx * z + qw * y;
  const cz = qx * y - qy * x + qw * z;
  return [x + 2 * (qy * cz - qz * cy), y + 2 * (qz * cx - qx * cz), z + 2 * (qx * cy - qy * cx)];
}

/** `a` after `b`: where b gives c in b's frame, and a gives b's frame in a's, this gives c in a's. */
export function compose(a: RigidTransform, b: RigidTransform): RigidTransform {
  const [x, y, z] = turned(a.rotation, b.translation);
  const [ax, ay, az] = a.translation;
  return { translation: [ax + x, ay + y, az + z], rotation: times(a.rotation, b.rotation) };
}

export function inverse({ translation: [x, y, z], rotation: [qx, qy, qz, qw] }: RigidTransform): RigidTransform {
  const back: Quaternion = [-qx, -qy, -qz, qw];
  return { translation: turned(back, [-x, -y, -z]), rotation: back };
}

/** Between two transforms, at a share of the way from `a` to `b`: straight, and turning evenly by the shorter way. */
export function interpolate(a: RigidTransform, b: RigidTransform, share: number): RigidTransform {
  const mixed = <Values extends readonly number[]>(from: Values, to: Values, left: number, right: number): Values =>
    from.map((value, i) => left * value + right * to[i]!) as unknown as Values;
  let cos = a.rotation.reduce((sum, value, i) => sum + value * b.rotation[i]!, 0);
  const sign = cos < 0 ? -1 : 1;
  cos = Math.min(1, cos * sign);
  const angle = Math.acos(cos);
  const sin = Math.sin(angle);
  // For nearly equal rotations the straight line is the same, and the quotient below is none.
  const left = sin < 1e-6 ? 1 - share : Math.sin((1 - share) * angle) / sin;
  const right = sin < 1e-6 ? share : Math.sin(share * angle) / sin;
  const rotation = mixed(a.rotation, b.rotation, left, sign * right);
  const length = Math.hypot(...rotation);
  return {
    translation: mixed(a.translation, b.translation, 1 - share, share),
    rotation: rotation.map((value) => value / length) as unknown as Quaternion,
  };
}

/** A pose of the transform's frame, in its parent. An orientation that is none stays none. */
export function transformed(pose: Pose, { translation: [tx, ty, tz], rotation }: RigidTransform): Pose {
  const { position: p, orientation: q } = pose;
  const [x, y, z] = turned(rotation, [p.x, p.y, p.z]);
  const [qx, qy, qz, qw] = times(rotation, [q.x, q.y, q.z, q.w]);
  return { position: { x: x + tx, y: y + ty, z: z + tz }, orientation: { x: qx, y: qy, z: qz, w: qw } };
}
