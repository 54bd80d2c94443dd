import { IqLearnError } from '../../common/index.js';
import { type DemonstrationEpisode, readDemonstrations } from '../../demonstrations/index.js';
import { type NodeContext, RecordedActions } from '../../nodes/index.js';

export interface ReplayOptions {
  readonly speed: number;
  readonly pace: 'lockstep' | 'realtime';
  readonly source: 'policy' | 'teleop';
}

/** `recordings/monday#3`: the recording and the number of the episode; without a number null. */
function placeOf(text: string): { path: string; number: number | null } {
  const [, path, number] = /^(.*?)(?:#(\d+))?$/.exec(text) as unknown as [string, string, string | undefined];
  return { path, number: number === undefined ? null : Number(number) };
}

const numberOf = ({ source }: DemonstrationEpisode): number => Number(source.slice(source.lastIndexOf('#') + 1));

/**
 * The motion of an episode for the policy node: what the robot was commanded, where that was recorded, else what the person
 * said. Throws INVALID_ARGUMENT where the episode is not named or not there, or was cut by a gap, and what reading throws.
 */
export async function readReplay(
  text: string,
  { spec, logger }: Pick<NodeContext, 'spec' | 'logger'>,
  { speed, pace, source }: ReplayOptions,
): Promise<RecordedActions> {
  if (pace !== 'realtime' || source !== 'policy')
    throw new IqLearnError('INVALID_ARGUMENT', 'a motion is replayed in real time, in the place of a policy', {
      found: `pace ${pace}, source ${source}`,
      expected: 'pace realtime, source policy',
    });
  const { path, number } = placeOf(text);
  const { episodes } = await readDemonstrations([path], spec, { action: 'command' }).catch((error: unknown) => {
    if (error instanceof IqLearnError && (error.code === 'MISMATCH' || error.code === 'CORRUPT_DATA'))
      return readDemonstrations([path], spec, { action: 'teleop' });
    throw error;
  });
  const numbers = [...new Set(episodes.map(numberOf))];
  const wanted = number ?? (numbers.length === 1 ? numbers[0]! : null);
  const parts = episodes.filter((episode) => numberOf(episode) === wanted);
  const [motion] = parts;
  if (motion === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', `no episode of ${path} is chosen`, {
      found: wanted === null ? `${numbers.length} episodes` : `#${wanted}`,
      expected: `one of ${numbers.map((each) => `#${each}`).join(', ')}`,
      remedy: `for example ${path}#${numbers[0]}`,
    });
  if (parts.length > 1)
    throw new IqLearnError('INVALID_ARGUMENT', `episode #${wanted} of ${path} has gaps`, {
      found: `${parts.length} parts of ${parts.map(({ length }) => length).join(', ')} control periods`,
      expected: 'a motion without gaps',
      remedy: 'iq-learn inspect says why; choose another episode',
    });
  const seconds = motion.length / spec.rateHz / speed;
  logger.info(`replays ${motion.source}: ${seconds.toFixed(1)} s at a speed of ${speed}`);
  return new RecordedActions(spec, motion, speed, ({ over, deviations }) =>
    logger.info(over, {
      differs: deviations
        .slice(0, 5)
        .map(
          ({ name, unit, largest, at }) => `${name} by up to ${largest.toPrecision(3)} ${unit} at ${at.toFixed(1)} s`,
        )
        .join(', '),
    }),
  );
}
