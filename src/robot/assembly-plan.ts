import { type BlockArray, type PerBlock, STATE_BLOCK, unknownName } from '../common/index.js';
import { RelativePose } from './geometry.js';
import { TopicPlan } from './topic-plan.js';
import type { TopicState } from './topic-state.js';
import type { FeatureSource, ObservationFeatureSpec, RobotSpec } from './types.js';

/** A feature of the present. */
type Present = ObservationFeatureSpec & { readonly source: FeatureSource };

const isPresent = (feature: ObservationFeatureSpec): feature is Present => feature.lag === undefined;

/** Whether a joint is commanded, and neither by its position nor by its speed: nothing says how fast it moves. */
function isSwung(source: FeatureSource, { action }: RobotSpec): boolean {
  const own = action.filter(({ path }) => source.kind === 'joint' && path === source.joint);
  return own.length > 0 && own.every(({ quantity }) => quantity !== 'position' && quantity !== 'velocity');
}

interface Pair {
  readonly key: string;
  readonly relative: RelativePose;
  readonly pose: TopicState;
  readonly poseAt: number;
  readonly reference: TopicState;
  readonly referenceAt: number;
}

/** Where the bytes of an image block lie among the values of its topic. Whoever asks for them looks them up anew: a state swaps its arrays. */
interface ImageSlots {
  readonly name: string;
  readonly state: TopicState;
  readonly from: number;
  readonly to: number;
}

/** A spec's observation in executable form: the states of the topics, and how each feature is read from them. */
export class AssemblyPlan {
  readonly states: ReadonlyMap<string, TopicState>;
  /**
   * For each feature of the present, its place in the observation and its getter, in the order of the spec. Only valid
   * after `update()`. Those of earlier control periods are made from these: see history.ts.
   */
  readonly features: readonly { readonly at: number; readonly get: () => number }[];
  readonly #pairs: Pair[] = [];
  readonly #images: readonly ImageSlots[];

  constructor(spec: RobotSpec) {
    const plans = new Map(spec.stateTopics.map((topic) => [topic.topic, new TopicPlan(topic)]));
    const planOf = (topic: string): TopicPlan => {
      const plan = plans.get(topic);
      if (plan === undefined) throw unknownName('state topic', topic, [...plans.keys()]);
      return plan;
    };
    // All slots are reserved before the states, which have that many, are made.
    const present = spec.observation.filter(isPresent);
    const slots = present.map((feature) => {
      const { source } = feature;
      return source.kind === 'relative'
        ? {
            at: planOf(source.topic).pose('pose', source.component),
            reference: planOf(source.reference).pose('reference', source.component),
          }
        : { at: planOf(source.topic).slotOf({ ...feature, source }, isSwung(source, spec)), reference: 0 };
    });
    const images = (spec.images ?? []).map((source) => ({ source, slot: planOf(source.topic).image(source) }));
    const states = new Map([...plans].map(([topic, plan]) => [topic, plan.build()]));
    this.states = states;
    this.#images = images.map(({ source: { block, topic, height, width, channels }, slot }) => ({
      name: block,
      state: states.get(topic)!,
      from: slot,
      to: slot + height * width * channels,
    }));
    this.features = present.map((feature, i) => {
      const { source } = feature;
      const state = states.get(source.topic)!;
      const { at: slot, reference } = slots[i]!;
      const at = spec.observation.indexOf(feature);
      if (source.kind !== 'relative') return { at, get: () => state.values[slot]! };
      const { component } = source;
      const { relative } = this.#pair(state, slot, states.get(source.reference)!, reference);
      return { at, get: () => relative[component] };
    });
  }

  /** The observation of these named numbers and of the newest images. */
  observation(numbers: Float32Array): PerBlock<BlockArray> {
    if (this.#images.length === 0) return numbers;
    const blocks: Record<string, BlockArray> = { [STATE_BLOCK]: numbers };
    for (const { name, state, from, to } of this.#images)
      blocks[name] = Uint8Array.from(state.values.subarray(from, to));
    return blocks;
  }

  /** Recomputes the features that depend on two topics. */
  update(): void {
    for (const { relative, pose, poseAt, reference, referenceAt } of this.#pairs)
      relative.update(pose.values, poseAt, reference.values, referenceAt);
  }

  #pair(pose: TopicState, poseAt: number, reference: TopicState, referenceAt: number): Pair {
    const key = `${pose.spec.topic} ${reference.spec.topic}`;
    const known = this.#pairs.find((pair) => pair.key === key);
    if (known !== undefined) return known;
    const pair = { key, relative: new RelativePose(), pose, poseAt, reference, referenceAt };
    this.#pairs.push(pair);
    return pair;
  }
}
