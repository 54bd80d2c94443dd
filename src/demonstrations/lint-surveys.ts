import type { RobotSpec } from '../robot/index.js';
import type { Finding } from './finding.js';
import { lintUnits } from './lint-units.js';
import type { RecordingReport } from './report.js';
import type { FrozenStretch } from './survey-frozen.js';
import type { CommandSurvey, SizeSurvey } from './survey-messages.js';

/** Numbers of a command that are not 0 in more than this share of the messages are meant. */
const MEANT = 0.05;
/** A command that jumps to and fro in more than this share of its messages is not one device's. */
const BY_TURNS = 0.5;
const FEWEST = 20;
const seconds = (value: number): string => value.toFixed(2);
const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Checks what the messages of recordings said beside what was made of them. */
export function lintSurveys(recordings: readonly RecordingReport[], spec: RobotSpec): Finding[] {
  return recordings.flatMap(({ surveyed, path }) => {
    if (surveyed === undefined) return [];
    const { joints, scans, commands, sizes, frozen, hasMarkers } = surveyed;
    const found = [
      ...lintUnits(joints, scans, spec),
      ...commands.flatMap(lintCommands),
      ...sizes.map((size) => lintSize(size, path, hasMarkers)),
      ...lintFrozen(frozen, path, hasMarkers),
    ];
    return found.map((finding) => ({ ...finding, source: path }));
  });
}

function lintCommands({ topic, unread, turns, messages }: CommandSurvey): Finding[] {
  if (messages < FEWEST) return [];
  const out: Finding[] = [];
  const meant = unread.filter(({ count }) => count > MEANT * messages);
  if (meant.length > 0)
    out.push({
      level: 'warn',
      check: 'unread commands',
      source: null,
      found: `${topic} carries ${meant.map(({ path, most }) => `${path} (up to ${short(most)})`).join(', ')}, which no entry of the action has`,
      expected: 'an entry of the action for every number that the robot was commanded by',
      remedy: 'describe it in the action if the robot answers to it: a policy cannot command what is not there',
    });
  if (turns.count > BY_TURNS * messages)
    out.push({
      level: 'warn',
      check: 'commands by turns',
      source: null,
      found: `${turns.name} on ${topic} jumps to and fro in ${turns.count} of ${messages} messages`,
      expected: 'commands of one publisher',
      remedy:
        'stop one of the two, or record and describe the topic behind the multiplexer (ros2 topic info -v names them)',
    });
  return out;
}

/** A picture of another size is made small all the same: stretched, or cropped elsewhere. */
function lintSize(
  { topic, before, after, atSeconds, changes }: SizeSurvey,
  path: string,
  hasMarkers: boolean,
): Finding {
  const at = seconds(atSeconds);
  const again = changes === 1 ? '' : `, the first of ${changes} changes`;
  return {
    level: 'warn',
    check: 'changing size',
    source: null,
    found: `the pictures of ${topic} are ${before} before ${at} s, and then ${after}${again}`,
    expected:
      'one size: a picture of another is stretched, or cropped at another place, and shows the policy something else',
    remedy:
      changes > 1
        ? 'have its driver give one size, or record one camera on the topic (ros2 topic info -v names its publishers)'
        : hasMarkers
          ? `keep the episodes of the size that the robot will have (iq-learn trim ${path}, between two episodes)`
          : `keep the part of the size that the robot will have (iq-learn trim ${path} --to ${at}, or --from ${at})`,
  };
}

/** Stretches in which sensors hung; those of several numbers at one time are told as one. */
function lintFrozen(frozen: readonly FrozenStretch[], path: string, hasMarkers: boolean): Finding[] {
  const [first] = frozen;
  if (first === undefined) return [];
  const texts = frozen.map(
    ({ topic, field, fromSeconds: from, toSeconds: to, messages, changes }) =>
      `${field} of ${topic} from ${seconds(from)} s to ${seconds(to)} s (${seconds(to - from)} s, ${messages} messages; it had changed ${changes} times before)`,
  );
  const more = texts.length > 4 ? ` and ${texts.length - 4} more` : '';
  const [end, begin] = [seconds(first.fromSeconds), seconds(first.toSeconds)];
  return [
    {
      level: 'warn',
      check: 'frozen sensor',
      source: null,
      found: `the same numbers, bit for bit, while the commands moved the robot: ${texts.slice(0, 4).join('; ')}${more}`,
      expected: 'numbers that change as the robot moves: a driver that hangs repeats the last ones with new stamps',
      remedy: hasMarkers
        ? `leave the episode out (iq-learn trim ${path}, --to its beginning and --from its end), unless the robot was held there`
        : `cut it off (iq-learn trim ${path} --to ${end}, or --from ${begin}), unless the robot was held there`,
    },
  ];
}
