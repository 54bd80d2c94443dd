import type { Actor } from '../learning/index.js';
import type { Environment } from '../simulation/index.js';
import { chosenAction, inTaskUnits } from './environment-actions.js';

/** An episode in which a policy was evaluated. */
export interface EvaluatedEpisode {
  readonly return: number;
  readonly length: number;
  readonly terminated: boolean;
}

/** Returns of whole episodes under a policy's deterministic action, seeds from `seed` up. */
export async function evaluateOnTask(
  policy: Pick<Actor, 'act'>,
  environment: Environment,
  options: { readonly episodes: number; readonly seed: number },
): Promise<EvaluatedEpisode[]> {
  const results: EvaluatedEpisode[] = [];
  for (let i = 0; i < options.episodes; i++) {
    let observation = await environment.reset(options.seed + i);
    let total = 0;
    for (let length = 1; ; length++) {
      const action = chosenAction(environment, await policy.act(observation));
      const result = await environment.step(inTaskUnits(environment, action));
      total += result.reward;
      observation = result.observation;
      if (result.terminated || result.truncated) {
        results.push({ return: total, length, terminated: result.terminated });
        break;
      }
    }
  }
  return results;
}
