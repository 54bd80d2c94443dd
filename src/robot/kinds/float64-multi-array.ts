import type { Float64MultiArray } from '../../messages/index.js';
import { wrongLength } from './command-errors.js';
import type { MessageKind } from './message-kind.js';

/** Numbers without names, as ros2_control's group controllers take them: the robot's order of joints must be the controller's. */
export const float64MultiArray: MessageKind<'std_msgs/msg/Float64MultiArray'> = {
  type: 'std_msgs/msg/Float64MultiArray',
  state: { fields: true },
  command: {
    addresses: 'joints',
    quantities: ['position', 'velocity', 'effort'],
    anyUnit: true,
    oneQuantity: false,
    carrier: (spec) => ({
      build: (action) => ({ layout: { dim: [], data_offset: 0 }, data: new Float64Array(action) }),
      read(message, out) {
        const { layout, data } = message as Float64MultiArray;
        const offset = layout.data_offset;
        if (data.length - offset !== out.length) throw wrongLength('MISMATCH', data.length - offset, spec);
        for (let i = 0; i < out.length; i++) out[i] = data[offset + i]!;
      },
    }),
  },
};
