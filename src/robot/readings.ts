import { IqLearnError } from '../common/index.js';
import { header, type MessageTypeName, type MessageTypes } from '../messages/index.js';
import type { RobotSpec, TopicSpec } from './types.js';

type Vector = readonly [number, number, number];
interface PoseReading {
  readonly position: Vector;
  readonly orientation: readonly [number, number, number, number];
}

/** What a robot's sensors say at one instant: the shape a simulation task's `sense` gives. */
export interface Readings {
  readonly joints?: {
    readonly names: readonly string[];
    readonly position: Float64Array;
    readonly velocity: Float64Array;
    readonly effort: Float64Array;
  };
  readonly odometry?: { readonly pose: PoseReading; readonly linear: Vector; readonly angular: Vector };
  readonly scan?: {
    readonly angleMin: number;
    readonly angleIncrement: number;
    readonly rangeMin: number;
    readonly rangeMax: number;
    readonly ranges: Float32Array;
  };
  /** By topic name without slash. */
  readonly poses?: Readonly<Record<string, PoseReading>>;
}

/** A message with its topic and type. */
export type TopicMessage = {
  [Name in MessageTypeName]: { readonly topic: string; readonly type: Name; readonly message: MessageTypes[Name] };
}[MessageTypeName];

const vector = ([x, y, z]: Vector) => ({ x, y, z });
const poseOf = ({ position, orientation: [x, y, z, w] }: PoseReading) => ({
  position: vector(position),
  orientation: { x, y, z, w },
});
const unknownCovariance = (): Float64Array => new Float64Array(36);

/**
 * The messages of all state topics of a robot, as its driver would publish them at `stampNs` (ROS time).
 * Typed arrays are shared with the readings. Throws MISMATCH when a topic's reading is not there.
 */
export function readingsToMessages(readings: Readings, spec: RobotSpec, stampNs: bigint): TopicMessage[] {
  return spec.stateTopics.map((topic) => messageOf(readings, spec, topic, stampNs));
}

function messageOf(readings: Readings, spec: RobotSpec, state: TopicSpec, stampNs: bigint): TopicMessage {
  const { topic, type } = state;
  const head = header(stampNs, state.frameId ?? spec.frameId);
  const need = <Value>(value: Value | undefined, what: string): Value => {
    if (value === undefined)
      throw new IqLearnError('MISMATCH', `the sensors of ${spec.robot} cannot fill ${topic}`, {
        found: `readings of ${Object.keys(readings).join(', ') || 'nothing'}`,
        expected: what,
        remedy: 'use a task that has this sensor, or remove the topic from the description',
      });
    return value;
  };
  switch (type) {
    case 'sensor_msgs/msg/JointState': {
      const { names, position, velocity, effort } = need(readings.joints, 'joints');
      return { topic, type, message: { header: head, name: [...names], position, velocity, effort } };
    }
    case 'nav_msgs/msg/Odometry': {
      const { pose, linear, angular } = need(readings.odometry, 'odometry');
      return {
        topic,
        type,
        message: {
          header: head,
          child_frame_id: spec.frameId,
          pose: { pose: poseOf(pose), covariance: unknownCovariance() },
          twist: {
            twist: { linear: vector(linear), angular: vector(angular) },
            covariance: unknownCovariance(),
          },
        },
      };
    }
    case 'sensor_msgs/msg/LaserScan': {
      const { angleMin, angleIncrement, rangeMin, rangeMax, ranges } = need(readings.scan, 'a scan');
      return {
        topic,
        type,
        message: {
          header: head,
          angle_min: angleMin,
          angle_max: angleMin + angleIncrement * (ranges.length - 1),
          angle_increment: angleIncrement,
          time_increment: 0,
          scan_time: 1 / spec.rateHz,
          range_min: rangeMin,
          range_max: rangeMax,
          ranges,
          intensities: new Float32Array(0),
        },
      };
    }
    case 'geometry_msgs/msg/PoseStamped': {
      const name = topic.replace(/^.*\//, '');
      return { topic, type, message: { header: head, pose: poseOf(need(readings.poses?.[name], `the pose ${name}`)) } };
    }
    default:
      throw new IqLearnError('UNSUPPORTED', `a simulated ${spec.robot} cannot publish ${topic}`, {
        found: type,
        expected: 'JointState, Odometry, LaserScan or PoseStamped',
        remedy: 'remove the topic from the description, or run without the simulator',
      });
  }
}
