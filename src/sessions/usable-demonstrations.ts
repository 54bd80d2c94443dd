import {
  type DemonstrationEpisode,
  describeFinding,
  lintDemonstrations,
  readDemonstrations,
  refusePoorDemonstrations,
} from '../demonstrations/index.js';
import type { RobotSpec } from '../robot/index.js';

/**
 * Demonstrations that can be learned from; `warn` hears what is wrong with them. Throws what reading throws,
 * CORRUPT_DATA for poor ones.
 */
export async function usableDemonstrations(
  spec: RobotSpec,
  recordings: readonly string[],
  warn: (text: string) => void,
): Promise<DemonstrationEpisode[]> {
  const { episodes, report } = await readDemonstrations(recordings, spec);
  for (const problem of report.recordings.flatMap(({ problems }) => problems)) warn(problem);
  const findings = lintDemonstrations(episodes, spec, report);
  refusePoorDemonstrations(findings);
  for (const finding of findings) warn(describeFinding(finding).replace(/^warn: /, ''));
  return episodes;
}
