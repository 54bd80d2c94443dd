import { describe, expect, it } from 'vitest';
import { stackObservations } from '#src/common/index.js';
import { header, type Transition } from '#src/messages/index.js';
import { segmentOf } from '#src/nodes/learner/segment.js';
import { TransitionIntake } from '#src/nodes/learner/transition-intake.js';
import { TransitionPublisher } from '#src/nodes/policy/transition-publisher.js';
import { observationOf } from '#src/robot/index.js';
import { stateOf } from '../../support/state.js';
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
  blocks: new Uint8Array(),
  next_blocks: new Uint8Array(),
  terminated: false,
  truncated: false,
  reward: Number.NaN,
  ...change,
});

describe('a segment of transitions', () => {
  it('holds each quantity row after row, with actions in [−1, 1]', () => {
    const segment = segmentOf([transition({}), transition({ observation: [6, 7], action: [0] })], spec, false);
    expect(segment.length).toBe(2);
    expect([...stateOf(segment.observations)]).toEqual([1, 2, 6, 7]);
    expect([...stateOf(segment.nextObservations)]).toEqual([4, 5, 4, 5]);
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

  it('holds further blocks of the observation beside the named numbers, as the message carries their bytes', () => {
    const camera = { name: 'camera', shape: [1, 2, 3], dtype: 'uint8', normalise: 'unit' } as const;
    const depth = { name: 'depth', shape: [2], dtype: 'float32', normalise: 'standard' } as const;
    const seeing = { ...spec, blocks: [camera, depth] };
    const observation = observationOf(seeing);
    const sent: Transition[] = [];
    const publisher = {
      topic: '/transitions',
      publish: (message: Transition) => void sent.push(message),
      close: () => undefined,
    };
    const transitions = new TransitionPublisher(publisher, seeing, 's');
    const seen = (k: number) => ({
      state: Float32Array.of(k, 2),
      camera: Uint8Array.of(k, 1, 2, 3, 4, 255),
      depth: Float32Array.of(0.5, k),
    });
    const rest = { stampNs: 0n, reward: 0, terminated: false, truncated: false };
    const step = { action: Float32Array.of(1), source: 'policy', version: 0, episode: 0, step: 0 } as const;
    for (let k = 0; k < 2; k++) {
      transitions.executed({ ...rest, ...step, observation: seen(k) });
      transitions.arrived({ ...rest, observation: seen(k + 1) });
    }
    expect(sent[0]).toMatchObject({ observation: Float32Array.of(0, 2), next_observation: Float32Array.of(1, 2) });
    const segment = segmentOf(sent, seeing, false);
    expect(segment.observations).toEqual(stackObservations(observation, [seen(0), seen(1)]));
    expect(segment.nextObservations).toEqual(stackObservations(observation, [seen(1), seen(2)]));

    const taken: (readonly Transition[])[] = [];
    const refused: Transition[] = [];
    const intake = new TransitionIntake({
      spec: seeing,
      segmentSize: 1,
      maxSessions: 1,
      onSegment: (each) => taken.push(each),
      onRefused: (each) => refused.push(each),
    });
    const [first] = sent;
    const notFinite = Uint8Array.from(first!.blocks);
    notFinite.set(new Uint8Array(Float32Array.of(Number.NaN).buffer), 6);
    for (const blocks of [first!.blocks.slice(1), new Uint8Array(), notFinite])
      intake.take({ ...first!, sequence: BigInt(refused.length), blocks });
    expect([taken.length, refused.length]).toEqual([0, 3]);
    intake.take({ ...first!, sequence: 3n });
    expect(taken).toEqual([[{ ...first!, sequence: 3n }]]);
  });

  it('of no transitions is empty', () => {
    expect(segmentOf([], spec, true)).toMatchObject({ length: 0, actions: new Float32Array(0) });
  });
});
