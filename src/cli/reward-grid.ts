import { IqLearnError, type Observation } from '../common/index.js';
import { Actor, type Learner } from '../learning/index.js';

/** An axis of a grid of states: an entry of the observation, and `count` values of it. */
export interface GridAxis {
  readonly index: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Points of a grid at most. */
const MOST = 100_000;

/** Parses one axis, `index=low:high:n`, after the ones before it. Throws INVALID_ARGUMENT. */
export function gridAxis(text: string, before: readonly GridAxis[] = []): GridAxis[] {
  const found = /^(\d+)=([^:]+):([^:]+):(\d+)$/.exec(text);
  const [index, low, high, count] = (found ?? []).slice(1).map(Number) as [number, number, number, number];
  if (found === null || ![low, high].every(Number.isFinite) || !(low < high) || count < 2 || before.length > 1)
    throw new IqLearnError('INVALID_ARGUMENT', 'bad value of --grid', {
      found: `'${text}'`,
      expected: 'one or two axes index=low:high:n with low < high and n from 2 up',
      remedy: 'for example --grid 0=-1:1:21 1=-1:1:21',
    });
  return [...before, { index, low, high, count }];
}

const valueAtPoint = ({ low, high, count }: GridAxis, i: number): number => low + (i * (high - low)) / (count - 1);

/**
 * The recovered reward of staying in a state with the action of the policy, r(s, π(s), s), on a grid of states; entries
 * that are no axis have the mean of the demonstrations. Throws INVALID_ARGUMENT for an entry that there is not.
 */
export async function gridRewards(learner: Learner, axes: readonly GridAxis[]) {
  const { mean } = learner.normalisation;
  const points = axes.reduce((product, { count }) => product * count, 1);
  const outside = axes.find(({ index }) => index >= mean.length);
  if (outside !== undefined || points > MOST || learner.observation.length !== 1)
    throw new IqLearnError('INVALID_ARGUMENT', 'this grid cannot be filled', {
      found: outside === undefined ? `${points} points` : `entry ${outside.index} of the observation`,
      expected: `at most ${MOST} points, over entries 0 … ${mean.length - 1} of one vector`,
    });
  const actor = await Actor.create(learner.policyFunction());
  const rows: number[][] = [];
  try {
    for (let point = 0; point < points; point++) {
      const state = Float32Array.from(mean);
      const values: number[] = [];
      let rest = point;
      for (const axis of axes) {
        values.push(valueAtPoint(axis, rest % axis.count));
        state[axis.index] = values.at(-1)!;
        rest = Math.floor(rest / axis.count);
      }
      rows.push([...values, await stayingReward(learner, actor, state)]);
    }
  } finally {
    await actor.dispose();
  }
  return { header: [...axes.map(({ index }) => `observation_${index}`), 'reward'], rows };
}

async function stayingReward(learner: Learner, actor: Actor, state: Float32Array): Promise<number> {
  const output = await actor.act(state as Observation);
  const best = output.indexOf(Math.max(...output));
  const actions = learner.discrete ? output.map((_, i) => Number(i === best)) : output;
  const observations = Float32Array.from([...state, ...state]);
  const [reward] = await learner.recoverRewards({ length: 1, observations, actions, terminated: false });
  return reward!;
}
