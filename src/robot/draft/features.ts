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
