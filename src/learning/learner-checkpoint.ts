import {
  type BlockArray,
  blockArray,
  blockValues,
  checkObservationSpec,
  entryNames,
  IqLearnError,
  type Observation,
  type ObservationSpec,
  perBlock,
  type RandomState,
  shapeSize,
  vectorObservation,
} from '../common/index.js';
import type { ArrayRecord } from '../engine/index.js';
import type { Checkpoint } from '../platform/index.js';
import type { BufferContents, BufferCounters } from './data/buffer-contents.js';
import { observationAt } from './data/episode.js';
import type { RobotContents } from './data/fair-buffers.js';
import type { Normalisation } from './data/normalisation.js';
import type { GuardState } from './divergence-guard.js';
import { type LearnerConfig, learnerConfig } from './settings.js';

/** The options that a learner was created with, but for how its program is executed: that may change on resuming. */
interface SavedOptions {
  readonly config: LearnerConfig;
  readonly observation: ObservationSpec;
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
  readonly policy: readonly RobotContents[];
  readonly firstStates: readonly Observation[];
  /** Of the guard against divergence; absent in checkpoints from before there was one. */
  readonly guard?: { readonly meta: GuardState; readonly good: ArrayRecord } | undefined;
}

/** The entry `learner` of a checkpoint's metadata. */
interface LearnerMeta {
  readonly config: unknown;
  /** Absent in checkpoints of version 0.1, whose observation is a vector of `observationSize` numbers. */
  readonly observation?: ObservationSpec;
  readonly observationSize?: number;
  readonly actionSize: number;
  readonly seed: number;
  readonly updates: number;
  readonly sampling: RandomState;
  readonly noise: RandomState;
  readonly expert: BufferCounters;
  readonly guard?: GuardState | undefined;
  /** Of transitions of no robot in particular: all of them where the run has no fleet. */
  readonly policy: BufferCounters | undefined;
  /** Of the robots of a fleet; their arrays are `robot.<number>.…`. */
  readonly robots?: readonly (BufferCounters & { readonly robot: string; readonly capacity: number | undefined })[];
}

/** A learner as metadata and named arrays; arrays are views, not copies. */
export function encodeLearner(parts: LearnerParts): Checkpoint {
  const { config, observation, actionSize, normalisation, seed } = parts.options;
  const { expert, policy, random, firstStates } = parts;
  const common = policy.find(({ robot }) => robot === '');
  const fleet = policy.filter(({ robot }) => robot !== '');
  const learner: LearnerMeta = {
    config,
    observation,
    actionSize,
    seed,
    updates: parts.updates,
    sampling: random.sampling,
    noise: random.noise,
    expert: expert.counters,
    guard: parts.guard?.meta,
    policy: common?.counters,
    ...(fleet.length > 0 && {
      robots: fleet.map(({ robot, capacity, counters }) => ({ robot, capacity, ...counters })),
    }),
  };
  const first = observation.map((block) => blockArray(block, firstStates.length));
  firstStates.forEach((state, i) => {
    blockValues<ArrayLike<number>>(observation, state, 'first state').forEach((values, k) => {
      first[k]!.set(values, i * values.length);
    });
  });
  const firstNames = entryNames('firstStates', observation);
  return {
    meta: { learner },
    arrays: {
      ...prefixed('state.', parts.state),
      ...prefixed('good.', parts.guard?.good ?? {}),
      ...prefixed('expert.', expert.arrays),
      ...prefixed('policy.', common?.arrays ?? {}),
      ...Object.assign({}, ...fleet.map(({ arrays }, i) => prefixed(`robot.${i}.`, arrays))),
      'normalisation.mean': normalisation.mean,
      'normalisation.scale': normalisation.scale,
      ...Object.fromEntries(first.map((array, i) => [firstNames[i]!, array])),
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
  const { actionSize, seed, updates, sampling, noise } = meta;
  const observation = checkObservationSpec(meta.observation ?? vectorObservation(meta.observationSize ?? 0));
  const first = entryNames('firstStates', observation).map((name, i) => {
    const found = checkpoint.arrays[name];
    return observation[i]!.dtype === 'uint8' && found instanceof Uint8Array ? found : array(name);
  });
  const count = first[0]!.length / shapeSize(observation[0]!.shape);
  const rows = perBlock<BlockArray>(observation, first);
  const firstStates = Array.from({ length: count }, (_, i) => observationAt(observation, rows, i));
  return {
    options: {
      config: learnerConfig(meta.config as Readonly<Record<string, unknown>>),
      observation,
      actionSize,
      seed,
      normalisation: { mean: array('normalisation.mean'), scale: array('normalisation.scale') },
    },
    updates,
    random: { sampling, noise },
    expert: contentsOf('expert.', meta.expert, checkpoint),
    policy: policyContents(meta, checkpoint),
    firstStates,
    guard: meta.guard === undefined ? undefined : { meta: meta.guard, good: entriesOf('good.', checkpoint) },
    stateOf: (entries) => Object.fromEntries(entries.map((name) => [name, array(`state.${name}`)])),
  };
}

/** The float32 arrays of a checkpoint whose names begin with `prefix`, by the rest of their names. */
function entriesOf(prefix: string, { arrays }: Checkpoint): ArrayRecord {
  const own = Object.entries(arrays).filter(
    ([name, array]) => name.startsWith(prefix) && array instanceof Float32Array,
  );
  return Object.fromEntries(own.map(([name, array]) => [name.slice(prefix.length), array as Float32Array]));
}

function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));
}

function policyContents({ policy, robots = [] }: LearnerMeta, checkpoint: Checkpoint): RobotContents[] {
  const fleet = robots.map(({ robot, capacity, ...counters }, i) => ({
    robot,
    capacity,
    ...contentsOf(`robot.${i}.`, counters, checkpoint),
  }));
  if (policy === undefined) return fleet;
  return [{ robot: '', capacity: undefined, ...contentsOf('policy.', policy, checkpoint) }, ...fleet];
}

function contentsOf(prefix: string, { cursor, added }: BufferCounters, { arrays }: Checkpoint): BufferContents {
  const own = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  return {
    counters: { cursor, added },
    arrays: Object.fromEntries(
      own.map(([name, array]) => [name.slice(prefix.length), array]),
    ) as BufferContents['arrays'],
  };
}
