import { type Environment, largestIndex } from '../simulation/index.js';

/** An episode in the environment's units, with rewards: what a demonstration is made of. A discrete action is its index. */
export interface DrivenEpisode {
  readonly length: number;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly terminated: boolean;
  readonly rewards: Float32Array;
  readonly return: number;
}

/**
 * Whole episodes of a policy in an environment, with starts of the seeds `seed`, `seed + 1` …; `act` gives an action in
 * the environment's units, or a preference for each discrete one, of which the largest is taken.
 */
export async function driveEpisodes(
  environment: Environment,
  act: (observation: ArrayLike<number>) => ArrayLike<number> | Promise<ArrayLike<number>>,
  { episodes, seed, onEpisode }: { episodes: number; seed: number; onEpisode?: (episode: DrivenEpisode) => void },
): Promise<DrivenEpisode[]> {
  const driven: DrivenEpisode[] = [];
  for (let i = 0; i < episodes; i++) {
    const episode = await driveEpisode(environment, act, seed + i);
    driven.push(episode);
    onEpisode?.(episode);
  }
  return driven;
}

async function driveEpisode(
  environment: Environment,
  act: (observation: ArrayLike<number>) => ArrayLike<number> | Promise<ArrayLike<number>>,
  seed: number,
): Promise<DrivenEpisode> {
  const { observationSize, actionLow, discrete } = environment;
  let observation = await environment.reset(seed);
  const observations = [...Array.from(observation)];
  const [actions, rewards]: [number[], number[]] = [[], []];
  for (;;) {
    const output = await act(observation);
    const index = largestIndex(output);
    actions.push(...(discrete === true ? [index] : Array.from(output)));
    const step = await environment.step(
      discrete === true ? Float64Array.from(actionLow, (_, k) => Number(k === index)) : output,
    );
    observation = step.observation;
    observations.push(...Array.from(observation));
    rewards.push(step.reward);
    if (step.terminated || step.truncated)
      return {
        length: rewards.length,
        observationSize,
        actionSize: discrete === true ? 1 : actionLow.length,
        observations: Float32Array.from(observations),
        actions: Float32Array.from(actions),
        terminated: step.terminated,
        rewards: Float32Array.from(rewards),
        return: rewards.reduce((sum, reward) => sum + reward, 0),
      };
  }
}
