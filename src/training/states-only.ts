import { IqLearnError } from '../common/index.js';
import type { LearnerConfig, LearnerSettings } from '../learning/index.js';

/** How the actions of demonstrations are found out that nobody has seen; see the agents' setting `expertActions`. */
export const statesOnlyWays = ['inverse-dynamics', 'policy'] as const;
export type StatesOnly = (typeof statesOnlyWays)[number];

/**
 * Settings of a learner for demonstrations whose actions are not looked at. There is no cloning to start from, and the
 * learner acts, because only its own steps tell what an action does. With the policy's actions in the place of the
 * expert's, the initial states estimate the value term, as the paper has it (§5.4): on a corridor that was the one of
 * three estimators that found the way. Throws UNSUPPORTED for an agent that needs the expert's actions.
 */
export function fromStatesAlone(settings: LearnerSettings, how: StatesOnly): LearnerSettings {
  if (settings.agent !== 'iq-sac' && settings.agent !== 'iq-soft-q')
    throw new IqLearnError('UNSUPPORTED', 'this agent cannot learn from observations alone', {
      found: settings.agent,
      expected: 'iq-sac or iq-soft-q',
      remedy: 'leave --states-only out, or set learner: { agent: iq-sac }',
    });
  return {
    ...settings,
    expertActions: how,
    online: true,
    warmStartUpdates: 0,
    ...(how === 'policy' ? { valueTerm: 'v0' as const } : {}),
  };
}

/** Whether the actions of the demonstrations are not looked at. */
export function learnsFromStatesAlone(config: LearnerConfig): boolean {
  return 'expertActions' in config && config.expertActions !== 'shown';
}
