import { describe, expect, it } from 'vitest';
import { header, type Transition } from '#src/messages/index.js';
import { ActingState } from '#src/sessions/acting-state.js';

const step = (change: Partial<Transition>): Transition => ({
  header: header(0n),
  robot: 'trolley',
  session: 's',
  sequence: 0n,
  episode: 1,
  step: 0,
  policy_version: 0n,
  intervention: false,
  observation: [0],
  action: [1, 2],
  next_observation: [0],
  blocks: new Uint8Array(),
  next_blocks: new Uint8Array(),
  terminated: false,
  truncated: false,
  reward: Number.NaN,
  ...change,
});
const random = (change: Partial<Transition> = {}): Transition => step({ policy_version: -1n, ...change });

describe('the state of acting at the end of a segment', () => {
  it('holds the commands of the open episode, the episodes that ended and the actions that were drawn', () => {
    const acting = new ActingState(2);
    expect(acting).toMatchObject({ episodes: 0, openSteps: 0 });
    acting.after([random(), random({ truncated: true }), random({ action: [3, 4] })]);
    const state = acting.after([
      step({ action: [5, 6] }),
      step({ policy_version: -1n, intervention: true, terminated: true }),
      step({ action: [7, 8] }),
    ]);
    expect(state.meta).toEqual({ episodes: 2, drawn: { random: 3, sampled: 2 } });
    expect([...(state.arrays.commands as Float32Array)]).toEqual([7, 8]);
  });

  it('goes on from what it gave, across JSON, as if there had been no end', () => {
    const segments = [[random(), random()], [step({ truncated: true }), step({})], [step({ action: [9, 9] })]];
    const whole = new ActingState(2);
    const last = segments.map((segment) => whole.after(segment)).at(-1)!;
    const first = new ActingState(2);
    first.after(segments[0]!);
    const { meta, arrays } = first.after(segments[1]!);
    const second = new ActingState(2, { meta: JSON.parse(JSON.stringify(meta)), arrays: structuredClone(arrays) });
    expect(second).toMatchObject({ episodes: 1, openSteps: 1 });
    expect(second.replay).toEqual({ commands: [Float32Array.of(1, 2)], drawn: { random: 2, sampled: 2 } });
    expect(second.after(segments[2]!)).toEqual(last);
  });

  it('refuses a state that another program wrote', () => {
    expect(() => new ActingState(2, { meta: { steps: 1 }, arrays: {} })).toThrow(/not written by a training session/);
  });
});
