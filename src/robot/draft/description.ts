import { IqLearnError } from '../../common/index.js';
import type { MessageTypeName } from '../../messages/index.js';
import { messageKind, stateTypes } from '../kinds/registry.js';
import { actionsOf } from './actions.js';
import { commandsOf, type DraftCommand } from './commands.js';
import { featuresOf, jointStates, stateLine } from './features.js';
import { type DraftInputs, is, isSaidOnce, isSilent, nameOf, type SeenTopic, text } from './topics.js';

/** A first description of a robot, and what has to be said beside it. */
export interface Draft {
  /** YAML with comments that say what was guessed and what has to be checked. */
  readonly text: string;
  /** Topics that are silent or were left out, and what to do, for people. */
  readonly notes: readonly string[];
}

const TO_DO = 'start what publishes it, drive the robot or give it a goal, and describe it again';

/**
 * A first description of a robot. What was silent is in it behind a #: a policy would wait for it for ever. Throws
 * NOT_FOUND where there is nothing that could command it, or nothing to observe.
 */
export function draftDescription(inputs: DraftInputs): Draft {
  const { commands, left } = commandsOf(inputs);
  const others = new Set(
    [...commands.flatMap(({ topic, teleop }) => [topic, teleop]), ...left.map(({ topic }) => topic)].map(
      (seen) => seen?.topic,
    ),
  );
  const offered = inputs.topics.filter((seen) => isState(seen) && !others.has(seen.topic));
  const states = offered.filter((seen) => !isSilent(seen));
  const silent = offered.filter(isSilent);
  if (states.length === 0 && inputs.joints.length > 0) states.push(jointStates(inputs.joints));
  const features = states.flatMap((state) => featuresOf(state, states));
  if (features.length === 0) throw nothingToObserve(inputs.topics);
  const notes = [
    ...silent.map(
      ({ topic, type }) => `${topic} (${type}) is silent: no message came; to do: ${TO_DO}, or leave it out`,
    ),
    ...commands
      .filter(({ topic }) => inputs.topics.some((seen) => seen.topic === topic.topic && isSilent(seen)))
      .map(
        ({ topic }) =>
          `${topic.topic} is silent, so its limits are guesses; to do: drive the robot while it is described`,
      ),
    ...left.map(({ topic: { topic, type }, why }) =>
      why === 'silent'
        ? `${topic} (${type}) may be another command, but is silent; to do: ${TO_DO}, or name all commands: --command`
        : `${topic} (${type}) is no command of the draft: ${why}; to do: name all commands if it is one: --command`,
    ),
  ];
  const child = states.find(({ childFrameId }) => childFrameId)?.childFrameId;
  const rate = rateOf(commands, states);
  const lines = [
    '# A first description, made by iq-learn describe. Check every line: limits above all, which are the cheapest safety there is.',
    ...notes.map((note) => `# NOTE: ${note}`),
    `robot: ${nameOf(inputs.name)}`,
    "description: 'Say in one sentence what it is and what it is to do.'",
    `rate_hz: ${rate} # the control rate, at most that of the slowest state`,
    `frame_id: ${text(child ?? 'base_link')} # of the commands`,
    'state:',
    ...states.map(stateLine),
    ...silent.map((state) => `  #${stateLine(state).slice(1)} # SILENT`),
    'observation: # in this order; leave out what the person did not decide by, and what only echoes the command',
    ...features.map((line) => `  - { ${line} }`),
    ...commandLines(commands, inputs, rate),
    '',
  ];
  return { text: lines.join('\n'), notes };
}

const isState = ({ type }: SeenTopic): boolean =>
  stateTypes.includes(type as MessageTypeName) &&
  messageKind(type)?.command?.addresses !== 'paths' &&
  !is(type, 'Joy', 'Bool');

function nothingToObserve(topics: readonly SeenTopic[]): IqLearnError {
  return new IqLearnError('NOT_FOUND', 'there is nothing to observe', {
    found:
      topics.map((seen) => `${seen.topic} (${seen.type}${isSilent(seen) ? ', silent' : ''})`).join(', ') || 'no topic',
    expected: `messages of ${stateTypes.join(', ')}`,
    remedy: topics.some((seen) => isState(seen) && isSilent(seen))
      ? 'have the silent topics say something: is the robot switched on?'
      : 'record the state of the robot, too',
  });
}

/** From `command` to the end: one command is its own description, several are a map from their names to theirs. */
function commandLines(commands: readonly DraftCommand[], { joints }: DraftInputs, rate: number): string[] {
  // A robot stops where two commands in a row do not come.
  const timeout = Math.max(500, 2000 / rate);
  const isOne = commands.length === 1;
  const under = (head: string, lines: readonly string[], name: (i: number) => string): string[] =>
    isOne ? [`${head}: ${lines[0]!}`] : [`${head}:`, ...lines.map((line, i) => `  ${name(i)}: ${line}`)];
  const name = (i: number): string => commands[i]!.name;
  const actions = commands.map((command) => actionsOf(command, joints));
  // Positions only: a car has a steering angle beside its speed, and a stop of it commands 0.
  const isHeld = actions.map((lines) => lines.every((line) => /unit: (rad|m),/.test(line)));
  const stops = new Set(isHeld);
  const names = actions.flat().map((line) => /^name: (\w+)/.exec(line)![1]);
  const isTwice = new Set(names).size < names.length;
  const owned = (line: string, i: number): string => {
    if (isOne) return line;
    const own = isTwice ? line.replace(/^name: /, `name: ${name(i)}_`) : line;
    return own.replace(/^(name: \w+), /, `$1, command: ${name(i)}, `);
  };
  return [
    ...under(
      'command',
      commands.map(({ topic }) => `{ topic: ${topic.topic}, type: ${topic.type}, timeout_ms: ${timeout} }`),
      name,
    ),
    ...under(
      'teleop',
      commands.map(({ topic, teleop }) =>
        teleop === undefined
          ? `{ topic: /teleop${topic.topic}, timeout_ms: ${timeout} } # where the person's commands go: none was seen`
          : `{ topic: ${teleop.topic}, type: ${teleop.type}, timeout_ms: ${timeout} }`,
      ),
      name,
    ),
    'action: # max_rate: largest change a second',
    ...actions.flatMap((lines, i) => lines.map((line) => `  - { ${owned(line, i)}`)),
    'estop_topic: /estop # std_msgs/msg/Bool, true is pressed',
    stops.size > 1
      ? `stop: { ${isHeld.map((held, i) => `${name(i)}: ${held ? 'hold' : 'zero'}`).join(', ')} } # hold: the last position`
      : isHeld[0]
        ? 'stop: hold # the last position'
        : 'stop: zero',
  ];
}

function rateOf(commands: readonly DraftCommand[], states: readonly SeenTopic[]): number {
  const slowest = Math.min(...states.filter((state) => !isSaidOnce(state)).map(({ hz }) => hz ?? 20));
  const wanted = Math.min(...commands.map(({ topic }) => topic.hz ?? 20), slowest);
  return [100, 50, 30, 25, 20, 10, 5, 2].find((rate) => rate <= wanted * 1.05) ?? 1;
}
