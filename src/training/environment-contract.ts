import type { ContractFeature, PolicyContract } from '../policy/index.js';
import type { Environment } from '../simulation/index.js';

/**
 * The contract of a policy for an environment that is no robot: its observation is numbered, and so are its actions.
 * Where actions are discrete the policy gives a preference for each, of which the largest is the action to take.
 */
export function environmentContract(name: string, environment: Environment): PolicyContract {
  const { observationSize, actionLow, actionHigh, discrete } = environment;
  const feature = (named: string, low: number | null, high: number | null): ContractFeature => ({
    name: named,
    unit: '',
    low,
    high,
  });
  return {
    robot: name,
    // An environment has steps, no rate.
    rateHz: 1,
    observation: Array.from({ length: observationSize }, (_, i) => feature(`observation_${i}`, null, null)),
    action: actionLow.map((low, k) =>
      discrete === true ? feature(`preference_${k}`, -1, 1) : feature(`action_${k}`, low, actionHigh[k]!),
    ),
  };
}
