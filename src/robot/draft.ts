import { IqLearnError } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';
import { commandTypes, messageKind, stateTypes } from './kinds/registry.js';

/** What is known of a topic of a robot that has no description yet. */
export interface SeenTopic {
  readonly topic: string;
  readonly type: string;
  /** Messages a second; null where it is not known. */
  readonly hz: number | null;
  readonly messages: number;
  /** Of its last message. */
  readonly frameId?: string;
  readonly childFrameId?: string;
  /** Names of joints, and whether their velocities are given. */
  readonly joints?: readonly string[];
  readonly hasVelocities?: boolean;
  /** Smallest and largest value seen of each number, by its path; of a joint by its name. */
  readonly ranges: ReadonlyMap<string, readonly [number, number]>;
}

/** A joint of a URDF that can be commanded. */
export interface JointLimits {
  readonly name: string;
  /** Position, rad or m; infinite for a joint that turns without end. */
  readonly low: number;
  readonly high: number;
  /** Largest velocity, rad/s or m/s; null where it is not said. */
  readonly velocity: number | null;
  readonly unit: 'rad' | 'm';
}

export interface DraftInputs {
  readonly name: string;
  readonly topics: readonly SeenTopic[];
  /** From a URDF; empty without one. */
  readonly joints: readonly JointLimits[];
  /** The command topic, where it is not to be guessed. */
  readonly command?: string;
}

/** A name as descriptions take it. */
const nameOf = (text: string): string =>
  text.replace(/^\/+/, '').replace(/\W+/g, '_').replace(/^(\d)/, '_$1') || 'robot';
const is = (type: string, ...names: string[]): boolean =>
  names.some((name) => type === name || type.endsWith(`/${name}`));
/** Two significant digits, away from 0: a limit that what was seen fits into. */
function outwards(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return 0;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return Number((Math.sign(value) * Math.ceil(Math.abs(value) / step - 1e-9) * step).toPrecision(2));
}
const text = (value: string): string => (/^[\w/.-]+$/.test(value) ? value : JSON.stringify(value));
const list = (values: readonly string[]): string => `[${values.map(text).join(', ')}]`;

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

function isCommand({ type }: SeenTopic): boolean {
  return commandTypes.includes(type as MessageTypeName) && !is(type, 'JointState');
}

const isPersons = ({ topic }: SeenTopic): boolean => /teleop|joy|leader|key|manual/i.test(topic);

function commandOf({ topics, joints, command }: DraftInputs): SeenTopic {
  if (command !== undefined) {
    const named = topics.find(({ topic }) => topic === command);
    if (named !== undefined && isCommand(named)) return named;
    throw new IqLearnError('NOT_FOUND', `${command} cannot be the command`, {
      found: named === undefined ? 'no such topic' : named.type,
      expected: `a topic of ${commandTypes.join(', ')}`,
    });
  }
  const found = topics.filter((topic) => isCommand(topic) && !isPersons(topic)).sort((a, b) => b.messages - a.messages);
  if (found[0] !== undefined) return found[0];
  if (joints.length > 0)
    return {
      topic: '/joint_trajectory_controller/joint_trajectory',
      type: 'trajectory_msgs/msg/JointTrajectory',
      hz: null,
      messages: 0,
      joints: joints.map(({ name }) => name),
      ranges: new Map(),
    };
  throw new IqLearnError('NOT_FOUND', 'no topic commands the robot', {
    found: topics.map(({ topic, type }) => `${topic} (${type})`).join(', ') || 'no topic',
    expected: `one of ${commandTypes.filter((type) => !is(type, 'JointState')).join(', ')}`,
    remedy: 'record the command too, or say which it is: --command /topic',
  });
}

function teleopOf(topics: readonly SeenTopic[], command: SeenTopic): SeenTopic | undefined {
  const family = (type: string): unknown => {
    const kind = messageKind(type)?.command;
    return kind?.addresses === 'paths' ? kind.body : kind?.addresses;
  };
  return topics.find((topic) => topic !== command && isPersons(topic) && family(topic.type) === family(command.type));
}

