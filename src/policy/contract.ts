import { z } from 'zod';
import { messageOf } from '../common/index.js';
import { blockSchema, observationOf } from '../robot/index.js';

const featureSchema = z.strictObject({
  name: z.string().min(1),
  unit: z.string(),
  /** null where unbounded: JSON has no infinity. */
  low: z.number().nullable(),
  high: z.number().nullable(),
});

export const contractSchema = z
  .strictObject({
    robot: z.string().min(1),
    rateHz: z.number().positive(),
    /** The named numbers of the observation: its block `state`. */
    observation: z.array(featureSchema).max(100_000),
    action: z.array(featureSchema).min(1).max(10_000),
    /** The blocks after `state`, such as images; absent where there are none. */
    blocks: z.array(blockSchema).min(1).optional(),
  })
  .superRefine((contract, context) => {
    try {
      observationOf(contract);
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['observation'], message: messageOf(error) });
    }
  });

/**
 * What a policy was trained for: names, units and limits in order, and the rate; `contractOf` of the robot's
 * description. A robot that differs in any of it must not run the policy.
 */
export type PolicyContract = z.output<typeof contractSchema>;
export type ContractFeature = PolicyContract['action'][number];

/** The contract as text, in a fixed order of fields: equal contracts are equal texts. */
export function contractText({ robot, rateHz, observation, action, blocks }: PolicyContract): string {
  const feature = ({ name, unit, low, high }: ContractFeature): ContractFeature => ({ name, unit, low, high });
  return JSON.stringify({
    robot,
    rateHz,
    observation: observation.map(feature),
    action: action.map(feature),
    // JSON leaves undefined out: the text of a contract without further blocks is what it was before there were any.
    blocks: blocks?.map(({ name, shape, dtype, normalise, meaning }) => ({ name, shape, dtype, normalise, meaning })),
  });
}
