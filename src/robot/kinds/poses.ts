import type { Pose } from './message-kind.js';
import type { PoseReading } from './sensor-readings.js';

/** [x, y, z] as ROS messages have it. */
export function vectorOf([x, y, z]: PoseReading['position']): { x: number; y: number; z: number } {
  return { x, y, z };
}

/** A reading as ROS messages have it. */
export function poseOf({ position, orientation: [x, y, z, w] }: PoseReading): Pose {
  return { position: vectorOf(position), orientation: { x, y, z, w } };
}