function jointStates(joints: readonly JointLimits[]): SeenTopic {
  const names = joints.map(({ name }) => name);
  return {
    topic: '/joint_states',
    type: 'sensor_msgs/msg/JointState',
    hz: null,
    messages: 0,
    joints: names,
    hasVelocities: true,
    ranges: new Map(),
  };
}

function rateOf(command: SeenTopic, states: readonly SeenTopic[]): number {
  const slowest = Math.min(...states.filter((state) => !isSaidOnce(state)).map(({ hz }) => hz ?? 20));
  const wanted = Math.min(command.hz ?? 20, slowest);
  return [100, 50, 30, 25, 20, 10, 5, 2].find((rate) => rate <= wanted * 1.05) ?? 1;
}

const isSaidOnce = ({ hz, messages }: SeenTopic): boolean =>
  messages > 0 && (messages < 3 || (hz !== null && hz < 0.2));

function stateLine(state: SeenTopic): string {
  const { topic, type, hz, frameId } = state;
  const timeout = isSaidOnce(state) ? '.inf' : hz === null ? 500 : Math.max(100, Math.ceil(30 / hz) * 100);
  const frame = frameId === undefined || frameId === '' ? '' : `, frame_id: ${text(frameId)}`;
  const rate = isSaidOnce(state) ? ' # said once' : hz === null ? '' : ` # ${hz.toPrecision(3)} Hz`;
  return `  ${topic}: { type: ${type}, timeout_ms: ${timeout}${frame} }${rate}`;
}

function bounds(range: readonly [number, number] | undefined): string {
  if (range === undefined) return '';
  const [low, high] = range.map(outwards) as [number, number];
  return low < high ? `, low: ${low}, high: ${high}` : '';
}

/** The features that a topic offers, as most robots of its kind are observed. */
function featuresOf(state: SeenTopic, states: readonly SeenTopic[]): string[] {
  const { topic, type, ranges } = state;
  const base = nameOf(topic);
  const field = (name: string, path: string, unit: string): string =>
    `name: ${name}, topic: ${topic}, field: ${text(path)}, unit: ${unit}${bounds(ranges.get(path))}`;
  if (is(type, 'JointState')) return jointFeatures(state);
  if (is(type, 'LaserScan')) return [`name: ${base}, topic: ${topic}, sectors: 16, low: 0, high: 5`];
  if (is(type, 'Range')) return [`name: ${base}, topic: ${topic}, sectors: 1`];
  if (is(type, 'Odometry'))
    return [field('speed', 'twist.twist.linear.x', 'm/s'), field('yaw_rate', 'twist.twist.angular.z', 'rad/s')];
  if (is(type, 'Imu')) return [field(`${base}_yaw_rate`, 'angular_velocity.z', 'rad/s')];
  if (is(type, 'PoseStamped')) {
    const odometry = states.find((other) => is(other.type, 'Odometry') && other.frameId === state.frameId);
    if (odometry === undefined)
      return ['x', 'y', 'z'].map((axis) => field(`${base}_${axis}`, `pose.position.${axis}`, 'm'));
    const relative = `topic: ${topic}, relative_to: ${odometry.topic}`;
    return [
      `name: ${base}_distance, ${relative}, component: planar_distance`,
      `name: ${base}_bearing_sin, ${relative}, component: bearing_sin`,
      `name: ${base}_bearing_cos, ${relative}, component: bearing_cos`,
    ];
  }
  if (is(type, 'Float64', 'Float32')) return [field(base, 'data', "'1'")];
  if (is(type, 'WrenchStamped', 'Wrench')) {
    const body = is(type, 'Wrench') ? 'force' : 'wrench.force';
    return ['x', 'y', 'z'].map((axis) => field(`${base}_${axis}`, `${body}.${axis}`, 'N'));
  }
  return [];
}

