import type { Odometry } from '../../../messages/index.js';
import { qos } from '../../../transport/index.js';
import { type GazeboRobot, type GazeboRobotParts, groundPose } from '../../gazebo.js';
import { roverLayout } from './layout.js';
import { roverBase } from './model.js';
import { drawRoverScene } from './scene.js';

/** Number of control steps for which the rover has to stand at the goal, as in the MuJoCo task. */
const STAND_STEPS = 5;

/**
 * The rover's task in Gazebo, with the starts and goals of the MuJoCo task. The bridge brings odometry and scan; the goal
 * is published here. Collisions are not detected: the rover succeeds by standing at the goal.
 */
export function createGazeboRover({ spec, transport, world, own }: GazeboRobotParts): GazeboRobot {
  let goal: readonly [number, number] = [0, 0];
  let odometry: Odometry | undefined;
  let stood = 0;
  let reached = false;
  for (const { topic, type } of spec.stateTopics)
    if (type === 'nav_msgs/msg/Odometry')
      own(
        transport.subscribe(
          topic,
          type,
          (message) => {
            odometry = message;
          },
          qos.sensor,
        ),
      );
  return {
    maxSteps: 150,
    async reset(seed) {
      const scene = drawRoverScene(seed);
      await world.publish('/model/rover/cmd_vel', 'gz.msgs.Twist', 'linear: {x: 0}');
      await world.place('rover', groundPose(scene.start, roverBase.axleHeight, scene.yaw));
      await world.place('goal', groundPose(scene.goal, 0.003));
      ({ goal } = scene);
      stood = 0;
      reached = false;
    },
    poses: () => ({ goal_pose: groundPose(goal, 0) }),
    judge() {
      if (odometry === undefined) return false;
      const { position } = odometry.pose.pose;
      const { linear, angular } = odometry.twist.twist;
      const stands = Math.hypot(linear.x, linear.y) < 0.1 && Math.abs(angular.z) < 0.3;
      const near = Math.hypot(goal[0] - position.x, goal[1] - position.y) <= roverLayout.goalRadius;
      stood = near && stands ? stood + 1 : 0;
      if (stood >= STAND_STEPS) reached = true;
      return reached;
    },
  };
}
