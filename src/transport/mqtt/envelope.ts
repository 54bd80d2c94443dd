import { IqLearnError, wallClockNs } from '../../common/index.js';
import { protobuf, type WireTypeName, type WireTypes } from '../../messages/index.js';

/** Senders of one topic that are remembered; the one that was silent for longest is forgotten. */
const SENDERS = 256;

/** What a message of some topics may be. */
export interface TopicLimits {
  /** Largest envelope, in bytes. A larger one is refused before it is decoded. */
  readonly maxBytes: number;
  /** Milliseconds after which a message is worth nothing; 0 for ever. */
  readonly lifetimeMs: number;
}

/** Why a message was not taken, for counters. */
export type Refusal = 'too_large' | 'undecodable' | 'other_robot' | 'other_type' | 'duplicate' | 'expired';

/** The message that was encoded last, and its bytes: a status of the learner goes to every robot of a fleet. */
let last: { readonly message: object; readonly type: WireTypeName; readonly bytes: Uint8Array } | undefined;

function encoded(type: WireTypeName, message: object): Uint8Array {
  if (last?.message === message && last.type === type) return last.bytes;
  const bytes = protobuf.encode(type, message as WireTypes[WireTypeName]);
  last = { message, type, bytes };
  return bytes;
}

/** Seals the messages of one sender on one topic. */
export class Sealer {
  readonly #robot: string;
  readonly #sender: string;
  readonly #type: WireTypeName;
  #sequence: bigint;

  constructor(robot: string, sender: string, type: WireTypeName, first = 0n) {
    this.#sequence = first;
    this.#robot = robot;
    this.#sender = sender;
    this.#type = type;
  }

  seal(message: unknown, lifetimeMs = 0, sentNs = wallClockNs()): Uint8Array {
    return protobuf.encode('iq_learn_link/msg/Envelope', {
      robot: this.#robot,
      sender: this.#sender,
      sequence: this.#sequence++,
      sent_ns: sentNs,
      lifetime_ms: lifetimeMs,
      type: this.#type,
      payload: encoded(this.#type, message as object),
    });
  }
}

interface Sender {
  highest: bigint;
  /** The least difference of arrival and sending so far: the offset of both clocks and the shortest way. */
  leastNs: bigint;
}

/**
 * Opens what arrives on one topic: refuses what is too large, of another robot or type, repeated, or too late. A message is
 * too late where it took longer than its lifetime compared with the fastest message of its sender, so that clocks need
 * not agree. Messages of one sender come in order, so one that is not newer than the last is a repetition.
 */
export class Opener {
  readonly #robot: string;
  readonly #type: WireTypeName;
  readonly #limits: TopicLimits;
  readonly #refused: (reason: Refusal, error?: IqLearnError) => void;
  readonly #senders = new Map<string, Sender>();

  constructor(
    robot: string,
    type: WireTypeName,
    limits: TopicLimits,
    refused: (reason: Refusal, error?: IqLearnError) => void,
  ) {
    this.#robot = robot;
    this.#type = type;
    this.#limits = limits;
    this.#refused = refused;
  }

  /** The message in `bytes`, or undefined where it is refused. */
  open(topic: string, bytes: Uint8Array, nowNs = wallClockNs()): unknown {
    if (bytes.length > this.#limits.maxBytes) {
      this.#refuse('too_large', topic, `${bytes.length} bytes`, `at most ${this.#limits.maxBytes}`);
      return undefined;
    }
    try {
      const { robot, sender, sequence, sent_ns, lifetime_ms, type, payload } = protobuf.decode(
        'iq_learn_link/msg/Envelope',
        bytes,
      );
      if (robot !== this.#robot) return this.#refuse('other_robot', topic, `robot '${robot}'`, `'${this.#robot}'`);
      if (type !== this.#type) return this.#refuse('other_type', topic, `type '${type}'`, this.#type);
      const known = this.#senderOf(sender);
      if (sequence <= known.highest) return void this.#refused('duplicate');
      const tookNs = nowNs - sent_ns;
      if (tookNs < known.leastNs) known.leastNs = tookNs;
      const lateMs = Number(tookNs - known.leastNs) / 1e6;
      if (lifetime_ms > 0 && lateMs > lifetime_ms) return void this.#refused('expired');
      const message = protobuf.decode(this.#type, payload);
      known.highest = sequence;
      return message;
    } catch (error) {
      this.#refused('undecodable', error as IqLearnError);
      return undefined;
    }
  }

  #senderOf(name: string): Sender {
    const sender = this.#senders.get(name) ?? { highest: -1n, leastNs: 1n << 62n };
    this.#senders.delete(name);
    this.#senders.set(name, sender);
    if (this.#senders.size > SENDERS) this.#senders.delete(this.#senders.keys().next().value!);
    return sender;
  }

  #refuse(reason: Refusal, topic: string, found: string, expected: string): undefined {
    this.#refused(
      reason,
      new IqLearnError('MISMATCH', `a message on ${topic} is refused`, {
        found,
        expected,
        remedy: 'see which client publishes there; the access rules of the broker should not let it',
      }),
    );
  }
}