function jointFeatures({ topic, joints = [], hasVelocities = false }: SeenTopic): string[] {
  if (joints.length === 0) return [];
  const of = (quantity: string, unit: string): string =>
    `topic: ${topic}, joints: ${list(joints)}, quantity: ${quantity}, unit: ${unit}`;
  return [of('position', 'rad'), ...(hasVelocities ? [of('velocity', 'rad/s')] : [])];
}

function actionsOf(command: SeenTopic, joints: readonly JointLimits[]): string[] {
  return messageKind(command.type)?.command?.addresses === 'paths'
    ? twistActions(command)
    : jointActions(command, joints);
}

/** The velocities that were used; forward and turning where none was seen. */
function twistActions({ type, ranges }: SeenTopic): string[] {
  const body = is(type, 'TwistStamped') ? 'twist.' : '';
  const parts = [
    ['linear_velocity', 'linear.x', 'm/s', 0.2, 1],
    ['sideways_velocity', 'linear.y', 'm/s', 0.2, 1],
    ['upward_velocity', 'linear.z', 'm/s', 0.2, 1],
    ['roll_rate', 'angular.x', 'rad/s', 0.5, 4],
    ['pitch_rate', 'angular.y', 'rad/s', 0.5, 4],
    ['angular_velocity', 'angular.z', 'rad/s', 0.5, 4],
  ] as const;
  const used = parts.filter(([, path]) => {
    const range = ranges.get(body + path);
    return range !== undefined && range[1] > range[0];
  });
  const chosen = used.length > 0 ? used : parts.filter(([, path]) => path === 'linear.x' || path === 'angular.z');
  return chosen.map(([name, path, unit, usual, rate]) => {
    const [low, high] = limitsOf(ranges.get(body + path), usual);
    return `name: ${name}, path: ${body}${path}, unit: ${unit}, low: ${low}, high: ${high}, max_rate: ${rate} }${seen(ranges.get(body + path))}`;
  });
}

function limitsOf(range: readonly [number, number] | undefined, usual: number): [number, number] {
  if (range === undefined || range[0] === range[1]) return [-usual, usual];
  return [outwards(range[0]), outwards(range[1])];
}

function seen(range: readonly [number, number] | undefined): string {
  return range === undefined
    ? ' # a guess'
    : ` # ${range[0].toPrecision(3)} … ${range[1].toPrecision(3)} was seen: write the limits of the robot`;
}

function jointActions(command: SeenTopic, described: readonly JointLimits[]): string[] {
  const names = command.joints ?? described.map(({ name }) => name);
  if (names.length === 0)
    throw new IqLearnError('NOT_FOUND', `the joints of ${command.topic} are not known`, {
      found: `${command.type} without names`,
      expected: 'a command that names its joints, or a URDF',
      remedy: 'give the URDF too: --urdf robot.urdf',
    });
  const isVelocity = is(command.type, 'JointJog');
  return names.map((joint) => {
    const limit = described.find(({ name }) => name === joint);
    const range = command.ranges.get(joint);
    const place = `name: ${nameOf(joint)}, joint: ${text(joint)}`;
    if (isVelocity) {
      const largest = limit?.velocity ?? 0.5;
      return `${place}, unit: ${limit?.unit ?? 'rad'}/s, low: ${-largest}, high: ${largest}, max_rate: ${outwards(4 * largest)} }`;
    }
    const unit = limit?.unit ?? 'rad';
    const isLimited = limit !== undefined && Number.isFinite(limit.low) && Number.isFinite(limit.high);
    const [low, high] = isLimited ? [limit.low, limit.high] : limitsOf(range, 3.14);
    const rate = limit?.velocity == null ? 0.5 : Number((limit.velocity / 2).toPrecision(3));
    const source = isLimited ? ' # of the URDF, half of its velocity' : seen(range);
    return `${place}, unit: ${unit}, low: ${low}, high: ${high}, max_rate: ${rate} }${source}`;
  });
}
