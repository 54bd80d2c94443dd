import { IqLearnError } from '../common/index.js';
import {
  header,
  type JointJog,
  type JointState,
  type JointTrajectory,
  type MessageTypeName,
  type MessageTypes,
  stampOf,
  type Twist,
} from '../messages/index.js';
import { type CommandTypeName, readPath, writePath } from './templates.js';
import type { ActionFeatureSpec, JointQuantity, RobotSpec, TopicSpec } from './types.js';

export type CommandMessage = MessageTypes[CommandTypeName];

/** Action vectors ⇄ command messages. Vectors are in the order and units of the spec's action. */
export interface ActionMapper {
  readonly type: MessageTypeName;
  /** The command that carries this action; fields that are no part of it are 0. Throws INVALID_ARGUMENT unless finite and as long as the action. */
  toMessage(action: ArrayLike<number>, stampNs: bigint): CommandMessage;
  /** The action in a command of this type, not clamped. Throws CORRUPT_DATA for NaN or ±Inf, MISMATCH for missing joints or a wrong length. */
  fromMessage(message: unknown): Float32Array;
}

/** Maps a normalised action (−1…1) to the action's units: −1 ↦ low, 1 ↦ high. */
export function scaleAction(normalised: ArrayLike<number>, action: RobotSpec['action']): Float32Array {
  return Float32Array.from(action, ({ low, high }, i) => low + ((normalised[i]! + 1) / 2) * (high - low));
}

/** Maps an action in its units to −1…1; the inverse of {@link scaleAction}, values beyond the limits land beyond ±1. */
export function unscaleAction(values: ArrayLike<number>, action: RobotSpec['action']): Float32Array {
  return Float32Array.from(action, ({ low, high }, i) => (2 * (values[i]! - low)) / (high - low) - 1);
}

interface Carrier {
  build(action: ArrayLike<number>, stampNs: bigint): CommandMessage;
  /** Writes the values found into `out`, NaN where there is none. */
  read(message: unknown, out: Float32Array): void;
}

