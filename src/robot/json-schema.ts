import { z } from 'zod';
import { commandTypes, stateTypes } from './kinds/registry.js';
import {
  actionSchema,
  commandSchema,
  deadmanSchema,
  expertSchema,
  featureForms,
  robotSchema,
  stateTopicSchema,
  stopSchema,
  stopsSchema,
} from './schema.js';
import { units } from './units.js';

/** What an editor shows beside a field. */
const meanings: Readonly<Record<string, string>> = {
  robot: 'The name of the robot: the file is named after it.',
  description: 'One sentence: what it is and what it is to do.',
  task: 'The simulated task of the robot; left out for one that has none.',
  rate_hz: 'Control rate in Hz, 0.1 to 1000.',
  frame_id: 'The frame of the commands; of a state topic, the only frame whose messages are taken.',
  state: 'Topics that are subscribed to, recorded and watched.',
  observation: 'What the policy sees, in this order. Values are clamped to low…high, unbounded where left out.',
  command: 'The topic that commands the robot, or several, each by its name; of an action, the name of its command.',
  teleop: "The topic of the person's commands; of several commands, one for each of their names.",
  action: 'What the policy commands, in this order, with finite limits.',
  estop_topic: 'The emergency stop, std_msgs/msg/Bool: true is pressed.',
  stop: 'zero: velocities and efforts of 0. hold: the last position, for a robot that is commanded by positions. Of several commands: one for all, or one for each name.',
  timeout_ms: 'Older than this is stale, and the robot stops. .inf: a state that is said once and stays true.',
  max_rate: 'Largest change a second, in unit/s; no limit where left out.',
  delta: 'The policy gives the difference from a measured value, not the command itself.',
  of: 'The feature of observation that is the measured value.',
  most: 'The largest difference, either way.',
  low: 'Smallest value.',
  high: 'Largest value.',
  unit: `A unit: ${units.join(' ')}`,
  relative_to: 'The pose (Odometry, PoseStamped) that this pose is seen from.',
  sectors: 'The nearest range in so many sectors of a scan, from right to left.',
  steps:
    'How many control periods are observed, the oldest first: for past_actions those before, else the present and those before it. 1 where left out.',
  past_actions: 'Names of the action whose last commands are observed.',
  image: 'Its size in the observation; the whole picture, or the crop of it, is made that small.',
  crop: "The part of the camera's picture that is looked at, in its pixels from the upper left corner.",
  channels: '1: grey, or depth. 3: red, green, blue.',
  depth: 'The picture is of distances: from near (1) to far (255), in metres; 0 where nothing was measured.',
  normalise: 'unit: the networks get bytes divided by 255.',
  deadman: "A joystick's button that must be held for teleoperation to count.",
  joints: "Names of joints; of teleop: the robot's joints with the names that a leader arm gives them.",
};

const type = z.enum(commandTypes as [string, ...string[]]);
const command = commandSchema.extend({ type });
const teleop = expertSchema.omit({ deadman: true }).extend({ type: type.optional() });
const whole = robotSchema.extend({
  state: z.record(z.string(), stateTopicSchema.extend({ type: z.enum(stateTypes as [string, ...string[]]) })),
  observation: z.array(z.union(Object.values(featureForms))).min(1),
  command: z.union([command, z.record(z.string(), command)]),
  teleop: z.union([
    teleop.extend({ deadman: deadmanSchema.optional() }),
    z.object({ deadman: deadmanSchema.optional() }).catchall(teleop),
  ]),
  stop: z.union([stopSchema, stopsSchema]),
  action: z.array(actionSchema).min(1),
});

/**
 * The JSON schema of a robot's description, for editors: fields, types, choices, meanings. The parser
 * ({@link parseRobotSpec}) stays the judge: it also checks what no schema can say, such as joints against topics.
 */
export function robotJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(whole, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // The parser's own numbers take YAML's .inf, which zod's do not.
      if (zodSchema._zod.def.type === 'custom') jsonSchema.type = 'number';
    },
  });
  return { ...(explained(schema) as object), title: 'A robot of iq_learn' };
}

/** The schema with the meaning of each field, and with patterns that every editor's regular expressions know. */
function explained(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(explained);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'pattern') return [key, String(value).replaceAll('\\p{Cc}', '\\x00-\\x1f\\x7f-\\x9f')];
      if (key !== 'properties') return [key, explained(value)];
      const fields = Object.entries(value as Readonly<Record<string, object>>).map(([name, field]) => {
        const meaning = meanings[name];
        return [name, { ...(explained(field) as object), ...(meaning === undefined ? {} : { description: meaning }) }];
      });
      return [key, Object.fromEntries(fields)];
    }),
  );
}
