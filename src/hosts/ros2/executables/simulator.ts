import { z } from 'zod';
import { IqLearnError } from '../../../common/index.js';
import { SimulatorNode, simulatorSchema } from '../../../nodes/index.js';
import type { RobotSpec } from '../../../robot/index.js';
import { createTaskClient, taskDefinition } from '../../../simulation/index.js';
import { managed } from '../executable.js';

/** The node's own parameters, and those of the robot's task as `task.<option>`. */
function schema({ task }: RobotSpec) {
  return z.strictObject({
    ...simulatorSchema.shape,
    pace: simulatorSchema.shape.pace.default('realtime'),
    task: task === null ? z.strictObject({}) : taskDefinition(task).options,
  });
}

export const simulator = managed({
  name: 'simulator',
  summary: 'stands for the robot: MuJoCo, /clock and the state topics',
  autostart: true,
  schema,
  async prepare({ context, parameters: { task: options, ...parameters } }) {
    const { task, robot } = context.spec;
    if (task === null)
      throw new IqLearnError('NOT_FOUND', `${robot} cannot be simulated`, {
        found: 'a description without a task',
        expected: "the name of a simulated task in 'task'",
        remedy: 'use the real robot or Gazebo, or choose a robot that has a task',
      });
    return { node: new SimulatorNode(context, await createTaskClient(task, options), parameters) };
  },
});
