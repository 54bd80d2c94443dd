import { IqLearnError } from '../common/index.js';
import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { LearnerConfig } from '../learning/index.js';
import type { PolicyBundle } from '../policy/index.js';
import { observationOf } from '../robot/index.js';
import {
  CandidateChoice,
  type CandidateStarts,
  candidateVersions,
  learnsFromStatesAlone,
  OccupancyDistance,
} from '../training/index.js';
import type { EpisodeOutcome } from './conductor.js';
import { type EvaluationOptions, evaluate } from './evaluate.js';
import { learningEpisode, tracedEpisode } from './learning-episode.js';
import type { RigOptions } from './rig.js';

/** Which policies of a run are compared with the demonstrations, and what follows from it. */
export interface CandidateSettings {
  /** Keeps them all. */
  readonly folder: string;
  /** Segments from one to the next. */
  readonly everySegments: number;
  /** Options of the simulated task in which they drive: those under which it was shown. Its own defaults if not given. */
  readonly task?: RigOptions['task'];
  readonly starts?: CandidateStarts;
  /** Hears that earlier candidates drive again, because they had driven another task. */
  readonly onAnotherTrial?: (text: string) => void;
  /** Whether the run ends once learning has converged; not if not given. */
  readonly stopWhenConverged?: boolean;
}

/** What the choice among the policies of a robot's run needs to know of it. */
export interface CandidateRun extends Pick<EvaluationOptions, 'spec' | 'logger' | 'signal'> {
  readonly seed: number;
  readonly config: LearnerConfig;
  readonly demonstrations: readonly DemonstrationEpisode[];
  readonly candidates?: CandidateSettings;
}

/** The distance from a robot's demonstrations; of states alone where the run does not look at their actions. */
export function distanceFrom({
  spec,
  config,
  demonstrations,
}: Pick<CandidateRun, 'spec' | 'config' | 'demonstrations'>): OccupancyDistance {
  const shown = demonstrations.map((episode) => learningEpisode(episode, spec));
  return new OccupancyDistance(shown, observationOf(spec), learnsFromStatesAlone(config) ? 0 : spec.action.length);
}

/**
 * The choice of a run that has come to `version`, with that version's candidate where it had one; undefined where it asks
 * for none. Candidates drive a simulated robot of their own, through its nodes. Throws INVALID_ARGUMENT without a step of
 * demonstration, CORRUPT_DATA.
 */
export function robotCandidates(run: CandidateRun, version: number, last?: PolicyBundle): CandidateChoice | undefined {
  const { candidates, config, spec, logger, signal, seed, demonstrations } = run;
  if (candidates === undefined) return undefined;
  const { everySegments, task, ...kept } = candidates;
  const rig = {
    spec,
    ...(task === undefined ? {} : { task }),
    ...(logger === undefined ? {} : { logger }),
    ...(signal === undefined ? {} : { signal }),
  };
  return new CandidateChoice(
    {
      seed,
      ...kept,
      task: { name: spec.task ?? spec.robot, ...(task === undefined ? {} : { options: task }) },
      distance: distanceFrom({ spec, config, demonstrations }),
      drive: async (bundle, seeds) => {
        const outcomes = await evaluate({ ...rig, candidate: { kind: 'policy', bundle }, seeds, traces: true });
        return outcomes.map((outcome) => ({
          episode: tracedEpisode(traceOf(outcome), outcome.terminated, spec),
          return: outcome.return,
        }));
      },
    },
    candidateVersions(version, everySegments),
    last,
  );
}

function traceOf({ trace }: EpisodeOutcome) {
  if (trace !== undefined) return trace;
  throw new IqLearnError('CONFLICT', 'an episode has no trace', { expected: 'an evaluation that keeps them' });
}
