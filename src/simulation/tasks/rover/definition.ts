import type { TaskDefinition } from '../../definition.js';
import { GOAL_TASK } from '../goal-task.js';
import { roverExpert } from './expert.js';
import { roverLayout } from './layout.js';
import { roverActions, roverDimensions } from './observation.js';
import { roverOptions } from './options.js';

export const rover: TaskDefinition<typeof roverOptions> = {
  name: 'rover',
  description: 'A differential-drive robot with a range sensor drives to a goal between obstacles and stops there.',
  options: roverOptions,
  mujoco: true,
  create: async (options) => (await import('./task.js')).createRoverTask(options),
  expert: {
    observationSpace: { kind: 'box', dimensions: roverDimensions },
    actionSpace: { kind: 'box', dimensions: roverActions },
    create: roverExpert,
  },
  preset: {
    hasSuccess: true,
    demonstrations: 5,
    // A demonstration of a minute shows several ways; the policy's own episodes are short, so that it often starts anew.
    demonstrationTask: { tour: true },
    learningTask: { tour: true, maxSteps: 150 },
    steps: 20_000,
    segmentSize: 150,
    updatesPerTransition: 1,
    config: { ...GOAL_TASK, observationNoise: 0.05 },
    cloning: { updates: 5000 },
    evaluationEpisodes: 50,
  },
  topView: roverLayout,
  gazebo: async () => ({ createRobot: (await import('./gazebo.js')).createGazeboRover, close: () => undefined }),
};
