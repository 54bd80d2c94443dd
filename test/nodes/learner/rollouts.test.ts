import { describe, expect, it } from 'vitest';
import { header, type Transition } from '#src/messages/index.js';
import { Rollouts } from '#src/nodes/learner/rollouts.js';

const step = (step: number, change: Partial<Transition> = {}): Transition => ({
  header: header(0n),
  robot: 'trolley',
  session: 's',
  sequence: 0n,
  episode: 1,
  step,
  policy_version: 1n,
  intervention: false,
  observation: [0],
  action: [0],
  next_observation: [0],
  terminated: false,
  truncated: false,
  reward: 2,
  blocks: new Uint8Array(),
  next_blocks: new Uint8Array(),
  ...change,
});

describe('episodes of the learning policy', () => {
  it('are their return and length, once they have ended either way', () => {
    const rollouts = new Rollouts();
    expect([step(0), step(1), step(2, { terminated: true })].map((each) => rollouts.take(each))).toEqual([
      undefined,
      undefined,
      { robot: '', return: 6, length: 3 },
    ]);
    const next = { session: 's', episode: 2 };
    rollouts.take(step(0, next));
    expect(rollouts.take(step(1, { ...next, truncated: true, reward: -1 }))).toEqual({
      robot: '',
      return: 1,
      length: 2,
    });
  });

  it('of robots that drive at the same time are told apart, also where their runs have one name', () => {
    const rollouts = new Rollouts();
    const end = { truncated: true };
    rollouts.take(step(0), 'a');
    rollouts.take(step(0, { reward: 5 }), 'b');
    expect(rollouts.take(step(1, end), 'a')).toEqual({ robot: 'a', return: 4, length: 2 });
    expect(rollouts.take(step(1, { ...end, reward: 5 }), 'b')).toEqual({ robot: 'b', return: 10, length: 2 });
  });

  it.each([
    ['whose beginning was not heard', [step(1), step(2, { truncated: true })]],
    ['with a gap', [step(0), step(2, { truncated: true })]],
    ['that a person helped in', [step(0), step(1, { intervention: true }), step(2, { truncated: true })]],
    ['of a robot without a task', [step(0, { reward: Number.NaN }), step(1, { reward: Number.NaN, truncated: true })]],
    ['that another sender went on with', [step(0), step(1, { session: 't', truncated: true })]],
  ])('do not count %s', (_, transitions) => {
    const rollouts = new Rollouts();
    expect(transitions.map((each) => rollouts.take(each))).toEqual(transitions.map(() => undefined));
    // The next whole one does.
    rollouts.take(step(0, { episode: 9 }));
    expect(rollouts.take(step(1, { episode: 9, truncated: true }))).toEqual({ robot: '', return: 4, length: 2 });
  });
});
