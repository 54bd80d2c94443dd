import type { Dimension, PoseReading, SensorReadings } from '../task.js';

/** What the arm's policy sees, in order; the robot's spec (config/robots/arm.yaml) names the same features. */
export const armDimensions: readonly Dimension[] = [
  { name: 'object_distance', unit: 'm', low: 0, high: 0.4 },
  { name: 'object_bearing_sin', unit: '1', low: -1, high: 1 },
  { name: 'object_bearing_cos', unit: '1', low: -1, high: 1 },
  { name: 'goal_distance', unit: 'm', low: 0, high: 0.4 },
  { name: 'goal_bearing_sin', unit: '1', low: -1, high: 1 },
  { name: 'goal_bearing_cos', unit: '1', low: -1, high: 1 },
];

/** The command: the tool's planar velocity in the base frame. */
export const armActions: readonly Dimension[] = [
  { name: 'tool_velocity_x', unit: 'm/s', low: -0.25, high: 0.25 },
  { name: 'tool_velocity_y', unit: 'm/s', low: -0.25, high: 0.25 },
];

/** The observation that follows from the arm's sensors, as the robot room's features compute it from the messages. */
export function observeArm(readings: SensorReadings): Float64Array {
  const { tool_pose: tool, object_pose: object, goal_pose: goal } = readings.poses ?? {};
  if (tool === undefined || object === undefined || goal === undefined)
    throw new RangeError('an arm is observed from tool_pose, object_pose and goal_pose');
  const values = [...polar(object, tool), ...polar(goal, object)];
  return Float64Array.from(values, (value, i) =>
    Math.min(Math.max(value, armDimensions[i]!.low), armDimensions[i]!.high),
  );
}

/** Planar distance and the bearing's sine and cosine of a pose, seen from another. */
function polar(pose: PoseReading, reference: PoseReading): [number, number, number] {
  const [x, y, z, w] = reference.orientation;
  const yaw = Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
  const dx = pose.position[0] - reference.position[0];
  const dy = pose.position[1] - reference.position[1];
  const bearing = Math.atan2(-Math.sin(yaw) * dx + Math.cos(yaw) * dy, Math.cos(yaw) * dx + Math.sin(yaw) * dy);
  return [Math.hypot(dx, dy), Math.sin(bearing), Math.cos(bearing)];
}
