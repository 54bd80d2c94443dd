import { z } from 'zod';

/** The YAML form of a RobotSpec, field by field. Messages say what is expected; the document adds what was found. */

/** Names that every JavaScript object has already. */
const taken: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));
const name = z
  .string('a name')
  .regex(/^[A-Za-z_][\w.-]{0,63}$/, 'a name of letters, digits, _ . and -, at most 64 characters')
  .refine((text) => !taken.has(text), 'another name: every object of JavaScript has something of this name');
/** JointState names joints by free text: shoulder_pan_joint, left/waist, 'elbow 1'. */
const joint = z
  .string("a joint's name")
  .regex(/^[^\p{Cc}]{1,128}$/u, "a joint's name as its messages have it, at most 128 characters");
const topic = z
  .string('a topic')
  .regex(/^(\/[A-Za-z_]\w*)+$/, "a topic's full name, as /joint_states")
  .refine((text) => !text.includes('__') && text.length <= 200, "a topic's name without __, at most 200 characters");
const frame = z
  .string("a frame's name")
  .regex(/^[^\s\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]{1,128}$/u, "a frame's name, without spaces");
/** YAML's .inf is a number here, which z.number() refuses. */
const number = z
  .custom<number>((value) => typeof value === 'number' && !Number.isNaN(value), 'a number')
  .refine(
    (value) => !Number.isFinite(value) || Number.isFinite(Math.fround(value)),
    'a number, at most 3.4e38 either way',
  );
const perElement = z.union([number, z.array(number)], 'a number, or one for every joint');
const positive = z.custom<number>((value) => typeof value === 'number' && value > 0, 'a number above 0');
/** Milliseconds after which a command counts as lost: what a robot may drive blind. */
const commandTimeout = z.custom<number>(
  (value) => typeof value === 'number' && value >= 1 && value <= 10_000,
  'a number above 0: 1 to 10000 milliseconds, as a robot must stop when commands stay away',
);
const stateTimeout = z.custom<number>(
  (value) => typeof value === 'number' && ((value >= 1 && value <= 1e9) || value === Number.POSITIVE_INFINITY),
  'a number above 0: 1 to 1e9 milliseconds, or .inf for a state that is said once',
);
const unit = z.string("a unit in quotes, as 'm/s'");
const type = z.string('a message type, as sensor_msgs/msg/JointState');

const topicFields = { type, timeout_ms: stateTimeout, frame_id: frame.optional() };

export const stateTopicSchema = z.strictObject(topicFields);
export const commandSchema = z.strictObject({ topic, type, timeout_ms: commandTimeout });
/** The name of one of several commands. The words that one command alone is described with are none. */
export const commandName = name.refine(
  (text) => !['topic', 'type', 'timeout_ms', 'deadman', 'joints'].includes(text),
  'another name: this word describes a command',
);
export const commandsSchema = z.record(commandName, z.unknown(), 'one command, or several, each by its name');
export const deadmanSchema = z.strictObject({
  topic,
  button: z.int("a button's index").min(0, 'at least 0'),
  timeout_ms: commandTimeout.optional(),
});
export const expertSchema = z.strictObject({
  topic,
  type: type.optional(),
  timeout_ms: commandTimeout.optional(),
  deadman: z.unknown().optional(),
  joints: z.record(joint, joint, "the robot's joints with the names that the leader gives them").optional(),
  unitless: z.boolean("true where 1 is the joint's largest speed").optional(),
});

const pixels = z.int('a whole number of pixels').min(1, 'at least 1 pixel');
const corner = z.int('a whole number of pixels').min(0, 'at least 0');

/** How many control periods of a feature are observed, the present one among them. */
const steps = z.int('a whole number of control periods').min(1, 'at least 1').max(64, 'at most 64').optional();
const limits = { low: number.optional(), high: number.optional(), steps };
/** The unit of a pose's part or a range follows from what it is; where it is written, it must be that. */
const implied = { unit: unit.optional(), ...limits };

