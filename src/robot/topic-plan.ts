import type { ImageSource } from './images/image-source.js';
import { imageOf } from './images/kept-image.js';
import { JointReader, type JointSlot } from './joint-reader.js';
import type { MessageKind } from './kinds/message-kind.js';
import { messageKind } from './kinds/registry.js';
import { fieldReader, poseReader, type Reader, sectorReader } from './readers.js';
import { type DerivedVelocity, TopicState } from './topic-state.js';
import type { FeatureSource, ObservationFeatureSpec, RelativeComponent, TopicSpec } from './types.js';

type StateKind = NonNullable<MessageKind['state']>;
/** An accessor of a message kind that takes what arrived on the topic. */
type Accessor<Form extends 'pose' | 'scan' | 'joints'> = (message: unknown) => ReturnType<NonNullable<StateKind[Form]>>;

/** Collects which numbers features need from a topic, then makes its state. */
export class TopicPlan {
  readonly #spec: TopicSpec;
  readonly #readers: Reader[] = [];
  readonly #joints: JointSlot[] = [];
  readonly #derived: DerivedVelocity[] = [];
  readonly #sectors = new Map<number, { readonly base: number; high: number }>();
  #poseSlot: number | null = null;
  #needsOrientation = false;
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

  /** The first of the seven slots of the topic's pose, which a feature needs for this component. */
  pose(role: 'pose' | 'reference', component: RelativeComponent): number {
    const isDistance = component === 'distance' || component === 'planar_distance';
    if (role === 'reference' ? !isDistance : /^yaw_/.test(component)) this.#needsOrientation = true;
    this.#poseSlot ??= this.#reserve(7);
    return this.#poseSlot;
  }

  /** `isSwung`: of a joint that its efforts move, which may swing from one place to another between two messages. */
  slotOf(
    {
      source,
      unit,
      low,
      high,
    }: ObservationFeatureSpec & { readonly source: Exclude<FeatureSource, { kind: 'relative' }> },
    isSwung: boolean,
  ): number {
    if (source.kind === 'sector') {
      const known = this.#sectors.get(source.sectors) ?? { base: this.#reserve(source.sectors), high };
      known.high = Math.min(known.high, high);
      this.#sectors.set(source.sectors, known);
      return known.base + source.index;
    }
    const slot = this.#reserve(1);
    if (source.kind === 'field') this.#readers.push(fieldReader(source.path, slot));
    else if (source.derived === true) {
      const position = this.#reserve(1);
      this.#joints.push({ joint: source.joint, quantity: 'position', slot: position });
      this.#derived.push({ joint: source.joint, position, velocity: slot, isAngle: unit === 'rad/s' });
    } else {
      const ranged = source.quantity === 'position' && !isSwung ? { ranged: { unit, low, high } } : {};
      this.#joints.push({ joint: source.joint, quantity: source.quantity, slot, ...ranged });
    }
    return slot;
  }

  /** The first of the slots of an image's bytes. */
  image(source: ImageSource): number {
    const slot = this.#reserve(source.height * source.width * source.channels);
    this.#readers.push((message, out) => {
      const read = imageOf(message, source);
      if (!(read instanceof Uint8Array)) return read;
      out.set(read, slot);
      return null;
    });
    return slot;
  }

  build(): TopicState {
    const readers = [...this.#readers];
    if (this.#poseSlot !== null)
      readers.push(poseReader(this.#accessor('pose'), this.#poseSlot, this.#needsOrientation));
    for (const [sectors, { base, high }] of this.#sectors)
      readers.push(sectorReader(this.#accessor('scan'), sectors, base, high));
    const joints = this.#joints.length > 0 ? new JointReader(this.#accessor('joints'), this.#joints) : null;
    const slots = this.#slots;
    return new TopicState(this.#spec, {
      whole: readers,
      joints,
      derived: this.#derived,
      poseSlot: this.#poseSlot,
      slots,
    });
  }
}
