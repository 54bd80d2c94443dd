import { IqLearnError } from '../../common/index.js';
import type { MessageTypeName } from '../../messages/index.js';
import { messageKind, stateTypes } from '../kinds/registry.js';
import { actionsOf } from './actions.js';
import { commandOf, teleopOf } from './commands.js';
import { featuresOf, jointStates, stateLine } from './features.js';
import { type DraftInputs, is, isSaidOnce, nameOf, type SeenTopic, text } from './topics.js';

/**
 * A first description of a robot, as YAML with comments that say what was guessed and what has to be checked. Throws
 * NOT_FOUND where there is nothing that could command it, or nothing to observe.
 */
export function draftDescription(inputs: DraftInputs): string {
  const command = commandOf(inputs);
  const teleop = teleopOf(inputs.topics, command);
  const states = inputs.topics.filter(
    ({ topic, type }) =>
      stateTypes.includes(type as MessageTypeName) &&
      topic !== command.topic &&
      topic !== teleop?.topic &&
      messageKind(type)?.command?.addresses !== 'paths' &&
      !is(type, 'Joy', 'Bool'),
  );
  if (states.length === 0 && inputs.joints.length > 0) states.push(jointStates(inputs.joints));
  const features = states.flatMap((state) => featuresOf(state, states));
  if (features.length === 0)
    throw new IqLearnError('NOT_FOUND', 'there is nothing to observe', {
      found: inputs.topics.map(({ topic, type }) => `${topic} (${type})`).join(', ') || 'no topic',
      expected: `a topic of ${stateTypes.join(', ')}`,
      remedy: 'record the state of the robot, too',
    });
  const actions = actionsOf(command, inputs.joints);
  const rate = rateOf(command, states);
  // A robot stops where two commands in a row do not come.
  const timeout = Math.max(500, 2000 / rate);
  const isHeld = actions.some((line) => line.includes('unit: rad,') || line.includes('unit: m,'));
  const child = states.find(({ childFrameId }) => childFrameId)?.childFrameId;
  return [
    '# A first description, made by iq-learn describe. Check every line: limits above all, which are the cheapest safety there is.',
    `robot: ${nameOf(inputs.name)}`,
    "description: 'Say in one sentence what it is and what it is to do.'",
    `rate_hz: ${rate} # the control rate, at most that of the slowest state`,
    `frame_id: ${text(child ?? 'base_link')} # of the commands`,
    'state:',
    ...states.map(stateLine),
    'observation: # in this order; leave out what the person did not decide by, and what only echoes the command',
    ...features.map((line) => `  - { ${line} }`),
    `command: { topic: ${command.topic}, type: ${command.type}, timeout_ms: ${timeout} }`,
    teleop === undefined
      ? `teleop: { topic: /teleop${command.topic}, timeout_ms: ${timeout} } # where the person's commands go: none was seen`
      : `teleop: { topic: ${teleop.topic}, type: ${teleop.type}, timeout_ms: ${timeout} }`,
    'action: # max_rate: largest change a second',
    ...actions.map((line) => `  - { ${line}`),
    'estop_topic: /estop # std_msgs/msg/Bool, true is pressed',
    isHeld ? 'stop: hold # the last position' : 'stop: zero',
    '',
  ].join('\n');
}

function rateOf(command: SeenTopic, states: readonly SeenTopic[]): number {
  const slowest = Math.min(...states.filter((state) => !isSaidOnce(state)).map(({ hz }) => hz ?? 20));
  const wanted = Math.min(command.hz ?? 20, slowest);
  return [100, 50, 30, 25, 20, 10, 5, 2].find((rate) => rate <= wanted * 1.05) ?? 1;
}
