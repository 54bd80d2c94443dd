import { Random } from '../../src/common/index.js';
import { encodeRecorded } from '../../src/link/index.js';
import { emptyMessage, protobuf, type Transition } from '../../src/messages/index.js';
import type { RobotSpec } from '../../src/robot/index.js';

/** Transitions of a robot that drives, from number `first` on, with numbers as its description has them. Always the same ones. */
export function transitions(spec: RobotSpec, count: number, first = 0): Transition[] {
  const random = Random.derive(1, first === 0 ? 'link bench' : `link bench ${first}`);
  const row = (features: readonly { readonly low: number; readonly high: number }[]): Float32Array =>
    Float32Array.from(features, ({ low, high }) => random.uniform(Math.max(low, -1), Math.min(high, 1)));
  let observation = row(spec.observation);
  return Array.from({ length: count }, (_, k) => {
    const i = first + k;
    const next = row(spec.observation);
    const transition: Transition = {
      ...emptyMessage('iq_learn/msg/Transition'),
      header: { stamp: { sec: 1_700_000_000 + Math.floor(i / 20), nanosec: (i % 20) * 50_000_000 }, frame_id: '' },
      robot: spec.robot,
      session: 'policy-3f1c9c1e-9b52-4a41',
      sequence: BigInt(i),
      episode: Math.floor(i / 200),
      step: i % 200,
      policy_version: BigInt(Math.floor(i / 1000)),
      observation,
      action: row(spec.action),
      next_observation: next,
      truncated: i % 200 === 199,
      reward: Number.NaN,
    };
    observation = next;
    return transition;
  });
}

/**
 * The payloads of `/stream` for these transitions, `size` of them in each: a StreamBatch in an Envelope. `before` are the
 * transitions that were sent before, in batches of the same size.
 */
export function envelopes(robot: string, all: readonly Transition[], size: number, before = 0): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let first = 0; first < all.length; first += size) {
    const records = all.slice(first, first + size).map((transition, i) => ({
      sequence: BigInt(before + first + i + 1),
      topic: '/transitions',
      payload: encodeRecorded('/transitions', transition),
    }));
    const payload = protobuf.encode('iq_learn_link/msg/StreamBatch', {
      robot,
      epoch: 1n,
      previous: BigInt(before + first),
      records,
    });
    found.push(
      protobuf.encode('iq_learn_link/msg/Envelope', {
        robot,
        sender: 'bench',
        sequence: BigInt(before / size + found.length),
        sent_ns: 1n,
        lifetime_ms: 0,
        type: 'iq_learn_link/msg/StreamBatch',
        payload,
      }),
    );
  }
  return found;
}

/** A transition as JSON programs send it: numbers with all of their digits, no empty fields left out. */
function plain(transition: Transition): object {
  const numbers = ({ observation, action, next_observation }: Transition) => ({
    observation: Array.from(observation),
    action: Array.from(action),
    next_observation: Array.from(next_observation),
  });
  const { blocks: _, next_blocks: __, ...rest } = transition;
  return {
    ...rest,
    ...numbers(transition),
    sequence: Number(transition.sequence),
    policy_version: Number(transition.policy_version),
    reward: null,
  };
}

/** The same as arrays of JSON. */
export function jsonBatches(all: readonly Transition[], size: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let first = 0; first < all.length; first += size)
    found.push(Buffer.from(JSON.stringify(all.slice(first, first + size).map(plain))));
  return found;
}
