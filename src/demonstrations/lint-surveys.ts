import type { RobotSpec } from '../robot/index.js';
import type { Finding } from './finding.js';
import type { JointRange } from './joint-ranges.js';
import { lintUnits } from './lint-units.js';
import type { RecordingReport } from './report.js';
import type { ChangeSurvey } from './survey-changes.js';
import type { FrozenStretch } from './survey-frozen.js';
import type { CommandSurvey, TwistSurvey } from './survey-messages.js';

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
    const { joints, scans, imus, twists, commands, changes, frozen, hasMarkers } = surveyed;
    const found = [
      ...lintUnits(joints, scans, imus, spec),
      ...lintZeros(joints, twists),
      ...commands.flatMap(lintCommands),
      ...changes.map((change) => lintChange(change, path, hasMarkers)),
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

/** A joint or a vehicle that goes farther than this has moved, in radians or metres. */
const MOVED = 0.05;

/** Velocities that a driver does not measure, and fills with zeros. */
function lintZeros(joints: readonly JointRange[], twists: readonly TwistSurvey[]): Finding[] {
  const still = joints.filter(
    ({ quantity, low, high, values, travel }) =>
      quantity === 'velocity' && low === 0 && high === 0 && values >= FEWEST && travel > MOVED,
  );
  const found = [
    ...still.map(({ feature }) => feature),
    ...twists.flatMap(({ topic, moved, messages }) =>
      moved > MOVED && messages >= FEWEST ? [`the twist of ${topic}`] : [],
    ),
  ];
  if (found.length === 0) return [];
  return [
    {
      level: 'warn',
      check: 'zero velocities',
      source: null,
      found: `0 in every message, though the positions change: ${found.join(', ')}`,
      expected: 'measured velocities: the driver fills in zeros for those that it does not know',
      remedy:
        still.length > 0
          ? 'have them computed (from: position at the feature), or leave them out'
          : 'have the driver fill in the twist, or leave it out',
    },
  ];
}

/** What a topic has to keep, for its numbers to mean the same throughout. */
const MEANINGS: Readonly<Record<ChangeSurvey['what'], string>> = {
  'size of the pictures': 'a picture of another size is stretched, or cropped at another place',
  child_frame_id: 'velocities are those of another part of the robot, or along other axes',
  frame_id: 'its numbers are along other axes',
  'field of view': 'its sectors look in other directions',
  'sign of the orientation': 'q and −q are the same rotation, but its numbers jump',
};

/** The numbers of a topic mean another thing after something changed in the middle. */
function lintChange(change: ChangeSurvey, path: string, hasMarkers: boolean): Finding {
  const { topic, what, before, after, atSeconds, changes } = change;
  const at = seconds(atSeconds);
  const again = changes === 1 ? '' : `, the first of ${changes} changes`;
  const part = hasMarkers
    ? `keep the episodes that are as the robot will be (iq-learn trim ${path}, between two episodes)`
    : `keep the part that is as the robot will be (iq-learn trim ${path} --to ${at}, or --from ${at})`;
  const remedy =
    what === 'sign of the orientation'
      ? 'observe the yaw (relative_to … component: yaw_sin, yaw_cos), or have the driver keep the sign'
      : changes > 1
        ? 'have one publisher on the topic, or its driver keep it (ros2 topic info -v names the publishers)'
        : part;
  return {
    level: 'warn',
    check: 'changing topic',
    source: null,
    found: `the ${what} of ${topic} is ${before} before ${at} s, and then ${after}${again}`,
    expected: `one throughout: ${MEANINGS[what]}`,
    remedy,
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
