import type { LearnerSettings } from '../learning/index.js';
import { withSettingsFile } from '../sessions/index.js';
import { oneDemonstration } from '../simulation/index.js';
import { type RunPlan, runPlan } from '../training/index.js';

const STEPS = 200_000;
/** So many first steps take uniformly random actions, as in the SAC paper; in short runs a quarter of them. */
const RANDOM_STEPS = 5000;
/** The settings of the SAC paper, with a learned temperature. */
const EXPERT_SETTINGS = {
  agent: 'sac',
  critics: 2,
  learnTemperature: true,
  temperature: 0.2,
  actorLearningRate: 3e-4,
  temperatureLearningRate: 3e-4,
} as const satisfies LearnerSettings;

/** Where actions are discrete: soft Q-learning. */
const DISCRETE_EXPERT_SETTINGS = { agent: 'soft-q' } as const satisfies LearnerSettings;

/**
 * The course of a run: the command's own settings with a settings file over them, and the steps of the command line over
 * both. `discrete`: whether the environment's actions are.
 */
export function expertPlan(
  { settings: file, steps }: { readonly settings?: string; readonly steps?: number },
  discrete: boolean,
): RunPlan {
  const config: LearnerSettings = discrete ? DISCRETE_EXPERT_SETTINGS : EXPERT_SETTINGS;
  const settings = withSettingsFile({ ...oneDemonstration, steps: STEPS, updatesPerTransition: 1, config }, file);
  const length = steps ?? settings.steps;
  return runPlan({
    ...settings,
    steps: length,
    randomSteps: settings.randomSteps ?? Math.min(RANDOM_STEPS, Math.ceil(length / 4)),
    config: { bufferSize: Math.min(1_000_000, Math.max(length, 1000)), ...settings.config },
  });
}
