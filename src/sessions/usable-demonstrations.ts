import {
  type DemonstrationEpisode,
  describeFinding,
  describeLoss,
  lintDemonstrations,
  type ReadOptions,
  readDemonstrations,
  refusePoorDemonstrations,
  summariseRecording,
} from '../demonstrations/index.js';
import type { RobotSpec } from '../robot/index.js';

export interface DemonstrationOptions extends ReadOptions {
  /** Hears one line for each recording of which nothing was left out, and what is only worth knowing. */
  readonly say?: (text: string) => void;
}

/**
 * Demonstrations that can be learned from. `warn` hears one line for each recording of which something was left out,
 * with the reasons, and what is wrong with the demonstrations. Throws what reading throws, CORRUPT_DATA for poor ones.
 */
export async function usableDemonstrations(
  spec: RobotSpec,
  recordings: readonly string[],
  warn: (text: string) => void,
  { say = () => undefined, ...options }: DemonstrationOptions = {},
): Promise<DemonstrationEpisode[]> {
  const { episodes, report } = await readDemonstrations(recordings, spec, options);
  for (const recording of report.recordings)
    (describeLoss(recording).length > 0 ? warn : say)(summariseRecording(recording));
  const findings = lintDemonstrations(episodes, spec, report);
  refusePoorDemonstrations(findings);
  for (const finding of findings)
    (finding.level === 'note' ? say : warn)(describeFinding(finding).replace(/^warn: /, ''));
  return episodes;
}
