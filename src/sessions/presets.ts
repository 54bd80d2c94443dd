import { IqLearnError } from '../common/index.js';
import { type LearnerConfig, learnerConfig } from '../learning/index.js';
import { oneDemonstration, type TrainingSettings, taskDefinition, taskDefinitions } from '../simulation/index.js';

/**
 * The training settings that the robot's task states, or those for one demonstration if the robot has no
 * task (null).
 * Throws NOT_FOUND with the nearest name for a task that does not exist, and for one that cannot be trained.
 */
export function trainingSettings(task: string | null): TrainingSettings {
  if (task === null) return oneDemonstration;
  const { preset } = taskDefinition(task);
  if (preset !== undefined) return preset;
  throw new IqLearnError('NOT_FOUND', `the task ${task} has no training settings`, {
    found: `'${task}'`,
    expected: `one of ${taskDefinitions.flatMap(({ name, preset }) => (preset === undefined ? [] : name)).join(', ')}`,
  });
}

/** The learner's configuration for a run of so many own steps: falling learning rates reach their floor at its end. */
export function configurationFor(settings: TrainingSettings, steps: number): LearnerConfig {
  const updates = Math.max(1, Math.round(steps * settings.updatesPerTransition));
  return learnerConfig({ decayUpdates: updates, ...settings.config });
}
