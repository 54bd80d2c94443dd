import { IqLearnError } from '../../../common/index.js';
import { createGazeboArm, createGazeboRover, GazeboTaskNode, gazeboTaskSchema } from '../../../nodes/index.js';
import { ArmKinematics } from '../../../simulation/index.js';
import { managed } from '../executable.js';
import { gazeboWorld } from '../gazebo-world.js';

/** The Gazebo world of a robot (worlds/*.sdf) has the name of its task. */
export const gazeboTask = managed({
  name: 'gazebo_task',
  node: 'simulator',
  summary: 'stands in Gazebo for what the simulator is: episodes, goals, the poses that Gazebo does not give',
  autostart: true,
  schema: () => gazeboTaskSchema,
  async prepare({ context, parameters }) {
    const { task, robot } = context.spec;
    if (task === 'rover')
      return { node: new GazeboTaskNode(context, gazeboWorld(task), createGazeboRover, parameters) };
    if (task === 'arm') {
      const kinematics = await ArmKinematics.load();
      return {
        node: new GazeboTaskNode(context, gazeboWorld(task), (parts) => createGazeboArm(parts, kinematics), parameters),
        release: () => kinematics.close(),
      };
    }
    throw new IqLearnError('NOT_FOUND', `there is no world of ${robot} for Gazebo`, {
      found: `the task '${task ?? 'none'}'`,
      expected: 'rover or arm',
    });
  },
});
