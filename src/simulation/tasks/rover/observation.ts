import { clampTo, yawOf } from '../../geometry.js';
import type { Dimension, SensorReadings } from '../../task.js';

/** Sectors the scan is reduced to. */
export const roverSectors = 11;
/** The range sensor's, radians, centred ahead. */
export const scanFieldOfView = (200 * Math.PI) / 180;

/**
 * What the rover's policy sees, in order; the robot's spec (config/robots/rover.yaml) names the same features.
 *
 * Ranges end at 1 m and the distance too: what is further away changes nothing about how to drive, and a learner that
 * cannot see it needs fewer demonstrations. The base's velocity is left out: it follows the command within two steps,
 * and a learner that sees it copies it instead of looking where it goes ("causal confusion", de Haan et al., 2019).
 */
export const roverDimensions: readonly Dimension[] = [
  { name: 'goal_distance', unit: 'm', low: 0, high: 1 },
  { name: 'goal_bearing_sin', unit: '1', low: -1, high: 1 },
  { name: 'goal_bearing_cos', unit: '1', low: -1, high: 1 },
  ...Array.from({ length: roverSectors }, (_, i) => ({ name: `scan_${i}`, unit: 'm', low: 0, high: 1 })),
];

/** The command: cmd_vel's linear.x and angular.z. */
export const roverActions: readonly Dimension[] = [
  { name: 'linear_velocity', unit: 'm/s', low: -0.2, high: 0.6 },
  { name: 'angular_velocity', unit: 'rad/s', low: -1.8, high: 1.8 },
];

/** The observation that follows from the rover's sensors, as the robot room's features compute it from the messages. */
export function observeRover(readings: SensorReadings): Float64Array {
  const { odometry, scan } = readings;
  const goal = readings.poses?.goal_pose;
  if (odometry === undefined || scan === undefined || goal === undefined)
    throw new RangeError('a rover is observed from odometry, scan and goal_pose');
  const yaw = yawOf(odometry.pose.orientation);
  const dx = goal.position[0] - odometry.pose.position[0];
  const dy = goal.position[1] - odometry.pose.position[1];
  const bearing = Math.atan2(-Math.sin(yaw) * dx + Math.cos(yaw) * dy, Math.cos(yaw) * dx + Math.sin(yaw) * dy);
  const nearest = new Float64Array(roverSectors).fill(scan.rangeMax);
  const last = scan.ranges.length - 1;
  scan.ranges.forEach((range, i) => {
    const sector = Math.min(Math.floor((i * roverSectors) / last), roverSectors - 1);
    if (range < nearest[sector]!) nearest[sector] = range;
  });
  const values = [Math.hypot(dx, dy), Math.sin(bearing), Math.cos(bearing), ...nearest];
  return clampTo(roverDimensions, values);
}
