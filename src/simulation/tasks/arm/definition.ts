import type { TaskDefinition } from '../../definition.js';
import { GOAL_TASK } from '../goal-task.js';
import { armExpert } from './expert.js';
import { armActions, armDimensions } from './observation.js';
import { armOptions } from './options.js';

export const arm: TaskDefinition<typeof armOptions> = {
  name: 'arm',
  description: 'A 7-DoF arm with a pushing rod pushes a puck over a table to a goal and leaves it there.',
  options: armOptions,
  mujoco: true,
  create: async (options) => (await import('./task.js')).createArmTask(options),
  expert: {
    observationSpace: { kind: 'box', dimensions: armDimensions },
    actionSpace: { kind: 'box', dimensions: armActions },
    create: armExpert,
  },
  preset: {
    hasSuccess: true,
    demonstrations: 5,
    demonstrationTask: { tour: true },
    learningTask: { tour: true, maxSteps: 120 },
    steps: 16_000,
    segmentSize: 120,
    updatesPerTransition: 1,
    config: GOAL_TASK,
    cloning: { updates: 5000 },
    evaluationEpisodes: 50,
  },
  gazebo: async () => {
    const [{ createGazeboArm }, { ArmKinematics }] = await Promise.all([
      import('./gazebo.js'),
      import('./kinematics.js'),
    ]);
    const kinematics = await ArmKinematics.load();
    return { createRobot: (parts) => createGazeboArm(parts, kinematics), close: () => kinematics.close() };
  },
};
