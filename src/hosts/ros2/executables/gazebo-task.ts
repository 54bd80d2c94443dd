import { IqLearnError } from '../../../common/index.js';
import { GazeboTaskNode, gazeboTaskSchema } from '../../../nodes/index.js';
import { taskDefinition, taskDefinitions } from '../../../simulation/index.js';
import { managed } from '../executable.js';
import { gazeboWorld } from '../gazebo-world.js';

/** The world of a robot (worlds/*.sdf) has the name of the robot's task. */
export const gazeboTask = managed({
  name: 'gazebo_task',
  node: 'simulator',
  summary: 'does in Gazebo what the simulator does in MuJoCo: episodes, goals, and the poses that Gazebo does not give',
  autostart: true,
  schema: () => gazeboTaskSchema,
  async prepare({ context, parameters }) {
    const { task, robot } = context.spec;
    const player = task === null ? undefined : await taskDefinition(task).gazebo?.();
    if (task === null || player === undefined)
      throw new IqLearnError('NOT_FOUND', `there is no world of ${robot} for Gazebo`, {
        found: `the task '${task ?? 'none'}'`,
        expected: `one of ${taskDefinitions.flatMap(({ name, gazebo }) => (gazebo === undefined ? [] : name)).join(', ')}`,
      });
    return {
      node: new GazeboTaskNode(context, gazeboWorld(task), player.createRobot, parameters),
      release: () => player.close(),
    };
  },
});
