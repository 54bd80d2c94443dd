import { z } from 'zod';
import { maxStepsOption } from '../../definition.js';

/** Options of the cart and pole. */
export const cartpoleOptions = z.strictObject({
  maxSteps: maxStepsOption(500),
});
