import { ActionRange } from '../common/index.js';
import type { Episode } from '../learning/index.js';
import type { Expert, Task } from '../simulation/index.js';
import { oneHot } from './environment-actions.js';

/** An episode of an expert in a simulated task, as learning takes it, and the sum of its rewards. */
export interface ExpertEpisode extends Episode {
  readonly return: number;
}

/** Whole episodes of an expert, with starts of the seeds `seed`, `seed + 1` …: demonstrations without a recording. */
export function expertEpisodes(
  task: Task,
  expert: Expert,
  { episodes, seed }: { readonly episodes: number; readonly seed: number },
): ExpertEpisode[] {
  return Array.from({ length: episodes }, (_, i) => expertEpisode(task, expert, seed + i));
}

function expertEpisode(task: Task, expert: Expert, seed: number): ExpertEpisode {
  const { actionSpace } = task;
  // Actions in the task's units → [−1, 1] per dimension, or one-hot.
  const range = actionSpace.kind === 'discrete' ? null : ActionRange.of(actionSpace.dimensions);
  const learned = (action: ArrayLike<number>): Float32Array =>
    actionSpace.kind === 'discrete' ? oneHot(actionSpace.n, action[0]!) : range!.normalise(action);
  let observation = task.reset(seed);
  expert.reset(seed);
  const [observations, actions] = [[...observation], [] as number[]];
  let [length, total] = [0, 0];
  for (;;) {
    const action = expert.act(observation);
    const step = task.step(action);
    actions.push(...learned(action));
    observations.push(...step.observation);
    observation = step.observation;
    length++;
    total += step.reward;
    if (step.terminated || step.truncated)
      return {
        length,
        observations: Float32Array.from(observations),
        actions: Float32Array.from(actions),
        terminated: step.terminated,
        return: total,
      };
  }
}
