import { IqLearnError } from '../common/index.js';
import { onTheRobot, type TrainingSettings, taskDefinition, taskDefinitions } from '../simulation/index.js';

/**
 * The training settings that the robot's task states, or those for learning on the robot itself if it has no simulated
 * task (null).
 * Throws NOT_FOUND with the nearest name for a task that does not exist, and for one that cannot be trained.
 */
export function trainingSettings(task: string | null): TrainingSettings {
  if (task === null) return onTheRobot;
  const { preset } = taskDefinition(task);
  if (preset !== undefined) return preset;
  throw new IqLearnError('NOT_FOUND', `the task ${task} has no training settings`, {
    found: `'${task}'`,
    expected: `one of ${taskDefinitions.flatMap(({ name, preset }) => (preset === undefined ? [] : name)).join(', ')}`,
    remedy: 'state `preset` in the definition of the task; a settings file changes settings that a task has',
  });
}
