import type { PolicyResult, ReportCandidate } from '../report/index.js';
import { type Candidate, type EpisodeOutcome, type EvaluationOptions, evaluate } from '../sessions/index.js';
import type { Session } from './session.js';

/** The evaluated episodes of a candidate. The first of them have traces, from which the report draws paths and replays. */
export interface Assessment {
  readonly who: ReportCandidate;
  readonly outcomes: readonly EpisodeOutcome[];
}

/** Lets a candidate drive the robot from each of the starts that `seeds` give; in the task with its own defaults, or with the options `task`. */
export async function assess(
  { io, display, spec, settings, logger }: Session,
  who: ReportCandidate,
  candidate: Candidate,
  seeds: readonly number[],
  { traces = 0, task }: Pick<EvaluationOptions, 'task'> & { readonly traces?: number } = {},
): Promise<Assessment> {
  const returns: number[] = [];
  let successes = 0;
  const outcomes = await evaluate({
    spec,
    ...(task === undefined ? {} : { task }),
    candidate,
    seeds,
    traces,
    logger,
    signal: io.interrupt.signal,
    onEpisode: ({ return: total, success }) => {
      returns.push(total);
      if (success) successes++;
      display.show({
        phase: `evaluating ${who.label}${task === undefined ? '' : ', the task as it was shown'}`,
        done: returns.length,
        total: seeds.length,
        unit: 'episodes',
        return: returns.reduce((sum, value) => sum + value, 0) / returns.length,
        returns,
        ...(settings.hasSuccess && task === undefined ? { success: successes / returns.length } : {}),
      });
    },
  });
  return { who, outcomes };
}

export function resultOf({ who, outcomes }: Assessment): PolicyResult {
  return {
    policy: who.id,
    episodes: outcomes.map(({ trace: _, ...episode }) => episode),
  };
}
