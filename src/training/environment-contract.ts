import { STATE_BLOCK, shapeSize } from '../common/index.js';
import type { ContractFeature, PolicyContract } from '../policy/index.js';
import type { Environment } from '../simulation/index.js';

/**
 * The contract of a policy for an environment that is no robot: the numbers of its block `state` are numbered, and so
 * are its actions. Where actions are discrete the policy gives a preference for each, of which the largest is the action
 * to take.
 */
export function environmentContract(name: string, environment: Environment): PolicyContract {
  const { observation, actionRange, discrete } = environment;
  const feature = (named: string, low: number | null, high: number | null): ContractFeature => ({
    name: named,
    unit: '',
    low,
    high,
  });
  const state = observation.find((block) => block.name === STATE_BLOCK && block.shape.length === 1);
  const blocks = observation.filter((block) => block !== state);
  return {
    robot: name,
    // An environment has steps, no rate.
    rateHz: 1,
    observation: Array.from({ length: state === undefined ? 0 : shapeSize(state.shape) }, (_, i) =>
      feature(`observation_${i}`, null, null),
    ),
    action: Array.from(actionRange.low, (low, k) =>
      discrete === true ? feature(`preference_${k}`, -1, 1) : feature(`action_${k}`, low, actionRange.high[k]!),
    ),
    ...(blocks.length === 0 ? {} : { blocks: blocks.map((block) => ({ ...block, shape: [...block.shape] })) }),
  };
}