/** The forms of one entry of `observation`, each known by the field it is named after. */
export const featureForms = {
  field: z.strictObject({ name, topic, field: z.string('a path into the message'), unit, ...limits }),
  joints: z.strictObject({
    topic,
    joints: z.array(joint, 'a list of joint names').min(1, 'at least one joint'),
    quantity: z.enum(['position', 'velocity', 'effort'], 'position, velocity or effort'),
    names: z.array(name, 'a list of feature names').optional(),
    from: z.literal('position', 'position: velocities are computed from positions').optional(),
    unit: z.union([unit, z.array(unit)], 'a unit in quotes, or one for every joint'),
    low: perElement.optional(),
    high: perElement.optional(),
    steps,
  }),
  sectors: z.strictObject({
    name,
    topic,
    sectors: z.int('a whole number of sectors').min(1, 'at least 1 sector').max(1024, 'at most 1024 sectors'),
    ...implied,
  }),
  relative_to: z.strictObject({
    name,
    topic,
    relative_to: topic,
    component: z.enum(
      ['x', 'y', 'z', 'distance', 'planar_distance', 'bearing_sin', 'bearing_cos', 'yaw_sin', 'yaw_cos'],
      'x, y, z, distance, planar_distance, bearing_sin, bearing_cos, yaw_sin or yaw_cos',
    ),
    ...implied,
  }),
  image: z.strictObject({
    name: name.regex(/^[A-Za-z_]\w*$/, 'a name of letters, digits and _'),
    topic,
    image: z.strictObject(
      {
        height: pixels.max(256, 'at most 256: this is what the policy sees, not what the camera sends'),
        width: pixels.max(256, 'at most 256: this is what the policy sees, not what the camera sends'),
        channels: z.union([z.literal(1), z.literal(3)], '1 for grey or depth, 3 for colour'),
      },
      'height, width and channels',
    ),
    crop: z.strictObject({ x: corner, y: corner, width: pixels, height: pixels }, 'x, y, width and height').optional(),
    depth: z.strictObject({ near: positive, far: positive }, 'near and far, in metres').optional(),
    normalise: z.literal('unit', 'unit: bytes are divided by 255').optional(),
  }),
  past_actions: z.strictObject({
    past_actions: z.array(name, 'a list of names of the action').min(1, 'at least one name'),
    steps,
  }),
} as const;
export type FeatureForm = keyof typeof featureForms;

const deltaSchema = z.strictObject({ of: z.string('the name of a feature of observation'), most: positive });
export const actionSchema = z.strictObject({
  name,
  path: z.string('a path into the command message, or a joint').optional(),
  joint: joint.optional(),
  command: z.string('the name of one of the commands').optional(),
  quantity: z.enum(['position', 'velocity', 'effort'], 'position, velocity or effort').optional(),
  unit,
  low: number,
  high: number,
  max_rate: positive.optional(),
  delta: deltaSchema.optional(),
});

export const robotSchema = z.strictObject({
  robot: name,
  description: z
    .string('one sentence')
    .regex(/^[^\p{Cc}\u202a-\u202e\u2066-\u2069]*$/u, 'one sentence, without control characters')
    .max(1000, 'one sentence, at most 1000 characters'),
  task: name.nullable().optional(),
  rate_hz: z.number('a rate in Hz').min(0.1, 'at least 0.1 Hz').max(1000, 'at most 1000 Hz'),
  frame_id: frame,
  state: z.record(topic, z.unknown(), 'topics with type and timeout_ms'),
  observation: z.array(z.unknown(), 'a list of features').min(1, 'at least one feature'),
  command: z.unknown().refine((value) => value !== undefined, 'topic, type and timeout_ms'),
  teleop: z.unknown().refine((value) => value !== undefined, 'topic'),
  action: z.array(z.unknown(), 'a list of action dimensions').min(1, 'at least one dimension'),
  estop_topic: topic,
  stop: z.unknown().refine((value) => value !== undefined, "'zero' or 'hold'"),
});

const stopMode = z.enum(['zero', 'hold'], "'zero' or 'hold'");
export const stopSchema = stopMode;
export const stopsSchema = z.record(commandName, stopMode, "'zero' or 'hold' for each of the commands");

/** Field names of a strict object, for suggestions. */
export function fieldsOf(schema: { readonly shape: Readonly<Record<string, unknown>> }): string[] {
  return Object.keys(schema.shape);
}
