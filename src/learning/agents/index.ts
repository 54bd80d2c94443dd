import { cloning } from './cloning.js';
import { cloningDiscrete } from './cloning-discrete.js';
import { dac } from './dac.js';
import { iqSac } from './iq-sac.js';
import { iqSoftQ } from './iq-soft-q.js';
import { sac } from './sac.js';
import { softQ } from './soft-q.js';
import { sqil } from './sqil.js';
import { sqilSoftQ } from './sqil-soft-q.js';

/** Every agent by the name that settings use for it. A new one is a file in this folder and a line here. */
export const agents = {
  'iq-sac': iqSac,
  'iq-soft-q': iqSoftQ,
  sac,
  'soft-q': softQ,
  cloning,
  'cloning-discrete': cloningDiscrete,
  sqil,
  'sqil-soft-q': sqilSoftQ,
  dac,
} as const;

export type AgentName = keyof typeof agents;

/** The names in the order of the registry. */
export const agentNames = Object.keys(agents) as [AgentName, ...AgentName[]];
