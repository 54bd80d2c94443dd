import { basename } from 'node:path';
import { describeObservation, IqLearnError, sameBlocks } from '../../src/common/index.js';
import { importNpz } from '../../src/demonstrations/index.js';
import type { Episode } from '../../src/learning/index.js';
import type { Environment } from '../../src/simulation/index.js';

export interface Demonstrations {
  readonly episodes: readonly Episode[];
  /** The returns of all episodes of the file, and below them those of the episodes that are learned from. */
  readonly demonstrator: readonly number[];
  readonly used: readonly number[];
}

export interface DemonstrationChoice {
  readonly file: string;
  readonly count: number;
  /** The index of the first episode that is learned from. */
  readonly first: number;
}

/** Reads the episodes of an expert and maps their actions from the task's units to [−1, 1]. Throws CORRUPT_DATA, MISMATCH, INVALID_ARGUMENT. */
export function readDemonstrations(choice: DemonstrationChoice, environment: Environment): Demonstrations {
  const all = importNpz(choice.file);
  const { observation, actionRange } = environment;
  const name = basename(choice.file);
  const wrong = all.find((e) => !sameBlocks(observation, e.observation) || e.actionSize !== actionRange.size);
  if (wrong !== undefined)
    throw new IqLearnError('MISMATCH', `${name} holds demonstrations of another task`, {
      found: `${describeObservation(wrong.observation)} and ${wrong.actionSize} actions`,
      expected: `${describeObservation(observation)} and ${actionRange.size} actions`,
      remedy: 'give the data of this task with --data',
    });
  const returns = all.map(({ rewards }) => {
    if (rewards === null)
      throw new IqLearnError('MISMATCH', `${name} has no rewards`, {
        expected: "the demonstrator's rewards, to hold the learner against (they are not learned from)",
      });
    return rewards.reduce((sum, reward) => sum + reward, 0);
  });
  const chosen = all.slice(choice.first, choice.first + choice.count);
  if (choice.count < 1 || chosen.length < choice.count)
    throw new IqLearnError('INVALID_ARGUMENT', 'there are not so many demonstrations', {
      found: `${choice.count} wanted from index ${choice.first}`,
      expected: `within the ${all.length} of ${name}`,
    });
  const episodes = chosen.map(
    ({ length, observations, actions, terminated }): Episode => ({
      length,
      observations,
      actions: actionRange.normalise(actions),
      terminated,
    }),
  );
  return {
    episodes,
    demonstrator: returns,
    used: returns.slice(choice.first, choice.first + choice.count),
  };
}
