import { IqLearnError } from '../common/index.js';
import type { MessageTypeName, MessageTypes } from '../messages/index.js';
import { wrongLength } from './kinds/command-errors.js';
import type { Carrier } from './kinds/message-kind.js';
import { commandKind, isRelative } from './kinds/registry.js';
import type { ActionFeatureSpec, LeaderJoints, RobotSpec, TopicSpec } from './types.js';

/** Action vectors ⇄ command messages. Vectors are in the order and units of the spec's action. */
export interface ActionMapper {
  readonly type: MessageTypeName;
  /** The command that carries this action; fields that are not part of it are 0. Throws INVALID_ARGUMENT unless the action is finite and of the right length. */
  toMessage(action: ArrayLike<number>, stampNs: bigint, reachSeconds?: number): MessageTypes[MessageTypeName];
  /**
   * The action in a command of this type, not clamped; of a trajectory of several points, what it commands a control
   * period after `sinceSeconds` (default 0: it has just begun). Throws CORRUPT_DATA for NaN or ±Inf, MISMATCH for missing
   * joints or a wrong length.
   */
  fromMessage(message: unknown, sinceSeconds?: number): Float32Array;
  /** For how many seconds a message commands something new: up to the last point of a trajectory, else 0. */
  lasts(message: unknown): number;
  /** A stamp of 0 says that the motion begins now, and one in the past would be refused. */
  readonly startsAtStamp: boolean;
}

/**
 * The mapper for messages of `topic`: the command of a robot that has one (the default), or its teleoperation. Of a robot
 * with several commands each part has its own: see `robotParts`.
 */
export function createActionMapper(spec: RobotSpec, topic: TopicSpec = spec.commands[0]): ActionMapper {
  if (spec.commands.length > 1) throw new RangeError(`${spec.robot} has several commands: map each of its parts`);
  if (isRelative(spec, topic))
    throw new IqLearnError('UNSUPPORTED', `${topic.topic} carries no whole commands`, {
      found: `${topic.type}, by which a person moves ${spec.robot} relative to where it is`,
      expected: 'a topic of positions',
      remedy: 'use the command topic, or teleoperate by sensor_msgs/msg/JointState',
    });
  const carrier = carrierOf(spec, topic);
  const { action } = spec;
  const period = 1 / spec.rateHz;
  const kind = commandKind(topic.type);
  return {
    type: topic.type,
    startsAtStamp: kind.addresses === 'joints' && kind.startsAtStamp === true,
    lasts: (message) => carrier.lasts?.(message) ?? 0,
    toMessage(values, stampNs, reachSeconds = period) {
      if (values.length !== action.length) throw wrongLength('INVALID_ARGUMENT', values.length, spec);
      for (let i = 0; i < action.length; i++)
        if (!Number.isFinite(values[i])) throw notFinite('INVALID_ARGUMENT', action[i]!, values[i]!);
      return carrier.build(values, stampNs, reachSeconds);
    },
    fromMessage(message, sinceSeconds = 0) {
      const out = new Float32Array(action.length);
      carrier.read(message, out, sinceSeconds + period);
      for (let i = 0; i < out.length; i++)
        if (!Number.isFinite(out[i])) throw notFinite('CORRUPT_DATA', action[i]!, out[i]!);
      return out;
    },
  };
}

function notFinite(code: 'INVALID_ARGUMENT' | 'CORRUPT_DATA', feature: ActionFeatureSpec, value: number): IqLearnError {
  return new IqLearnError(code, 'the command is not finite', {
    found: `${feature.name} (${feature.path}) = ${value}`,
    expected: `a number in ${feature.unit}`,
  });
}

/** The robot with the names that a leader arm gives to its joints. */
function ledBy(spec: RobotSpec, joints: LeaderJoints): RobotSpec {
  return {
    ...spec,
    action: spec.action.map((feature) => ({ ...feature, path: joints[feature.path] ?? feature.path })),
  };
}

function carrierOf(spec: RobotSpec, topic: TopicSpec): Carrier {
  const kind = commandKind(topic.type);
  if (kind.addresses === 'joints') return kind.carrier(topic.joints === undefined ? spec : ledBy(spec, topic.joints));
  // The paths of a spec are those of its command; within the body, they are those of every type that has this body.
  const own = commandKind(spec.commands[0].type);
  const skipped = own.addresses === 'paths' ? own.bodyPath.length : 0;
  return kind.carrier(
    spec,
    spec.action.map(({ path }) => path.split('.').slice(skipped)),
  );
}
