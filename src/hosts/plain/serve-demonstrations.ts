import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { IqLearnError, messageOf, parseOrThrow } from '../../common/index.js';
import type { Episode } from '../../learning/index.js';
import { type Logger, readJson, removeFile, writeFileAtomic } from '../../platform/index.js';
import type { RobotSpec } from '../../robot/index.js';
import { learningEpisode, usableDemonstrations } from '../../sessions/index.js';

export interface DemonstrationsParts {
  readonly spec: RobotSpec;
  readonly recordings: readonly string[];
  readonly run: string;
  readonly logger: (node: string) => Logger;
  readonly signal?: AbortSignal;
}

function nothingToLearnFrom(run: string): IqLearnError {
  return new IqLearnError('INVALID_ARGUMENT', 'there is nothing to learn from', {
    found: `no recording, and no checkpoint in ${run}`,
    expected: 'recordings of demonstrations',
    remedy: 'give them with --recording',
  });
}

/** The paths of the recordings that the run began with. Throws CORRUPT_DATA. */
function rememberedIn(file: string): readonly string[] {
  const remedy = 'give the recordings again with --recording';
  const refused = { code: 'CORRUPT_DATA', what: `${file} is damaged`, remedy } as const;
  return parseOrThrow(z.array(z.string()), readJson(file, { remedy }), refused);
}

const remembering = (run: string): string => join(run, 'recordings.json');

/** Forgets what {@link demonstrationsOf} has noted, of a run that ended before there was a checkpoint to go on from. */
export function forgetDemonstrations(run: string): void {
  if (!existsSync(join(run, 'checkpoint'))) removeFile(remembering(run));
}

/** The demonstrations of the run. One that goes on has them in its checkpoint, and needs them for comparing alone. */
export async function demonstrationsOf({
  spec,
  recordings,
  run,
  logger,
  signal,
}: DemonstrationsParts): Promise<readonly Episode[]> {
  const file = remembering(run);
  const goesOn = existsSync(join(run, 'checkpoint'));
  const remembered = recordings.length === 0 && existsSync(file) ? rememberedIn(file) : recordings;
  if (remembered.length === 0) {
    if (goesOn) return [];
    throw nothingToLearnFrom(run);
  }
  const log = logger('learner');
  try {
    const warn = (text: string): void => {
      if (!goesOn) log.warn(text);
    };
    const episodes = await usableDemonstrations(spec, remembered, warn, signal && { signal });
    writeFileAtomic(file, `${JSON.stringify(remembered.map((path) => resolve(path)))}\n`);
    return episodes.map((episode) => learningEpisode(episode, spec));
  } catch (error) {
    if (!goesOn || recordings.length > 0 || signal?.aborted === true) throw error;
    log.warn(`the run's recordings cannot be read any more: ${messageOf(error)}`);
    return [];
  }
}
