import {
  type BlockArray,
  type Observation,
  type ObservationSpec,
  type PerBlock,
  stackObservations,
  throwIfCancelled,
} from '../common/index.js';
import { type Environment, largestIndex } from '../simulation/index.js';
import { oneHot } from './environment-actions.js';
import { EventLoopTurns } from './event-loop-turns.js';

/** An episode in the environment's units, with rewards: what a demonstration is made of. A discrete action is its index. */
export interface DrivenEpisode {
  readonly length: number;
  readonly observation: ObservationSpec;
  readonly actionSize: number;
  /** n + 1 rows of each block. */
  readonly observations: PerBlock<BlockArray>;
  readonly actions: Float32Array;
  readonly terminated: boolean;
  readonly rewards: Float32Array;
  readonly return: number;
}

/** Gives an action in the environment's units, or a preference for each discrete one, of which the largest is taken. */
export type EnvironmentPolicy = (observation: Observation) => ArrayLike<number> | Promise<ArrayLike<number>>;

export interface DriveOptions {
  readonly episodes: number;
  /** Starts have the seeds `seed`, `seed + 1` … */
  readonly seed: number;
  readonly onEpisode?: (episode: DrivenEpisode) => void;
  /** Once it is given, no further step is made. */
  readonly signal?: AbortSignal;
}

/** Whole episodes of a policy in an environment. Rejects with CANCELLED once the signal is given. */
export async function driveEpisodes(
  environment: Environment,
  act: EnvironmentPolicy,
  { episodes, seed, onEpisode, signal }: DriveOptions,
): Promise<DrivenEpisode[]> {
  const turns = new EventLoopTurns();
  const actInTurn: EnvironmentPolicy = async (observation) => {
    await turns.yieldNowAndThen();
    throwIfCancelled(signal);
    return act(observation);
  };
  const driven: DrivenEpisode[] = [];
  for (let i = 0; i < episodes; i++) {
    const episode = await driveEpisode(environment, actInTurn, seed + i);
    driven.push(episode);
    onEpisode?.(episode);
  }
  return driven;
}

async function driveEpisode(environment: Environment, act: EnvironmentPolicy, seed: number): Promise<DrivenEpisode> {
  const { observation: spec, actionRange, discrete } = environment;
  const observations: Observation[] = [await environment.reset(seed)];
  const [actions, rewards]: [number[], number[]] = [[], []];
  for (;;) {
    const output = await act(observations.at(-1)!);
    const index = largestIndex(output);
    actions.push(...(discrete === true ? [index] : Array.from(output)));
    const step = await environment.step(discrete === true ? oneHot(actionRange.size, index) : output);
    observations.push(step.observation);
    rewards.push(step.reward);
    if (step.terminated || step.truncated)
      return {
        length: rewards.length,
        observation: spec,
        actionSize: discrete === true ? 1 : actionRange.size,
        observations: stackObservations(spec, observations),
        actions: Float32Array.from(actions),
        terminated: step.terminated,
        rewards: Float32Array.from(rewards),
        return: rewards.reduce((sum, reward) => sum + reward, 0),
      };
  }
}
