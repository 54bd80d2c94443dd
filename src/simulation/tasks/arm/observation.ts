import { clampTo, rotationMatrix } from '../../geometry.js';
import type { Dimension, SensorReadings } from '../../task.js';

/**
 * What the arm's policy sees, in order; the robot's spec (config/robots/arm.yaml) names the same features.
 *
 * Where the puck is from the tool, and which way it has to go; how far matters only at the end, so that ends at 0.1 m.
 */
export const armDimensions: readonly Dimension[] = [
  { name: 'object_x', unit: 'm', low: -0.5, high: 0.5 },
  { name: 'object_y', unit: 'm', low: -0.5, high: 0.5 },
  { name: 'goal_distance', unit: 'm', low: 0, high: 0.1 },
  { name: 'goal_bearing_sin', unit: '1', low: -1, high: 1 },
  { name: 'goal_bearing_cos', unit: '1', low: -1, high: 1 },
];

/** The command: the tool's planar velocity in the base frame. */
export const armActions: readonly Dimension[] = [
  { name: 'tool_velocity_x', unit: 'm/s', low: -0.2, high: 0.2 },
  { name: 'tool_velocity_y', unit: 'm/s', low: -0.2, high: 0.2 },
];

/** The observation that follows from the arm's sensors, as the robot room's features compute it from the messages. */
export function observeArm(readings: SensorReadings): Float64Array {
  const { tool_pose: tool, object_pose: object, goal_pose: goal } = readings.poses ?? {};
  if (tool === undefined || object === undefined || goal === undefined)
    throw new RangeError('an arm is observed from tool_pose, object_pose and goal_pose');
  const [x, y, z] = [0, 1, 2].map((axis) => object.position[axis]! - tool.position[axis]!) as [number, number, number];
  const r = rotationMatrix(tool.orientation);
  const [gx, gy] = [goal.position[0] - object.position[0], goal.position[1] - object.position[1]];
  // The object's pose has no orientation of its own: its frame is parallel to the base's.
  const bearing = Math.atan2(gy, gx);
  const values = [
    r[0]! * x + r[3]! * y + r[6]! * z,
    r[1]! * x + r[4]! * y + r[7]! * z,
    Math.hypot(gx, gy),
    Math.sin(bearing),
    Math.cos(bearing),
  ];
  return clampTo(armDimensions, values);
}
