import { IqLearnError, type RandomState } from '../common/index.js';
import type { ArrayRecord } from '../engine/index.js';
import type { Checkpoint } from '../platform/index.js';
import type { Normalisation } from './data/normalisation.js';
import type { BufferContents } from './data/replay-buffer.js';
import { type LearnerConfig, learnerConfig } from './settings.js';

/** The options that a learner was created with, but for how its program is executed: that may change on resuming. */
interface SavedOptions {
  readonly config: LearnerConfig;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly normalisation: Normalisation;
  readonly seed: number;
}

/** Everything that a learner is made of. */
export interface LearnerParts {
  readonly options: SavedOptions;
  readonly updates: number;
  readonly random: { readonly sampling: RandomState; readonly noise: RandomState };
  readonly state: ArrayRecord;
  readonly expert: BufferContents;
  readonly policy: BufferContents;
  readonly firstStates: readonly Float32Array[];
}

/** The entry `learner` of a checkpoint's metadata. */
interface LearnerMeta {
  readonly config: unknown;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly seed: number;
  readonly updates: number;
  readonly sampling: RandomState;
  readonly noise: RandomState;
  readonly expert: { readonly cursor: number; readonly added: number };
  readonly policy: { readonly cursor: number; readonly added: number };
}

/** A learner as metadata and named arrays; arrays are views, not copies. */
export function encodeLearner(parts: LearnerParts): Checkpoint {
  const { config, observationSize, actionSize, normalisation, seed } = parts.options;
  const { expert, policy, random, firstStates } = parts;
  const learner: LearnerMeta = {
    config,
    observationSize,
    actionSize,
    seed,
    updates: parts.updates,
    sampling: random.sampling,
    noise: random.noise,
    expert: { cursor: expert.cursor, added: expert.added },
    policy: { cursor: policy.cursor, added: policy.added },
  };
  const first = new Float32Array(firstStates.length * observationSize);
  firstStates.forEach((state, i) => {
    first.set(state, i * observationSize);
  });
  return {
    meta: { learner },
    arrays: {
      ...prefixed('state.', parts.state),
      ...prefixed('expert.', arraysOf(expert)),
      ...prefixed('policy.', arraysOf(policy)),
      'normalisation.mean': normalisation.mean,
      'normalisation.scale': normalisation.scale,
      firstStates: first,
    },
  };
}

/** The inverse of {@link encodeLearner}; the state is read entry by entry. Throws CORRUPT_DATA. */
export function decodeLearner(
  checkpoint: Checkpoint,
): Omit<LearnerParts, 'state'> & { stateOf(entries: readonly string[]): ArrayRecord } {
  const meta = checkpoint.meta.learner as LearnerMeta | undefined;
  if (meta === undefined)
    throw new IqLearnError('CORRUPT_DATA', 'the checkpoint holds no learner', { expected: "an entry 'learner'" });
  const array = (name: string): Float32Array => {
    const found = checkpoint.arrays[name];
    if (!(found instanceof Float32Array))
      throw new IqLearnError('CORRUPT_DATA', `the checkpoint lacks '${name}'`, {
        expected: 'a float32 array',
        remedy: 'resume from another checkpoint',
      });
    return found;
  };
  const { observationSize, actionSize, seed, updates, sampling, noise } = meta;
  const first = array('firstStates');
  const firstStates: Float32Array[] = [];
  for (let i = 0; i < first.length; i += observationSize) firstStates.push(first.slice(i, i + observationSize));
  return {
    options: {
      config: learnerConfig(meta.config as Readonly<Record<string, unknown>>),
      observationSize,
      actionSize,
      seed,
      normalisation: { mean: array('normalisation.mean'), scale: array('normalisation.scale') },
    },
    updates,
    random: { sampling, noise },
    expert: contentsOf('expert.', meta.expert, array),
    policy: contentsOf('policy.', meta.policy, array),
    firstStates,
    stateOf: (entries) => Object.fromEntries(entries.map((name) => [name, array(`state.${name}`)])),
  };
}

function arraysOf({ cursor: _cursor, added: _added, ...arrays }: BufferContents): Record<string, Float32Array> {
  return arrays;
}

function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));
}

function contentsOf(
  prefix: string,
  counters: { readonly cursor: number; readonly added: number },
  array: (name: string) => Float32Array,
): BufferContents {
  return {
    observations: array(`${prefix}observations`),
    actions: array(`${prefix}actions`),
    nextObservations: array(`${prefix}nextObservations`),
    continues: array(`${prefix}continues`),
    rewards: array(`${prefix}rewards`),
    ...counters,
  };
}
