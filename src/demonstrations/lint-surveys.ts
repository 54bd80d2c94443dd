import type { RobotSpec } from '../robot/index.js';
import type { Finding } from './finding.js';
import { lintUnits } from './lint-units.js';
import type { RecordingReport } from './report.js';
import type { CommandSurvey } from './survey-messages.js';

/** Numbers of a command that are not 0 in more than this share of the messages are meant. */
const MEANT = 0.05;
/** A command that jumps to and fro in more than this share of its messages is not one device's. */
const BY_TURNS = 0.5;
const FEWEST = 20;
const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Checks what the messages of recordings said beside what was made of them. */
export function lintSurveys(recordings: readonly RecordingReport[], spec: RobotSpec): Finding[] {
  return recordings.flatMap(({ surveyed, path }) => {
    if (surveyed === undefined) return [];
    const { joints, scans, commands } = surveyed;
    const found = [...lintUnits(joints, scans, spec), ...commands.flatMap(lintCommands)];
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
