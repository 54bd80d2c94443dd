import { z } from 'zod';
import { expectedOf, IqLearnError, shown, unknownName, valueAt } from '../common/index.js';
import type { Agent, AgentDefinition, Spaces } from './agent.js';
import { type AgentName, agentNames, agents } from './agents/index.js';
import { withMembers } from './members.js';
import type { Fall } from './optimiser/schedules.js';

/** Settings of every learner, whatever its agent: its data and the length of its schedules. */
const common = {
  bufferSize: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(1_000_000)
    .describe('Transitions of the policy that the replay buffer holds; the oldest are overwritten.'),
  observationNoise: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Standard deviation of the Gaussian noise that is added to the normalised observations and next observations of a batch, expert and policy alike. It keeps the critic from learning a few demonstrations by heart; 0 adds none.',
    ),
  observationNoiseFloor: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('The noise falls linearly to this fraction of it over `decayUpdates` updates; 1 keeps it constant.'),
  decayUpdates: z
    .int()
    .min(1)
    .max(10_000_000_000)
    .default(1_000_000)
    .describe('Updates after which learning rates and noise have reached their floors.'),
  decayStart: z
    .int()
    .min(0)
    .max(10_000_000_000)
    .default(0)
    .describe('Updates before learning rates and noise begin to fall.'),
  members: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe(
      'Networks that learn from the same steps, each set with rows of its own; what acts and what is deployed is the mean of their actions. Every one costs a whole update.',
    ),
  warmStartUpdates: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('Updates of behavioural cloning that the actor starts from; 0 starts it at random.'),
};

/** Agents that a program has registered beside the built-in ones. */
const registered = new Map<string, { readonly definition: AgentDefinition; readonly schema: z.ZodObject }>();

/**
 * Makes an agent of one's own known by a name, so that settings may say `agent: NAME` in this process. Register it
 * before settings are checked or a checkpoint is resumed. Throws CONFLICT for a name that is taken.
 */
export function registerAgent<Shape extends z.ZodRawShape>(name: string, definition: AgentDefinition<Shape>): void {
  if (name in agents || registered.has(name))
    throw new IqLearnError('CONFLICT', `there is an agent '${name}' already`, {
      found: name,
      expected: 'a name that no agent has',
      remedy: 'choose another name',
    });
  const schema = z.strictObject({ agent: z.literal(name), ...definition.settings, ...common });
  registered.set(name, { definition: definition as unknown as AgentDefinition, schema });
}

const schemaOf = <Name extends AgentName>(name: Name) =>
  z.strictObject({
    agent: z.literal(name).describe('Name of the learning algorithm.'),
    ...(agents[name].settings as (typeof agents)[Name]['settings']),
    ...common,
  });

/** The schema of a learner's settings by the name of its agent. */
export const learnerSchemas = {
  'iq-sac': schemaOf('iq-sac'),
  'iq-soft-q': schemaOf('iq-soft-q'),
  sac: schemaOf('sac'),
  'soft-q': schemaOf('soft-q'),
  cloning: schemaOf('cloning'),
  'cloning-discrete': schemaOf('cloning-discrete'),
  sqil: schemaOf('sqil'),
  'sqil-soft-q': schemaOf('sqil-soft-q'),
  dac: schemaOf('dac'),
} as const satisfies Readonly<Record<AgentName, z.ZodObject>>;

/** Settings of a learner: the name of its agent, and the settings of that agent and of every learner, flat. */
export const learnerConfigSchema = z.discriminatedUnion('agent', [
  learnerSchemas['iq-sac'],
  learnerSchemas['iq-soft-q'],
  learnerSchemas.sac,
  learnerSchemas['soft-q'],
  learnerSchemas.cloning,
  learnerSchemas['cloning-discrete'],
  learnerSchemas.sqil,
  learnerSchemas['sqil-soft-q'],
  learnerSchemas.dac,
]);

/** Complete settings. */
export type LearnerConfig = z.output<typeof learnerConfigSchema>;
/** Settings as they are given: the agent's name is needed, everything else has a default. */
export type LearnerSettings = z.input<typeof learnerConfigSchema>;

/** What a setting means, as the remedy for a bad value of it. */
function remedyOf(shape: z.ZodRawShape, name: PropertyKey | undefined): { remedy?: string } {
  const description = name === undefined ? undefined : (shape[name as string] as z.ZodType | undefined)?.description;
  return description === undefined ? {} : { remedy: `set ${String(name)} so that it fits: ${description}` };
}

function withoutAgent(found: readonly string[]): IqLearnError {
  return new IqLearnError('INVALID_CONFIG', "the learner's settings do not name their agent", {
    found: found.length === 0 ? 'no settings' : `the settings ${found.join(', ')} without 'agent'`,
    expected: `one of ${agentNames.join(', ')}`,
    remedy: 'write learner: { agent: iq-sac, … } with the settings of that agent after its name',
  });
}

/**
 * Checks settings and completes them with defaults. Throws INVALID_CONFIG naming the field, what was found and what is
 * allowed; NOT_FOUND, with the nearest name, for an agent or a setting that does not exist.
 */
export function learnerConfig(settings: LearnerSettings): LearnerConfig;
export function learnerConfig(settings: Readonly<Record<string, unknown>>): LearnerConfig;
export function learnerConfig(settings: Readonly<Record<string, unknown>>): LearnerConfig {
  const { agent } = settings;
  if (agent === undefined) throw withoutAgent(Object.keys(settings));
  const own = registered.get(String(agent))?.schema as (typeof learnerSchemas)[AgentName] | undefined;
  const schema = own ?? learnerSchemas[agent as AgentName];
  if (schema === undefined) throw unknownName('agent', String(agent), [...agentNames, ...registered.keys()]);
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  if (issue.code === 'unrecognized_keys')
    throw unknownName(`setting of the agent ${agent}`, issue.keys[0]!, Object.keys(schema.shape));
  const path = issue.path.join('.');
  throw new IqLearnError('INVALID_CONFIG', `bad setting ${path} of the agent ${agent}`, {
    found: shown(valueAt(settings, issue.path)),
    expected: expectedOf(issue, schema),
    ...remedyOf(schema.shape, issue.path[0]),
  });
}

/** The agent that complete settings describe, for spaces of these sizes. */
export function createAgent(config: LearnerConfig, spaces: Spaces): Agent {
  return withMembers(agentDefinition(config).create(config, spaces, fallOf(config)), config.members);
}

/** When falling schedules leave 1 and reach their floors. */
export const fallOf = ({ decayStart, decayUpdates }: Pick<LearnerConfig, 'decayStart' | 'decayUpdates'>): Fall => ({
  start: decayStart,
  end: decayUpdates,
});

/** What is known of the agent that settings name before it is created. */
export function agentDefinition({ agent }: Pick<LearnerConfig, 'agent'>): AgentDefinition {
  return registered.get(agent)?.definition ?? agents[agent];
}
