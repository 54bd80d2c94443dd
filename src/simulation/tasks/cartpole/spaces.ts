import { unbounded } from '../../spaces.js';
import type { BoxSpace, DiscreteSpace } from '../../task.js';

export const cartpoleObservations: BoxSpace = {
  kind: 'box',
  dimensions: [
    unbounded('cart_position', 'm'),
    unbounded('cart_velocity', 'm/s'),
    unbounded('pole_position', 'rad'),
    unbounded('pole_velocity', 'rad/s'),
  ],
};

export const cartpoleActions: DiscreteSpace = { kind: 'discrete', n: 2, names: ['push_left', 'push_right'] };
