import { clamp, describeObservation, IqLearnError, unknownName } from '../common/index.js';
import { type Header, nanosecondsOf, type TFMessage } from '../messages/index.js';
import { checkPictureDecoder } from '../platform/index.js';
import type {
  Assembled,
  AssemblerCounters,
  AssemblerOptions,
  LookedAt,
  ObservationAssembler,
} from './assembler-types.js';
import { AssemblyPlan } from './assembly-plan.js';
import { FrameChanger, type TransformTopic, transformTopics, type Waiting } from './frame-changes.js';
import { framesAgree } from './frames.js';
import { hasHistory, ObservationHistory } from './history.js';
import { jumped, lookAt } from './look.js';
import { type Refused, refuse } from './readers.js';
import { type CountedRefusal, type Refusal, RefusalCounts } from './refusals.js';
import type { TopicState } from './topic-state.js';
import type { RobotSpec, TopicSpec } from './types.js';

/** This many messages in a row with older stamps mean that the clock has gone back a little. */
const BACKWARD_STREAK = 5;

/**
 * Throws UNSUPPORTED for a robot with a block that no topic's images make: leaving it out of the observations would train
 * a policy on less than its contract says. Also where compressed images cannot be decoded on this machine.
 */
export function createObservationAssembler(spec: RobotSpec, options: AssemblerOptions = {}): ObservationAssembler {
  const { robot, blocks = [], images = [] } = spec;
  const unmade = blocks.filter(({ name }) => !images.some(({ block }) => block === name));
  if (unmade.length > 0)
    throw new IqLearnError('UNSUPPORTED', `${robot} observes a block that is not made of messages`, {
      found: describeObservation(unmade),
      expected: 'named numbers, and images of state topics',
      remedy: 'leave the block out of the description; its topic may stay in state, where it is watched and recorded',
    });
  const compressed = spec.stateTopics.filter(({ type }) => type === 'sensor_msgs/msg/CompressedImage');
  if (compressed.some(({ topic }) => images.some((image) => image.topic === topic))) checkPictureDecoder();
  return new Assembler(spec, options);
}

