import { basename } from 'node:path';
import { IqLearnError } from '../../src/common/index.js';
import { importNpz } from '../../src/demonstrations/index.js';
import type { Episode } from '../../src/learning/index.js';
import type { Environment } from '../../src/simulation/index.js';
import { npzEpisodes } from '../../src/training/index.js';

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

/**
 * Reads the episodes of an expert, with their actions as the learner takes them. Throws what `npzEpisodes` throws,
 * MISMATCH where the file has no rewards, and INVALID_ARGUMENT where it has too few episodes.
 */
export function readDemonstrations(choice: DemonstrationChoice, environment: Environment): Demonstrations {
  const { file, first, count } = choice;
  const name = basename(file);
  const all = npzEpisodes(file, environment);
  const demonstrator = importNpz(file).map(({ rewards }) => {
    if (rewards === null)
      throw new IqLearnError('MISMATCH', `${name} has no rewards`, {
        expected: "the demonstrator's rewards, to hold the learner against (they are not learned from)",
      });
    return rewards.reduce((sum, reward) => sum + reward, 0);
  });
  const episodes = all.slice(first, first + count);
  if (count < 1 || episodes.length < count)
    throw new IqLearnError('INVALID_ARGUMENT', 'there are not so many demonstrations', {
      found: `${count} wanted from index ${first}`,
      expected: `within the ${all.length} of ${name}`,
    });
  return { episodes, demonstrator, used: demonstrator.slice(first, first + count) };
}
