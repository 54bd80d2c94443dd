import { is, isSaidOnce, type JointLimits, list, nameOf, outwards, type SeenTopic, text } from './topics.js';

export function jointStates(joints: readonly JointLimits[]): SeenTopic {
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

export function stateLine(state: SeenTopic): string {
  const { topic, type, hz, frameId } = state;
  const timeout = isSaidOnce(state) ? '.inf' : hz === null ? 500 : Math.max(100, Math.ceil(30 / hz) * 100);
  const frame = frameId === undefined || frameId === '' ? '' : `, frame_id: ${text(frameId)}`;
  const rate = isSaidOnce(state) ? ' # said once' : hz === null ? '' : ` # ${hz.toPrecision(3)} Hz`;
  return `  ${topic}: { type: ${type}, timeout_ms: ${timeout}${frame} }${rate}`;
}

const dirname = (topic: string): string => topic.replace(/[^/]*$/, '');

function bounds(range: readonly [number, number] | undefined): string {
  if (range === undefined) return '';
  const [low, high] = range.map(outwards) as [number, number];
  return low < high ? `, low: ${low}, high: ${high}` : '';
}

/** The features that a topic offers, as most robots of its kind are observed. */
export function featuresOf(state: SeenTopic, states: readonly SeenTopic[]): string[] {
  const { topic, type, ranges } = state;
  const base = nameOf(topic);
  const field = (name: string, path: string, unit: string): string =>
    `name: ${name}, topic: ${topic}, field: ${text(path)}, unit: ${unit}${bounds(ranges.get(path))}`;
  if (is(type, 'JointState')) return jointFeatures(state, states);
  if (is(type, 'LaserScan')) return [`name: ${base}, topic: ${topic}, sectors: 16, low: 0, high: 5`];
  if (is(type, 'Range')) return [`name: ${base}, topic: ${topic}, sectors: 1`];
  if (is(type, 'Odometry')) {
    // A robot often has several: of its wheels, and of a filter.
    const own = states.filter((other) => is(other.type, 'Odometry')).length > 1 ? `${base}_` : '';
    return [
      field(`${own}speed`, 'twist.twist.linear.x', 'm/s'),
      field(`${own}yaw_rate`, 'twist.twist.angular.z', 'rad/s'),
    ];
  }
  if (is(type, 'Imu')) return [field(`${base}_yaw_rate`, 'angular_velocity.z', 'rad/s')];
  if (is(type, 'PoseStamped')) {
    const fitting = states.filter((other) => is(other.type, 'Odometry') && other.frameId === state.frameId);
    // Of two robots in one recording, each has its own.
    const odometry = fitting.find((other) => dirname(other.topic) === dirname(topic)) ?? fitting[0];
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

function jointFeatures(state: SeenTopic, states: readonly SeenTopic[]): string[] {
  const { topic, joints = [], hasVelocities = false } = state;
  if (joints.length === 0) return [];
  const isShared = states.some((other) => other !== state && other.joints?.some((joint) => joints.includes(joint)));
  const of = (quantity: string, unit: string): string => {
    const own = joints.map((joint) => `${nameOf(topic)}_${joint.replace(/\W/g, '_')}_${quantity}`);
    const names = isShared ? `, names: ${list(own)}` : '';
    return `topic: ${topic}, joints: ${list(joints)}${names}, quantity: ${quantity}, unit: ${unit}`;
  };
  return [of('position', 'rad'), ...(hasVelocities ? [of('velocity', 'rad/s')] : [])];
}
