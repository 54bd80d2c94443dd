import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf, Random } from '#src/common/index.js';
import { ProtobufReader } from '#src/messages/codecs/protobuf/bytes.js';
import { generalMessage, protobufMessage } from '#src/messages/codecs/protobuf/fields.js';
import {
  emptyMessage,
  fact,
  protobuf,
  type Transition,
  TransitionReader,
  TransitionRows,
} from '#src/messages/index.js';
import { anyMessage } from './arbitrary.js';

const shape = { robot: 'rover', observation: 3, action: 2 };
const TYPE = 'iq_learn/msg/Transition';
const random = new Random(1);
const numbers = (count: number): Float32Array => random.fillNormal(new Float32Array(count));

/** A transition as robots send them. */
function usual(i: number): Transition {
  return {
    ...emptyMessage(TYPE),
    header: { stamp: { sec: random.integer(2 ** 31), nanosec: random.integer(1e9) }, frame_id: '' },
    robot: 'rover',
    session: `run ${random.integer(3)} é`,
    sequence: BigInt(random.integer(2 ** 32)) * BigInt(random.integer(4000)),
    episode: random.integer(2 ** 31) * 2,
    step: random.integer(300),
    policy_version: BigInt(random.integer(3) === 0 ? -1 : random.integer(1e6)),
    intervention: random.integer(2) === 0,
    observation: numbers(3),
    action: numbers(2),
    next_observation: numbers(3),
    terminated: random.integer(2) === 0,
    truncated: random.integer(2) === 0,
    reward: [Number.NaN, 0, 1.5, -0, Number.POSITIVE_INFINITY][i % 5]!,
  };
}

/** Changes some bytes, or cuts, or repeats some. */
function damaged(bytes: Uint8Array): Uint8Array {
  const kind = random.integer(4);
  if (kind === 0) return bytes.slice(0, random.integer(bytes.length + 1));
  const [from, to] = [random.integer(bytes.length), random.integer(bytes.length)].sort((a, b) => a - b);
  if (kind === 1) return Uint8Array.from([...bytes.slice(0, to), ...bytes.slice(from)]);
  const copy = bytes.slice();
  for (let k = random.integer(3); k >= 0; k--) copy[random.integer(copy.length)] = random.integer(256);
  return copy;
}

/** What lies in the row, or undefined where the reader leaves the bytes to the general decoder. */
function read(reader: TransitionReader, bytes: Uint8Array): Transition | undefined {
  const before = reader.length;
  if (!reader.read(bytes, 7)) {
    expect(reader.length).toBe(before);
    return undefined;
  }
  const rows = reader.take();
  expect([rows.length, rows.fact(0, fact.place)]).toEqual([1, 7]);
  return rows.message(0);
}

describe('the reader of transitions into rows', () => {
  it('reads what robots send as the general decoder does, bit for bit', () => {
    const reader = new TransitionReader(shape);
    for (let i = 0; i < 1000; i++) {
      const bytes = protobuf.encode(TYPE, usual(i));
      // In a batch a message begins anywhere.
      const inside = new Uint8Array(bytes.length + 9).fill(255);
      inside.set(bytes, i % 8);
      const found = read(reader, inside.subarray(i % 8, (i % 8) + bytes.length));
      expect(found).toEqual(protobuf.decode(TYPE, bytes));
    }
  });

  it('leaves everything else to the general decoder: other robots, sizes, frames, blocks, numbers, orders', () => {
    const reader = new TransitionReader(shape);
    const others: Partial<Transition>[] = [
      { robot: 'rower' },
      { robot: '' },
      { observation: numbers(4) },
      { action: numbers(1) },
      { next_observation: new Float32Array(0) },
      { observation: Float32Array.of(1, Number.NaN, 2) },
      { action: Float32Array.of(Number.NEGATIVE_INFINITY, 2) },
      { sequence: 2n ** 60n },
      { policy_version: -(2n ** 60n) },
      { blocks: Uint8Array.of(1) },
      { next_blocks: Uint8Array.of(1) },
      { header: { stamp: { sec: 1, nanosec: 2 }, frame_id: 'a' } },
    ];
    for (const other of others) expect(read(reader, protobuf.encode(TYPE, { ...usual(0), ...other }))).toBeUndefined();
    const bytes = protobuf.encode(TYPE, usual(1));
    expect(read(reader, Uint8Array.from([...bytes, ...bytes]))).toBeUndefined();
    expect(read(reader, Uint8Array.from([...bytes, 0]))).toBeUndefined();
    expect(read(reader, new Uint8Array(0))).toBeUndefined();
  });

  it('takes nothing that the general decoder reads otherwise or refuses: any message, any damage', () => {
    const reader = new TransitionReader(shape);
    let taken = 0;
    for (let i = 0; i < 10_000; i++) {
      const bytes = damaged(protobuf.encode(TYPE, usual(i)));
      const found = read(reader, bytes);
      if (found === undefined) continue;
      taken++;
      expect(found).toEqual(protobuf.decode(TYPE, bytes));
      for (const array of [found.observation, found.action, found.next_observation])
        expect(Array.from(array).every(Number.isFinite)).toBe(true);
    }
    expect(taken).toBeGreaterThan(300);
    fc.assert(
      fc.property(anyMessage(TYPE), (message) => {
        const bytes = protobuf.encode(TYPE, { ...(message as Transition), robot: 'rover' });
        const found = read(reader, bytes);
        if (found !== undefined) expect(found).toEqual(protobuf.decode(TYPE, bytes));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('reads as many as are expected, then wants them taken', () => {
    const reader = new TransitionReader(shape);
    reader.expect(20);
    const sent = Array.from({ length: 20 }, (_, i) => usual(i));
    for (const each of sent) expect(reader.read(protobuf.encode(TYPE, each), 1)).toBe(true);
    expect([reader.length, reader.isFull]).toEqual([20, true]);
    expect(reader.read(protobuf.encode(TYPE, usual(0)), 1)).toBe(false);
    const rows = reader.take();
    expect(Array.from({ length: 20 }, (_, i) => rows.message(i))).toEqual(sent);
    expect(reader.length).toBe(0);
    expect(reader.read(protobuf.encode(TYPE, usual(0)), 1)).toBe(true);
  });

  it('and a row made of a message give the message back', () => {
    for (let i = 0; i < 20; i++) {
      const transition = usual(i);
      if (transition.sequence <= BigInt(Number.MAX_SAFE_INTEGER))
        expect(TransitionRows.of(transition, shape).message(0)).toEqual(transition);
    }
  });
});

describe('the reader of stream records', () => {
  const BATCH = 'iq_learn_link/StreamRecord';
  const outcome = (message: { read(reader: ProtobufReader, end: number): unknown }, bytes: Uint8Array): unknown => {
    try {
      return message.read(new ProtobufReader(bytes), bytes.length);
    } catch (error) {
      return messageOf(error);
    }
  };

  it('reads and refuses as any message is read and refused, in the same words', () => {
    const [general, special] = [generalMessage(BATCH), protobufMessage(BATCH)];
    for (let i = 0; i < 10_000; i++) {
      const whole = protobuf.encode('iq_learn_link/msg/StreamRecord', {
        sequence: BigInt(random.integer(2 ** 32)) << BigInt(random.integer(32)),
        topic: ['', '/transitions', '/episode_events'][random.integer(3)]!,
        payload: Uint8Array.from({ length: random.integer(20) }, () => random.integer(256)),
      });
      const bytes = i % 4 === 0 ? whole : damaged(whole);
      expect(outcome(special, bytes)).toEqual(outcome(general, bytes));
    }
  });
});
