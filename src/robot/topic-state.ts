import type { MessageKind } from './kinds/message-kind.js';
import { messageKind } from './kinds/registry.js';
import {
  fieldReader,
  type JointSlot,
  jointReader,
  poseReader,
  type Reader,
  type Refused,
  sectorReader,
} from './readers.js';
import type { FeatureSource, TopicSpec } from './types.js';

/** The last good message of a state topic, reduced to the numbers that features need. */
export class TopicState {
  readonly spec: TopicSpec;
  readonly timeoutNs: bigint | null;
  readonly #readers: readonly Reader[];
  values: Float64Array;
  #scratch: Float64Array;
  known = false;
  stampNs = 0n;
  receivedNs = 0n;
  backward = 0;
  /** Why the newest message was dropped; null after one was accepted. */
  problem: string | null = null;

  constructor(spec: TopicSpec, readers: readonly Reader[], slots: number) {
    this.spec = spec;
    this.timeoutNs = Number.isFinite(spec.timeoutMs) ? BigInt(Math.round(spec.timeoutMs * 1e6)) : null;
    this.#readers = readers;
    this.values = new Float64Array(slots);
    this.#scratch = new Float64Array(slots);
  }

  /** Reads a message completely or not at all: a refused one leaves the last good values. Returns why it was refused, or null. */
  read(message: unknown): Refused | null {
    for (const reader of this.#readers) {
      const refused = reader(message, this.#scratch);
      if (refused !== null) return refused;
    }
    [this.values, this.#scratch] = [this.#scratch, this.values];
    return null;
  }

  forget(): void {
    this.known = false;
    this.backward = 0;
    this.problem = null;
  }
}

type StateKind = NonNullable<MessageKind['state']>;
/** An accessor of a message kind that takes what arrived on the topic. */
type Accessor<Form extends 'pose' | 'scan' | 'joints'> = (message: unknown) => ReturnType<NonNullable<StateKind[Form]>>;

/** Collects which numbers features need from a topic, then makes its state. */
export class TopicPlan {
  readonly #spec: TopicSpec;
  readonly #readers: Reader[] = [];
  readonly #joints: JointSlot[] = [];
  readonly #sectors = new Map<number, number>();
  #poseSlot: number | undefined;
  #slots = 0;

  constructor(spec: TopicSpec) {
    this.#spec = spec;
  }

  /** How this topic's type gives a form of features. Parsing has refused features that the type does not offer. */
  #accessor<Form extends 'pose' | 'scan' | 'joints'>(form: Form): Accessor<Form> {
    const accessor = messageKind(this.#spec.type)?.state?.[form];
    if (accessor === undefined) throw new RangeError(`${this.#spec.type} offers no ${form}`);
    return accessor as Accessor<Form>;
  }

  #reserve(count: number): number {
    const slot = this.#slots;
    this.#slots += count;
    return slot;
  }

  pose(): number {
    if (this.#poseSlot === undefined) {
      this.#poseSlot = this.#reserve(7);
      this.#readers.push(poseReader(this.#accessor('pose'), this.#poseSlot));
    }
    return this.#poseSlot;
  }

  slotOf(source: Exclude<FeatureSource, { kind: 'relative' }>): number {
    if (source.kind === 'sector') {
      let base = this.#sectors.get(source.sectors);
      if (base === undefined) {
        base = this.#reserve(source.sectors);
        this.#sectors.set(source.sectors, base);
        this.#readers.push(sectorReader(this.#accessor('scan'), source.sectors, base));
      }
      return base + source.index;
    }
    const slot = this.#reserve(1);
    if (source.kind === 'field') this.#readers.push(fieldReader(source.path, slot));
    else this.#joints.push({ joint: source.joint, quantity: source.quantity, slot });
    return slot;
  }

  build(): TopicState {
    if (this.#joints.length > 0) this.#readers.push(jointReader(this.#accessor('joints'), this.#joints));
    return new TopicState(this.#spec, this.#readers, this.#slots);
  }
}
