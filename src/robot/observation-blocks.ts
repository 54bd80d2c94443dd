import { z } from 'zod';
import { type Block, checkObservationSpec, type ObservationSpec, vectorObservation } from '../common/index.js';

/** The form of a block where it comes from outside: the manifest of a policy, a recording, a checkpoint. */
export const blockSchema = z.strictObject({
  name: z.string(),
  shape: z.array(z.int().min(1)).min(1),
  dtype: z.enum(['float32', 'uint8']),
  normalise: z.enum(['standard', 'unit', 'none']),
  meaning: z.string().optional(),
});

/**
 * The blocks of a robot's observation, or of a contract's: the named numbers are one block, `state`, in front of the
 * other blocks. Throws INVALID_ARGUMENT where there is neither, or the blocks cannot be.
 */
export function observationOf(described: {
  readonly observation: readonly unknown[];
  readonly blocks?: readonly Block[] | undefined;
}): ObservationSpec {
  const { observation, blocks = [] } = described;
  return checkObservationSpec([...(observation.length > 0 ? vectorObservation(observation.length) : []), ...blocks]);
}
