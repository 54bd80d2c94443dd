import { z } from 'zod';

/** One number of an observation or action: the unit and the range it was trained with; ±Infinity where unbounded. */
export interface ContractFeature {
  readonly name: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
}

/** What a policy was trained for. A robot that differs in any of it must not run the policy. */
export interface PolicyContract {
  readonly robot: string;
  readonly rateHz: number;
  readonly observation: readonly ContractFeature[];
  readonly action: readonly ContractFeature[];
}

// JSON has no infinity: an unbounded side is null.
const bound = (unbounded: number) =>
  z
    .number()
    .nullable()
    .transform((value) => value ?? unbounded);

const featureSchema = z.strictObject({
  name: z.string().min(1),
  unit: z.string(),
  low: bound(Number.NEGATIVE_INFINITY),
  high: bound(Number.POSITIVE_INFINITY),
});

export const contractSchema = z.strictObject({
  robot: z.string().min(1),
  rateHz: z.number().positive(),
  observation: z.array(featureSchema).min(1).max(100_000),
  action: z.array(featureSchema).min(1).max(10_000),
});

/** The contract as JSON data, in a fixed order of fields, so that equal contracts are equal texts. */
export function contractToJson(contract: PolicyContract): z.input<typeof contractSchema> {
  const feature = ({ name, unit, low, high }: ContractFeature) => ({
    name,
    unit,
    low: Number.isFinite(low) ? low : null,
    high: Number.isFinite(high) ? high : null,
  });
  return {
    robot: contract.robot,
    rateHz: contract.rateHz,
    observation: contract.observation.map(feature),
    action: contract.action.map(feature),
  };
}