/** For messages of `topic`: the spec's command, or its teleop. */
export function createActionMapper(spec: RobotSpec, topic: TopicSpec = spec.command): ActionMapper {
  const type = topic.type as CommandTypeName;
  const carrier = carrierOf(type, spec);
  const { action } = spec;
  return {
    type,
    toMessage(values, stampNs) {
      if (values.length !== action.length) throw wrongLength('INVALID_ARGUMENT', values.length, spec);
      for (let i = 0; i < action.length; i++)
        if (!Number.isFinite(values[i])) throw notFinite('INVALID_ARGUMENT', action[i]!, values[i]!);
      return carrier.build(values, stampNs);
    },
    fromMessage(message) {
      const out = new Float32Array(action.length);
      carrier.read(message, out);
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

function wrongLength(code: 'INVALID_ARGUMENT' | 'MISMATCH', found: number, spec: RobotSpec): IqLearnError {
  return new IqLearnError(code, 'the command has the wrong length', {
    found: `${found} numbers`,
    expected: `${spec.action.length}: ${spec.action.map(({ name }) => name).join(', ')}`,
  });
}

function carrierOf(type: CommandTypeName, spec: RobotSpec): Carrier {
  switch (type) {
    case 'geometry_msgs/msg/TwistStamped':
      return twistCarrier(spec, true);
    case 'geometry_msgs/msg/Twist':
      return twistCarrier(spec, false);
    case 'std_msgs/msg/Float64MultiArray':
      return arrayCarrier(spec);
    case 'sensor_msgs/msg/JointState':
      return jointStateCarrier(spec);
    case 'trajectory_msgs/msg/JointTrajectory':
      return trajectoryCarrier(spec);
    case 'control_msgs/msg/JointJog':
      return jogCarrier(spec);
  }
}

function twistCarrier(spec: RobotSpec, stamped: boolean): Carrier {
  // The spec's paths are those of its command.
  const paths = spec.action.map(({ path }) => {
    const keys = path.split('.').filter((key) => key !== 'twist');
    return stamped ? ['twist', ...keys] : keys;
  });
  const neutral = (): Twist => ({ linear: { x: 0, y: 0, z: 0 }, angular: { x: 0, y: 0, z: 0 } });
  return {
    build(action, stampNs) {
      const message = stamped ? { header: header(stampNs, spec.frameId), twist: neutral() } : neutral();
      for (let i = 0; i < paths.length; i++) writePath(message, paths[i]!, action[i]!);
      return message;
    },
    read(message, out) {
      for (let i = 0; i < paths.length; i++) out[i] = readPath(message, paths[i]!);
    },
  };
}

/** The controller's own order of joints is the spec's order: the message has no names. */
function arrayCarrier(spec: RobotSpec): Carrier {
  return {
    build: (action) => ({ layout: { dim: [], data_offset: 0 }, data: Float64Array.from(action) }),
    read(message, out) {
      const { layout, data } = message as MessageTypes['std_msgs/msg/Float64MultiArray'];
      const offset = layout.data_offset;
      if (data.length - offset !== out.length) throw wrongLength('MISMATCH', data.length - offset, spec);
      for (let i = 0; i < out.length; i++) out[i] = data[offset + i]!;
    },
  };
}

function jointsOf(spec: RobotSpec): string[] {
  return spec.action.map(({ path }) => path);
}

function indexOfJoint(names: readonly string[], joint: string, spec: RobotSpec): number {
  const at = names.indexOf(joint);
  if (at >= 0) return at;
  const missing = jointsOf(spec).filter((name) => !names.includes(name));
  throw new IqLearnError('MISMATCH', 'the command lacks joints', {
    found: names.join(', ') || 'no joints',
    expected: `also ${missing.join(', ')}`,
  });
}

function jointStateCarrier(spec: RobotSpec): Carrier {
  const joints = jointsOf(spec);
  const quantities = spec.action.map(({ quantity }) => quantity!);
  const used = new Set(quantities);
  // A list of JointState is empty or as long as the names; a joint that is not commanded in it has NaN.
  const list = (quantity: JointQuantity, action: ArrayLike<number>): Float64Array =>
    used.has(quantity)
      ? Float64Array.from(quantities, (own, i) => (own === quantity ? action[i]! : Number.NaN))
      : new Float64Array(0);
  return {
    build: (action, stampNs) => ({
      header: header(stampNs, spec.frameId),
      name: joints,
      position: list('position', action),
      velocity: list('velocity', action),
      effort: list('effort', action),
    }),
    read(message, out) {
      const state = message as JointState;
      for (let i = 0; i < joints.length; i++)
        out[i] = state[quantities[i]!][indexOfJoint(state.name, joints[i]!, spec)] ?? Number.NaN;
    },
  };
}

/** One point, to be reached within a control period. */
function trajectoryCarrier(spec: RobotSpec): Carrier {
  const joints = jointsOf(spec);
  const key = spec.action[0]?.quantity === 'velocity' ? 'velocities' : 'positions';
  const timeFromStart = stampOf(BigInt(Math.round(1e9 / spec.rateHz)));
  const none = new Float64Array(0);
  return {
    build: (action, stampNs) => ({
      header: header(stampNs, spec.frameId),
      joint_names: joints,
      points: [
        {
          positions: none,
          velocities: none,
          accelerations: none,
          effort: none,
          [key]: Float64Array.from(action),
          time_from_start: timeFromStart,
        },
      ],
    }),
    read(message, out) {
      const { joint_names, points } = message as JointTrajectory;
      const [point] = points;
      if (point === undefined)
        throw new IqLearnError('MISMATCH', 'the command has no point', {
          found: 'an empty trajectory',
          expected: `a point with ${key} of ${joints.join(', ')}`,
        });
      for (let i = 0; i < joints.length; i++)
        out[i] = point[key][indexOfJoint(joint_names, joints[i]!, spec)] ?? Number.NaN;
    },
  };
}

/**
 * Joint velocities as MoveIt Servo takes them: a joint that is not named stands still, one that is not there spoils the
 * command, and the duration is not looked at: a command holds until the next, or the topic's timeout.
 */
function jogCarrier(spec: RobotSpec): Carrier {
  const joints = jointsOf(spec);
  const none = new Float64Array(0);
  const duration = 1 / spec.rateHz;
  return {
    build: (action, stampNs) => ({
      header: header(stampNs, spec.frameId),
      joint_names: joints,
      displacements: none,
      velocities: Float64Array.from(action),
      duration,
    }),
    read(message, out) {
      const { joint_names, displacements, velocities } = message as JointJog;
      if (displacements.some((value) => value !== 0))
        throw new IqLearnError('MISMATCH', 'the command is a step, not a velocity', {
          found: `displacements ${Array.from(displacements).join(', ')}`,
          expected: 'velocities alone',
          remedy: 'have the teleoperation publish velocities',
        });
      if (velocities.length !== joint_names.length)
        throw new IqLearnError('MISMATCH', 'the command has another number of velocities than of joints', {
          found: `${velocities.length} velocities for ${joint_names.length} joints`,
          expected: 'one for each joint',
        });
      const foreign = joint_names.filter((name) => !joints.includes(name));
      if (foreign.length > 0)
        throw new IqLearnError('MISMATCH', 'the command names joints that are none of the action', {
          found: foreign.join(', '),
          expected: `some of ${joints.join(', ')}`,
        });
      for (let i = 0; i < joints.length; i++) {
        const at = joint_names.indexOf(joints[i]!);
        out[i] = at < 0 ? 0 : velocities[at]!;
      }
    },
  };
}
