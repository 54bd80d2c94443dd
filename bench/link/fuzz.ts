import { IqLearnError, Random } from '../../src/common/index.js';
import { decodeRecorded, linkTopics, StreamReceiver } from '../../src/link/index.js';
import { emptyMessage, type MessageTypeName, type MessageTypes } from '../../src/messages/index.js';
import { Opener, Sealer } from '../../src/transport/mqtt/envelope.js';
import type { Figure } from '../harness.js';

/** The type of each topic of the link. */
const TYPES: Readonly<Record<keyof typeof linkTopics, MessageTypeName>> = {
  stream: 'iq_learn_link/msg/StreamBatch',
  position: 'iq_learn_link/msg/StreamPosition',
  policy: 'iq_learn_link/msg/SignedPolicy',
  policyStatus: 'iq_learn/msg/PolicyStatus',
  learnerStatus: 'iq_learn/msg/LearnerStatus',
  gatewayStatus: 'iq_learn_link/msg/GatewayStatus',
  recording: 'iq_learn_link/msg/RecordingChunk',
  recordingPosition: 'iq_learn_link/msg/RecordingPosition',
  clockQuestion: 'iq_learn_link/msg/ClockProbe',
  clockAnswer: 'iq_learn_link/msg/ClockProbe',
  fleetStatus: 'iq_learn_link/msg/FleetStatus',
  presence: 'iq_learn_link/msg/Presence',
};

const LONGEST = 300;

export interface FuzzCounts {
  readonly messages: number;
  /** Refused, each with one of the reasons that are counted. */
  readonly refused: number;
  /** Bytes that happened to be a message. */
  readonly taken: number;
  /** Of the records in them, those that were refused. */
  readonly recordsRefused: number;
}

/**
 * Bytes that no end of the link has sent, on all topics in turn: random ones, whole messages with some bytes changed, and
 * envelopes around random bytes. Throws whatever comes out of the receiving side, which must be nothing.
 */
export function fuzzTopics(count: number, seed: number): FuzzCounts {
  const random = Random.derive(seed, 'fuzz');
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.integer(256));
  let [refused, taken, recordsRefused] = [0, 0, 0];
  const receiver = new StreamReceiver({
    robot: 'rover-1',
    publish: () => {},
    deliver: ({ topic, payload }) => {
      try {
        decodeRecorded(topic, payload);
      } catch (error) {
        if (!(error instanceof IqLearnError)) throw error;
        recordsRefused++;
      }
    },
  });
  const topics = Object.entries(linkTopics).map(([key, { topic, ...limits }]) => {
    const type = TYPES[key as keyof typeof linkTopics];
    const message = { ...emptyMessage(type), robot: 'rover-1' } as MessageTypes[typeof type];
    if (key === 'stream')
      Object.assign(message, {
        epoch: 1n,
        records: Array.from({ length: 3 }, (_, i) => ({
          sequence: BigInt(i + 1),
          topic: '/transitions',
          payload: bytes(20),
        })),
      });
    const whole = (): Uint8Array => new Sealer('rover-1', `sender ${random.integer(1000)}`, type).seal(message);
    const opener = new Opener('rover-1', type, limits, () => {
      refused++;
    });
    return { key, topic, whole, opener };
  });
  for (let i = 0; i < count; i++) {
    // Each kind of bytes on every topic, however many there are.
    const { key, topic, whole, opener } = topics[Math.floor(i / 3) % topics.length]!;
    let sent = i % 3 === 0 ? bytes(random.integer(LONGEST)) : whole();
    if (i % 3 === 1)
      for (let k = random.integer(4); k >= 0; k--) sent[random.integer(sent.length)] = random.integer(256);
    if (i % 3 === 2) sent = sent.subarray(0, random.integer(sent.length + 1));
    const before = refused;
    const message = opener.open(topic, sent);
    if (message === undefined) {
      if (refused !== before + 1) throw new Error('a message vanished without being counted');
      continue;
    }
    taken++;
    if (key === 'stream') receiver.take(message as MessageTypes['iq_learn_link/msg/StreamBatch']);
  }
  return { messages: count, refused, taken, recordsRefused };
}

/** {@link fuzzTopics} as figures, with what it took. */
export function fuzz(count: number): Figure[] {
  if (count === 0) return [];
  const [ms, before] = [performance.now(), process.memoryUsage().heapUsed];
  const { messages, refused, taken, recordsRefused } = fuzzTopics(count, 1);
  const seconds = (performance.now() - ms) / 1000;
  globalThis.gc?.();
  return [
    { name: 'random bytes: messages', value: messages, unit: '', note: 'on all topics of the link; none did any harm' },
    { name: 'random bytes: refused', value: refused, unit: '', note: `each counted; ${taken} happened to be messages` },
    { name: 'random bytes: records refused', value: recordsRefused, unit: '', note: 'in batches that could be read' },
    { name: 'random bytes: refusals/s', value: messages / seconds, unit: '1/s' },
    {
      name: 'random bytes: growth of the heap',
      value: (process.memoryUsage().heapUsed - before) / 2 ** 20,
      unit: 'MiB',
      note: 'with what has not been collected yet',
    },
  ];
}
