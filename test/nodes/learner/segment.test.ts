import { describe, expect, it } from 'vitest';
import { header, type Transition } from '#src/messages/index.js';
import { segmentOf } from '#src/nodes/learner/segment.js';
import { spec as trolley } from '../toy.js';

/** The trolley with a speed between −1 and 3 m/s: the middle of the range is not 0. */
const spec = { ...trolley, action: trolley.action.map((feature) => ({ ...feature, low: -1, high: 3 })) };

const transition = (change: Partial<Transition>): Transition => ({
  header: header(0n),
  robot: 'trolley',
  session: 's',
  sequence: 0n,
  episode: 1,
  step: 0,
  policy_version: 0n,
  intervention: false,
  observation: [1, 2],
  action: [3],
  next_observation: [4, 5],
  terminated: false,
  truncated: false,
  reward: Number.NaN,
  ...change,
});

describe('a segment of transitions', () => {
  it('holds each quantity row after row, with actions in [−1, 1]', () => {
    const segment = segmentOf([transition({}), transition({ observation: [6, 7], action: [0] })], spec, false);
    expect(segment.length).toBe(2);
    expect([...segment.observations]).toEqual([1, 2, 6, 7]);
    expect([...segment.nextObservations]).toEqual([4, 5, 4, 5]);
    expect([...segment.actions]).toEqual([1, -0.5]);
  });

  it('tells a true end from a cut: only the true end is terminal', () => {
    const rows = [transition({}), transition({ terminated: true }), transition({ truncated: true })];
    expect([...segmentOf(rows, spec, false).terminated]).toEqual([0, 1, 0]);
  });

  it('marks what a person did as demonstrated only where interventions count as demonstrations', () => {
    const rows = [transition({ intervention: true }), transition({})];
    expect([...segmentOf(rows, spec, true).demonstrated]).toEqual([1, 0]);
    expect([...segmentOf(rows, spec, false).demonstrated]).toEqual([0, 0]);
  });

  it('of no transitions is empty', () => {
    expect(segmentOf([], spec, true)).toMatchObject({ length: 0, actions: new Float32Array(0) });
  });
});
