import { z } from 'zod';
import { describeObservation, IqLearnError, parseOrThrow } from '../common/index.js';
import { sha256 } from '../platform/index.js';
import { blockSchema } from './observation-blocks.js';
import { policyFeatures } from './policy-actions.js';
import type { FeatureSpec, RobotSpec } from './types.js';

const featureSchema = z.strictObject({
  name: z.string(),
  unit: z.string(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});

/** The form of a contract that comes from outside: from the manifest of a policy, or a recording. */
export const robotContractSchema = z.strictObject({
  robot: z.string(),
  rateHz: z.number(),
  observation: z.array(featureSchema),
  action: z.array(featureSchema),
  /** Blocks of the observation after the named numbers; absent where there are none. */
  blocks: z.array(blockSchema).min(1).optional(),
});

/** What a policy depends on, and stores: names, units and limits (null if unbounded) in order, and the rate. JSON-safe. */
export type RobotContract = z.output<typeof robotContractSchema>;
type ContractFeature = RobotContract['action'][number];

const bound = (value: number): number | null => (Number.isFinite(value) ? value : null);
const feature = ({ name, unit, low, high }: FeatureSpec): ContractFeature => ({
  name,
  unit,
  low: bound(low),
  high: bound(high),
});

export function contractOf(spec: RobotSpec): RobotContract {
  return {
    robot: spec.robot,
    rateHz: spec.rateHz,
    observation: spec.observation.map(feature),
    action: policyFeatures(spec).map(feature),
    ...(spec.blocks === undefined || spec.blocks.length === 0
      ? {}
      : { blocks: spec.blocks.map(({ shape, ...block }) => ({ ...block, shape: [...shape] })) }),
  };
}

/** SHA-256 (hex) of the contract: equal exactly when {@link checkContract} passes. */
export function robotSpecHash(spec: RobotSpec): string {
  return sha256(JSON.stringify(contractOf(spec)));
}

function refuse(what: string, found: unknown, expected: unknown, spec: RobotSpec): never {
  throw new IqLearnError('MISMATCH', `the contract does not fit the robot ${spec.robot}: ${what} differs`, {
    found: String(found),
    expected: String(expected),
    remedy: `use what was made for this description of ${spec.robot}, or train again`,
  });
}

function checkFeatures(kind: 'observation' | 'action', found: RobotContract, spec: RobotSpec): void {
  const expected = contractOf(spec)[kind];
  const given = found[kind];
  const names = (features: readonly ContractFeature[]): Set<string> => new Set(features.map(({ name }) => name));
  const missing = [...names(expected)].filter((name) => !names(given).has(name));
  const extra = [...names(given)].filter((name) => !names(expected).has(name));
  if (missing.length > 0 || extra.length > 0 || given.length !== expected.length)
    refuse(
      `the ${kind}'s names`,
      `${given.length} (missing: ${missing.join(', ') || 'none'}; unknown: ${extra.join(', ') || 'none'})`,
      `${expected.length}: ${expected.map(({ name }) => name).join(', ')}`,
      spec,
    );
  expected.forEach((feature, i) => {
    const other = given[i]!;
    const at = `${kind}[${i}]`;
    if (other.name !== feature.name) refuse(`the order, ${at}`, `'${other.name}'`, `'${feature.name}'`, spec);
    for (const key of ['unit', 'low', 'high'] as const)
      if (other[key] !== feature[key])
        refuse(`${key} of ${at} '${feature.name}'`, other[key] ?? 'unbounded', feature[key] ?? 'unbounded', spec);
  });
}

function checkBlocks(found: RobotContract, spec: RobotSpec): void {
  const text = (blocks: RobotContract['blocks'] = []): string =>
    blocks
      .map(
        (block) =>
          `${describeObservation([block])} (${[block.normalise, block.meaning].filter((part) => part !== undefined).join(', ')})`,
      )
      .join(', ') || 'none';
  const expected = contractOf(spec).blocks;
  if (text(found.blocks) !== text(expected))
    refuse("the observation's blocks", text(found.blocks), text(expected), spec);
}

/**
 * Refuses a contract (of a policy, a recording, a checkpoint) that was not made for this robot. Throws MISMATCH naming
 * the field, what was found and what was expected, and CORRUPT_DATA if `found` is not a contract.
 */
export function checkContract(found: unknown, spec: RobotSpec): void {
  const contract = parseOrThrow(robotContractSchema, found, {
    code: 'CORRUPT_DATA',
    what: (field) => `not a robot contract${field === '' ? '' : `: ${field} is wrong`}`,
    remedy: 'a contract has robot, rateHz, observation and action, with name, unit, low and high of each feature',
  });
  if (contract.robot !== spec.robot) refuse('robot', `'${contract.robot}'`, `'${spec.robot}'`, spec);
  if (contract.rateHz !== spec.rateHz) refuse('rateHz', contract.rateHz, spec.rateHz, spec);
  checkFeatures('observation', contract, spec);
  checkFeatures('action', contract, spec);
  checkBlocks(contract, spec);
}
