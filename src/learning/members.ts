import * as tf from '@tensorflow/tfjs';
import type { TensorRecord, TensorSpec } from '../engine/index.js';
import type { PolicyFunction } from '../policy/index.js';
import type { Agent, BatchRows } from './agent.js';

const times = ({ shape, dtype }: TensorSpec, count: number): TensorSpec => ({
  shape: [count * shape[0]!, ...shape.slice(1)],
  dtype,
});

const equalParts = (x: tf.Tensor, count: number): tf.Tensor[] => tf.split(x, count, 0);

/** Each member's rows of an input: the policy's rows of all members come first, then the expert's. */
function rowsOfMembers(x: tf.Tensor, count: number, { policy, expert }: BatchRows): tf.Tensor[] {
  if (policy === 0 || expert === 0 || x.shape[0] !== count * (policy + expert)) return equalParts(x, count);
  const [ofPolicy, ofExpert] = tf.split(x, [count * policy, count * expert], 0) as [tf.Tensor, tf.Tensor];
  const shown = equalParts(ofExpert, count);
  return equalParts(ofPolicy, count).map((own, i) => tf.concat([own, shown[i]!], 0));
}

const mean = (parts: tf.Tensor[]): tf.Tensor => tf.div(tf.addN(parts), parts.length);

const meanOf = (records: readonly TensorRecord[]): TensorRecord =>
  Object.fromEntries(Object.keys(records[0]!).map((name) => [name, mean(records.map((record) => record[name]!))]));

/** Each member's part of flat vectors that hold those of all members one after the other. */
function partsOf(values: Float32Array, count: number): Float32Array[] {
  const size = values.length / count;
  return Array.from({ length: count }, (_, i) => values.subarray(i * size, (i + 1) * size));
}

const nameOf = (name: string, i: number): string => `member${i + 1}_${name}`;

/** The entries of one member out of those of all, under its own names. */
const entriesOf = <Entry>(all: Readonly<Record<string, Entry>>, names: readonly string[], i: number) =>
  Object.fromEntries(names.map((name) => [name, all[nameOf(name, i)]!]));

const renamed = <Entry>(entries: Readonly<Record<string, Entry>>, i: number): Record<string, Entry> =>
  Object.fromEntries(Object.entries(entries).map(([name, entry]) => [nameOf(name, i), entry]));

/** The entries of all members under names of their own. */
const together = <Entry>(members: readonly Readonly<Record<string, Entry>>[]): Record<string, Entry> =>
  Object.assign({}, ...members.map(renamed));

/** The policy function whose action is the mean of those of several, for one observation and the same noise. */
function meanPolicy(policies: readonly PolicyFunction[]): PolicyFunction {
  const names = Object.keys(policies[0]!.constants);
  return {
    ...policies[0]!,
    constants: together(policies.map(({ constants }) => constants)),
    apply: (inputs, constants) => ({
      action: mean(policies.map((policy, i) => policy.apply(inputs, entriesOf(constants, names, i)).action)),
    }),
  };
}

/**
 * An agent of several independent members that learn from the same steps of the robot, each with parameters of its own
 * and from rows of its own. What acts and what is deployed is the mean of their actions
 * (docs/decisions/0021 says what that is worth). The state holds every member's entries; metrics are
 * means over the members, and so is the recovered reward. Members do not start from a cloned policy: they would all be
 * that one.
 */
export function withMembers(agent: Agent, count: number): Agent {
  if (count === 1) return agent;
  const { rows, program, adam, reward, warmStart: _, ...others } = agent;
  const names = Object.keys(program.state);
  // Adam's coefficients are those of an update, the same for all members; everything else comes in rows.
  const isShared = (name: string): boolean => adam[name] !== undefined;
  const each = <Result>(make: (i: number) => Result): Result[] => Array.from({ length: count }, (_, i) => make(i));
  const ofAll = (entries: readonly string[]): string[] => each((i) => entries.map((name) => nameOf(name, i))).flat();
  return {
    ...others,
    adam,
    rows: { ...rows, policy: count * rows.policy, expert: count * rows.expert },
    program: {
      name: program.name,
      state: together(each(() => program.state)),
      inputs: Object.fromEntries(
        Object.entries(program.inputs).map(([name, spec]) => [name, isShared(name) ? spec : times(spec, count)]),
      ),
      step: (state, inputs) => {
        const split = Object.entries(inputs).map(
          ([name, x]) => [name, isShared(name) ? each(() => x) : rowsOfMembers(x, count, rows)] as const,
        );
        const made = each((i) =>
          program.step(entriesOf(state, names, i), Object.fromEntries(split.map(([name, parts]) => [name, parts[i]!]))),
        );
        return { state: together(made.map((step) => step.state)), outputs: meanOf(made.map((step) => step.outputs)) };
      },
    },
    initialState: (random) => together(each(() => agent.initialState(random))),
    deployed: ofAll(agent.deployed),
    ...(agent.acting && { acting: ofAll(agent.acting) }),
    policy: (parameters, normalisation) =>
      meanPolicy(partsOf(parameters, count).map((part) => agent.policy(part, normalisation))),
    ...(reward && {
      reward: {
        entries: ofAll(reward.entries),
        recover: (state, inputs, samples) =>
          mean(each((i) => reward.recover(entriesOf(state, reward.entries, i), inputs, samples))),
      },
    }),
  };
}
