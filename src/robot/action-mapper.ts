import { IqLearnError } from '../common/index.js';
import type { MessageTypeName, MessageTypes } from '../messages/index.js';
import { wrongLength } from './kinds/command-errors.js';
import type { Carrier } from './kinds/message-kind.js';
import { commandKind } from './kinds/registry.js';
import type { ActionFeatureSpec, RobotSpec, TopicSpec } from './types.js';

/** Action vectors ⇄ command messages. Vectors are in the order and units of the spec's action. */
export interface ActionMapper {
  readonly type: MessageTypeName;
  /** The command that carries this action; fields that are not part of it are 0. Throws INVALID_ARGUMENT unless the action is finite and of the right length. */
  toMessage(action: ArrayLike<number>, stampNs: bigint): MessageTypes[MessageTypeName];
  /** The action in a command of this type, not clamped. Throws CORRUPT_DATA for NaN or ±Inf, MISMATCH for missing joints or a wrong length. */
  fromMessage(message: unknown): Float32Array;
}

/** The mapper for messages of `topic`: the spec's command (the default) or its teleoperation. */
export function createActionMapper(spec: RobotSpec, topic: TopicSpec = spec.command): ActionMapper {
  const carrier = carrierOf(spec, topic);
  const { action } = spec;
  return {
    type: topic.type,
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

function carrierOf(spec: RobotSpec, topic: TopicSpec): Carrier {
  const kind = commandKind(topic.type);
  if (kind.addresses === 'joints') return kind.carrier(spec);
  // The paths of a spec are those of its command; within the body, they are those of every type that has this body.
  const own = commandKind(spec.command.type);
  const skipped = own.addresses === 'paths' ? own.bodyPath.length : 0;
  return kind.carrier(
    spec,
    spec.action.map(({ path }) => path.split('.').slice(skipped)),
  );
}
