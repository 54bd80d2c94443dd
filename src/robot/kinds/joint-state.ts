import { header, type JointState } from '../../messages/index.js';
import type { JointQuantity, RobotSpec } from '../types.js';
import { checkLength, indexOfJoint, jointsOf } from './joint-names.js';
import type { Carrier, MessageKind } from './message-kind.js';

function carrier(spec: RobotSpec): Carrier {
  const joints = jointsOf(spec);
  const quantities = spec.action.map(({ quantity }) => quantity!);
  const used = new Set(quantities);
  // A list of JointState is empty or as long as the names; a joint that the command does not set in it has NaN.
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
      for (let i = 0; i < joints.length; i++) {
        const at = indexOfJoint(state.name, joints[i]!, spec);
        checkLength(quantities[i]!, state[quantities[i]!], state.name);
        out[i] = state[quantities[i]!][at]!;
      }
    },
  };
}

/** Positions, velocities and efforts of joints by name: the state of an arm, or its command. */
export const jointState: MessageKind<'sensor_msgs/msg/JointState'> = {
  type: 'sensor_msgs/msg/JointState',
  state: { joints: (message) => message },
  command: {
    addresses: 'joints',
    quantities: ['position', 'velocity', 'effort'],
    anyUnit: false,
    oneQuantity: false,
    carrier,
  },
  fromReadings(readings, { header: head, need }) {
    const { names, position, velocity, effort } = need(readings.joints, 'joints');
    return { header: head, name: [...names], position, velocity, effort };
  },
};
