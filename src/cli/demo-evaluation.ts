import { candidateOf, expertCandidate, type ReportCandidate, randomCandidate } from '../report/index.js';
import type { Candidate, ExpertDriver } from '../sessions/index.js';
import { evaluationSeeds } from '../training/index.js';
import { type Assessment, assess } from './assess.js';
import type { RunFolder } from './run-folder.js';
import type { Session } from './session.js';

/** The report draws the paths from so many of the evaluated starts. */
const DRAWN_STARTS = 12;
/** Starts of the evaluation in the task as it was shown, where that is a longer one. */
const SHOWN_STARTS = 10;

/** The evaluations of all candidates, and those in the task as it was shown, where that is another one. */
interface Assessments {
  readonly all: readonly Assessment[];
  readonly asShown: readonly Assessment[];
}

/** Evaluates the expert, the learned policy, the cloned one and chance from the same starts, which nothing has seen. */
export async function evaluateAll(
  session: Session,
  episodes: number | undefined,
  folder: RunFolder,
  driver: ExpertDriver,
  learned: ReportCandidate,
): Promise<Assessments> {
  const { seed } = session;
  const { demonstrationTask: task, evaluationEpisodes } = session.settings;
  const seeds = evaluationSeeds(seed, episodes ?? evaluationEpisodes);
  const traces = Math.min(DRAWN_STARTS, seeds.length);
  const who: readonly (readonly [ReportCandidate, Candidate])[] = [
    [expertCandidate, { kind: 'driver', driver }],
    [learned, { kind: 'policy', bundle: folder.file('policy') }],
    [candidateOf('cloning'), { kind: 'policy', bundle: folder.file('behavioural-cloning') }],
  ];
  const all: Assessment[] = [];
  for (const each of who) all.push(await assess(session, ...each, seeds, { traces }));
  all.push(await assess(session, randomCandidate, { kind: 'random', seed }, seeds));
  const asShown: Assessment[] = [];
  if (task !== undefined)
    for (const each of who) asShown.push(await assess(session, ...each, seeds.slice(0, SHOWN_STARTS), { task }));
  return { all, asShown };
}