class Assembler implements ObservationAssembler {
  readonly topics: readonly TopicSpec[];
  readonly stamps = new Map<string, bigint>();
  readonly #plan: AssemblyPlan;
  readonly #states: readonly TopicState[];
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #jumpNs: bigint;
  readonly #simulatedTime: boolean;
  readonly #onRefusal: (refusal: Refusal) => void;
  readonly #counters = {
    accepted: 0,
    notFinite: 0,
    incomplete: 0,
    foreign: 0,
    duplicates: 0,
    reordered: 0,
    wrongFrame: 0,
    contradictory: 0,
    clockJumps: 0,
  };
  readonly #refusals = new RefusalCounts();
  readonly transformTopics: readonly TransformTopic[];
  readonly #frames = new FrameChanger();
  /** The newest message of a topic that waits for a transform. */
  readonly #waiting = new Map<string, Waiting>();
  #jumped: { topic: string; byMs: number } | null = null;
  readonly #history: ObservationHistory | undefined;

  constructor(
    spec: RobotSpec,
    { jumpMs = 1000, simulatedTime = false, onRefusal = () => undefined }: AssemblerOptions,
  ) {
    this.topics = spec.stateTopics;
    this.transformTopics = transformTopics(spec);
    this.#simulatedTime = simulatedTime;
    this.#onRefusal = onRefusal;
    this.#plan = new AssemblyPlan(spec);
    if (hasHistory(spec)) this.#history = new ObservationHistory(spec);
    this.#states = [...this.#plan.states.values()];
    this.#low = Float64Array.from(spec.observation, ({ low }) => low);
    this.#high = Float64Array.from(spec.observation, ({ high }) => high);
    this.#jumpNs = BigInt(Math.round(Math.max(jumpMs, 5000 / spec.rateHz) * 1e6));
  }

  get counters(): AssemblerCounters {
    return { ...this.#counters };
  }

  partsOf(topic: string, message: unknown): readonly number[] {
    return this.#plan.states.get(topic)?.select(message) ?? [];
  }

  get refusals(): readonly CountedRefusal[] {
    return this.#refusals.list;
  }

  problemOf(topic: string): string | null {
    const problem = this.#plan.states.get(topic)?.why ?? null;
    return problem === null ? null : `${topic}: ${problem.text}`;
  }

  cannotHear(topic: string, reason: string): void {
    this.#plan.states.get(topic)?.cannotHear(reason);
  }

  accept(topic: string, message: unknown, receivedNs: bigint, arrivalNs?: bigint | null, stamp?: bigint): boolean {
    const state = this.#plan.states.get(topic);
    if (state === undefined) throw unknownName('state topic', topic, [...this.#plan.states.keys()]);
    const { frameId, framePrefix } = state.spec;
    const given = (message as { readonly header?: Header }).header?.frame_id ?? '';
    if (frameId === undefined || framesAgree(given, frameId, framePrefix))
      return this.#use(state, message, receivedNs, arrivalNs, stamp);
    const changed = this.#frames.into(state.spec, message, stamp);
    if (changed.ok) return this.#use(state, changed.message, receivedNs, arrivalNs, stamp);
    // The transform of a stamp often comes after the message; one that never comes is told when the next message is there.
    const { missing, refused } = changed;
    const before = this.#waiting.get(topic);
    if (before?.missing === 'late') this.#refuse(state, before.refused);
    if (missing !== 'past') this.#waiting.set(topic, { message, receivedNs, arrivalNs, stamp, missing, refused });
    if (missing !== 'late') return this.#refuse(state, refused);
    state.problem = refused;
    return false;
  }

  acceptTransforms(message: TFMessage, isStatic: boolean): readonly string[] {
    this.#frames.put(message, isStatic);
    return [...this.#waiting].flatMap(([topic, waiting]) => (this.#isUsedNow(topic, waiting) ? [topic] : []));
  }

  #isUsedNow(topic: string, { message, receivedNs, arrivalNs, stamp }: Waiting): boolean {
    const state = this.#plan.states.get(topic)!;
    const changed = this.#frames.into(state.spec, message, stamp);
    if (changed.ok) return this.#use(state, changed.message, receivedNs, arrivalNs, stamp);
    state.problem = changed.refused;
    return false;
  }

  isWaiting(topic: string): boolean {
    return this.#waiting.has(topic);
  }

  /** Takes a message that is given in the frame that it has to be given in. */
  #use(
    state: TopicState,
    message: unknown,
    receivedNs: bigint,
    arrivalNs: bigint | null | undefined,
    stamp: bigint | undefined,
  ): boolean {
    const { topic } = state.spec;
    const { header } = message as { readonly header?: Header };
    this.#waiting.delete(topic);
    const parts = state.select(message);
    if (parts.length === 0) {
      this.#counters.foreign += 1;
      state.problem = state.lacking(message, parts);
      return false;
    }
    const last = state.newest(parts);
    const written = stamp ?? (header === undefined ? 0n : nanosecondsOf(header.stamp));
    const isUnstamped = stamp === undefined && written === 0n && arrivalNs !== null && !this.#beganAtZero(state, last);
    const stampNs = isUnstamped ? (arrivalNs ?? last?.stampNs ?? 0n) : written;
    const order = isUnstamped || state.isUnstamped ? 'next' : this.#orderOf(state, last, stampNs, receivedNs);
    if (order === 'late') return false;
    const refused = state.read(message, parts, stampNs);
    if (refused !== null) return this.#refuse(state, refused);
    if (stampNs === last?.stampNs && state.isRepetition) return this.#repeated(state, parts, isUnstamped, receivedNs);
    const rivals = state.rivals(receivedNs);
    if (rivals !== null) {
      state.doubt(parts);
      return this.#refuse(state, rivals);
    }
    state.isUnstamped = isUnstamped;
    state.commit(parts, stampNs, receivedNs);
    // Only said where it matters: while the topic is not complete, or has grown old.
    state.problem = parts.length === state.parts.length ? null : state.lacking(message, parts);
    if (!state.known) return this.#refuse(state, state.incomplete(message));
    this.#counters.accepted += 1;
    this.stamps.set(topic, state.stampNs);
    return true;
  }

  /** A simulation's time begins at 0: close to that, a stamp of 0 is a time and not the lack of one. */
  #beganAtZero(state: TopicState, last: { readonly stampNs: bigint } | null): boolean {
    return last !== null && !state.isUnstamped && last.stampNs > 0n && last.stampNs <= this.#jumpNs;
  }

  /** The same stamp and the same numbers: a driver that hangs, unless its messages have no stamps or time stands still. */
  #repeated(state: TopicState, parts: readonly number[], isUnstamped: boolean, receivedNs: bigint): boolean {
    this.#counters.duplicates += 1;
    if (isUnstamped || this.#simulatedTime) state.refresh(parts, receivedNs);
    else
      state.problem = refuse(
        'incomplete',
        'header.stamp',
        'the last one again',
        'a newer one',
        'repeats its last stamp',
      );
    return isUnstamped;
  }

  #refuse(state: TopicState, refused: Refused): false {
    this.#counters[refused.kind] += 1;
    const whole = { topic: state.spec.topic, ...refused };
    if (this.#refusals.add(whole)) this.#onRefusal(whole);
    state.problem = refused;
    return false;
  }

  /**
   * Where a stamp lies: after the last one of these parts, at the same time, or before it. After a jump of the clock all
   * history is dropped, and any stamp is next.
   */
  #orderOf(
    state: TopicState,
    last: { readonly stampNs: bigint; readonly receivedNs: bigint } | null,
    stampNs: bigint,
    receivedNs: bigint,
  ): 'next' | 'same' | 'late' {
    if (last === null) return 'next';
    const step = stampNs - last.stampNs;
    if (step === 0n) return 'same';
    const passed = receivedNs > last.receivedNs ? receivedNs - last.receivedNs : 0n;
    if (step < 0n && step >= -this.#jumpNs) {
      state.backward += 1;
      if (state.backward < BACKWARD_STREAK) {
        this.#counters.reordered += 1;
        return 'late';
      }
    } else if (step > 0n && step - passed <= this.#jumpNs) return 'next';
    this.#counters.clockJumps += 1;
    this.clockJumped();
    this.#jumped = { topic: state.spec.topic, byMs: Number(step) / 1e6 };
    return 'next';
  }

  assemble(nowNs: bigint): Assembled {
    const seen = this.look(nowNs);
    this.#jumped = null;
    if (!seen.ok) {
      this.#history?.reset();
      return seen;
    }
    this.#plan.update();
    const observation = new Float32Array(this.#low.length);
    const { features } = this.#plan;
    for (let i = 0; i < features.length; i++) {
      const { at, get } = features[i]!;
      observation[at] = clamp(get(), this.#low[at]!, this.#high[at]!);
    }
    this.#history?.complete(observation, nowNs);
    return { ok: true, stampNs: seen.stampNs, ageMs: seen.ageMs, observation: this.#plan.observation(observation) };
  }

  executed(command: ArrayLike<number>): void {
    this.#history?.executed(command);
  }

  cut(): void {
    this.#history?.reset();
  }

  look(nowNs: bigint): LookedAt {
    return this.#jumped === null ? lookAt(this.#states, nowNs) : jumped(this.#jumped);
  }

  waitingFor(nowNs: bigint): string {
    const seen = lookAt(this.#states, nowNs);
    return seen.ok ? '' : seen.text;
  }

  completeAt(stampNs: bigint): boolean {
    for (const state of this.#states)
      if (!state.known || (state.timeoutNs !== null && state.stampNs < stampNs)) return false;
    return true;
  }

  reset(): void {
    for (const state of this.#states) state.forget();
    this.clockJumped();
  }

  clockJumped(): void {
    for (const state of this.#states) state.clockJumped();
    this.stamps.clear();
    this.#waiting.clear();
    this.#frames.forget();
    this.#jumped = null;
    this.#history?.reset();
  }
}
