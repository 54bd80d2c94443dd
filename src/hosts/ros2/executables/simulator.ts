import { z } from 'zod';
import { IqLearnError } from '../../../common/index.js';
import { SimulatorNode, simulatorSchema } from '../../../nodes/index.js';
import { createTaskClient } from '../../../simulation/index.js';
import { managed } from '../executable.js';

const schema = z.strictObject({
  ...simulatorSchema.shape,
  pace: simulatorSchema.shape.pace.default('realtime'),
  tour: z
    .boolean()
    .default(false)
    .describe('The task goes on with a new goal after each success: for demonstrating and learning.'),
  maxSteps: z.int().min(0).default(0).describe("Steps an episode; 0: the task's own."),
});

export const simulator = managed({
  name: 'simulator',
  summary: 'stands for the robot: MuJoCo, /clock and the state topics',
  autostart: true,
  schema: () => schema,
  async prepare({ context, parameters: { tour, maxSteps, ...parameters } }) {
    const { task, robot } = context.spec;
    if (task === null)
      throw new IqLearnError('NOT_FOUND', `${robot} cannot be simulated`, {
        found: 'a description without a task',
        expected: "the name of a simulated task in 'task'",
        remedy: 'use the real robot or Gazebo, or choose a robot that has a task',
      });
    const options = { ...(tour ? { tour } : {}), ...(maxSteps > 0 ? { maxSteps } : {}) };
    return { node: new SimulatorNode(context, await createTaskClient(task, options), parameters) };
  },
});
