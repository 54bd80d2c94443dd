import { IqLearnError } from '../common/index.js';
import { createActionMapper, createObservationAssembler, type RobotSpec, type TopicSpec } from '../robot/index.js';
import type { DemonstrationEpisode } from './episode.js';
import type { EpisodePart, TimedMessage } from './timeline.js';

/** Why a tick of an episode cannot be used. */
export type TickProblem =
  /** A topic that publishes regularly lacks the message due at this tick, or is older than its timeout. */
  | 'state missing'
  /** The newest message of a topic is not finite, lacks joints, or is given in the wrong frame. */
  | 'state refused'
  | 'command missing'
  | 'command refused';

export interface SampleReport {
  /** Ticks inside an episode that were left out. */
  readonly ticks: Record<TickProblem, number>;
  /** Places where an episode was cut in two. */
  splits: number;
  /** Same topic, same stamp, same bytes: taken once. */
  duplicates: number;
  /** Same topic, same stamp, other bytes: none of them is believed. */
  contradictions: number;
}

export function emptySampleReport(): SampleReport {
  return {
    ticks: { 'state missing': 0, 'state refused': 0, 'command missing': 0, 'command refused': 0 },
    splits: 0,
    duplicates: 0,
    contradictions: 0,
  };
}

/** Messages in order of their stamps, repetitions taken out; a contradicted stamp is kept with `message` null. */
function inOrder(messages: readonly TimedMessage[], report: SampleReport): TimedMessage[] {
  const sorted = messages
    .map((item, i) => ({ item, i }))
    .sort((a, b) => (a.item.stampNs === b.item.stampNs ? a.i - b.i : a.item.stampNs < b.item.stampNs ? -1 : 1))
    .map(({ item }) => item);
  const out: TimedMessage[] = [];
  const last = new Map<string, number>();
  for (const item of sorted) {
    const at = last.get(item.topic);
    const before = at === undefined ? undefined : out[at]!;
    if (before === undefined || before.stampNs !== item.stampNs) {
      last.set(item.topic, out.push(item) - 1);
    } else if (before.message !== null && Buffer.compare(before.data, item.data) === 0) report.duplicates++;
    else {
      report.contradictions++;
      out[at!] = { ...before, message: null };
    }
  }
  return out;
}

/**
 * The age from which a topic's newest message means that one is missing. A topic whose intervals are multiples of
 * their median (nine of ten, within a fifth) publishes regularly, and a multiple is a loss; others have only their timeout.
 */
function dueNs(stamps: readonly bigint[], periodNs: number, timeoutNs: number): number {
  const gaps = stamps.slice(1).map((stamp, i) => Number(stamp - stamps[i]!));
  if (gaps.length === 0) return timeoutNs;
  const median = [...gaps].sort((a, b) => a - b)[gaps.length >> 1]!;
  const unit = Math.max(median, periodNs);
  const regular = gaps.filter((gap) => Math.abs(gap - Math.max(1, Math.round(gap / median)) * median) <= 0.2 * unit);
  return regular.length >= 0.9 * gaps.length ? Math.min(0.95 * unit, timeoutNs) : timeoutNs;
}

interface Tick {
  observation: Float32Array | null;
  action: Float32Array | null;
  problem: TickProblem | null;
}

/** Reads commands at ticks. */
class Commands {
  readonly #messages: readonly TimedMessage[];
  readonly #read: (message: unknown) => Float32Array;
  readonly #dueNs: number;
  #next = 0;
  #current: TimedMessage | undefined;

  constructor(messages: readonly TimedMessage[], spec: RobotSpec, topic: TopicSpec, periodNs: number) {
    this.#messages = messages;
    const mapper = createActionMapper(spec, topic);
    this.#read = (message) => mapper.fromMessage(message);
    this.#dueNs = dueNs(
      messages.map(({ stampNs }) => stampNs),
      periodNs,
      spec.teleop.timeoutMs * 1e6,
    );
  }

  /** The newest command up to `untilNs`, if it is fresh at `tickNs`. */
  at(tickNs: bigint, untilNs: bigint): Float32Array | 'command missing' | 'command refused' {
    while (this.#next < this.#messages.length && this.#messages[this.#next]!.stampNs <= untilNs)
      this.#current = this.#messages[this.#next++];
    if (this.#current === undefined || Number(tickNs - this.#current.stampNs) >= this.#dueNs) return 'command missing';
    if (this.#current.message === null) return 'command refused';
    try {
      return this.#read(this.#current.message);
    } catch (error) {
      if (error instanceof IqLearnError) return 'command refused';
      throw error;
    }
  }
}

/**
 * Samples one part of an episode at the control rate. Tick k stands at the first complete observation + k periods;
 * its observation is made from the newest messages with stamps up to half a period later (so that the rounding of a
 * stamp cannot move it by a tick), its action is the newest command by the same rule, through the code that runs live.
 * Ticks that cannot be used cut the part: no transition reaches across one.
 *
 * `messages` are those of one era, `latched` the newest of topics without timeout from before it,
 * `action` the topic of the actions: the spec's teleop or command.
 */
export function samplePart(
  messages: readonly TimedMessage[],
  latched: readonly TimedMessage[],
  part: EpisodePart,
  spec: RobotSpec,
  action: TopicSpec,
  source: string,
  report: SampleReport,
): DemonstrationEpisode[] {
  const periodNs = 1e9 / spec.rateHz;
  const tolerance = BigInt(Math.floor(periodNs / 2)) - 1n;
  const state = new Map(spec.stateTopics.map((topic) => [topic.topic, topic]));
  const isLatched = (topic: string): boolean => state.get(topic)?.timeoutMs === Number.POSITIVE_INFINITY;
  const earliest = part.startNs === null ? null : part.startNs - tolerance;
  const latest = part.endNs === null ? null : part.endNs + tolerance;
  const within = messages.filter(
    ({ topic, stampNs }) =>
      (latest === null || stampNs <= latest) &&
      (earliest === null || stampNs >= earliest || isLatched(topic)) &&
      (topic === action.topic || state.has(topic)),
  );
  const states = inOrder([...latched, ...within.filter(({ topic }) => state.has(topic))], report);
  const commands = new Commands(
    inOrder(
      within.filter(({ topic }) => topic === action.topic),
      report,
    ),
    spec,
    action,
    periodNs,
  );

  const due = new Map<string, number>();
  let originNs: bigint | undefined;
  for (const topic of spec.stateTopics) {
    const stamps = states.filter((item) => item.topic === topic.topic).map(({ stampNs }) => stampNs);
    if (stamps[0] === undefined) {
      report.ticks['state missing']++;
      return [];
    }
    if (isLatched(topic.topic)) continue;
    due.set(topic.topic, dueNs(stamps, periodNs, topic.timeoutMs * 1e6));
    if (originNs === undefined || stamps[0] > originNs) originNs = stamps[0];
  }
  // only topics that are said once: ticks begin with the episode
  originNs ??= part.startNs ?? states[0]!.stampNs;
  const lastNs = latest ?? states.at(-1)!.stampNs + tolerance;
  const count = Math.max(0, Math.floor(Number(lastNs - originNs) / periodNs) + 1);

  const assembler = createObservationAssembler(spec);
  const refused = new Set<string>();
  let next = 0;
  const tickNs = (k: number): bigint => originNs + BigInt(Math.round(k * periodNs));
  const ticks: Tick[] = [];
  for (let k = 0; k < count; k++) {
    const nowNs = tickNs(k);
    const untilNs = nowNs + tolerance;
    let newestNs = nowNs;
    for (; next < states.length && states[next]!.stampNs <= untilNs; next++) {
      const { topic, message, stampNs } = states[next]!;
      if (message !== null) assembler.accept(topic, message, stampNs);
      if (message !== null && assembler.stamps.get(topic) === stampNs) refused.delete(topic);
      else refused.add(topic);
      if (stampNs > newestNs) newestNs = stampNs;
    }
    const tick: Tick = { observation: null, action: null, problem: null };
    const late = [...due].some(([topic, limit]) => {
      const stampNs = assembler.stamps.get(topic);
      return stampNs === undefined || Number(nowNs - stampNs) >= limit;
    });
    const assembled = refused.size > 0 || late ? null : assembler.assemble(newestNs);
    if (refused.size > 0) tick.problem = 'state refused';
    else if (!assembled?.ok) tick.problem = 'state missing';
    else tick.observation = assembled.observation.slice();
    const action = commands.at(nowNs, untilNs);
    if (typeof action !== 'string') tick.action = action;
    else tick.problem ??= action;
    ticks.push(tick);
  }
  return cut(ticks, tickNs, part, spec, source, report);
}

/** The runs of usable transitions as episodes. */
function cut(
  ticks: readonly Tick[],
  tickNs: (k: number) => bigint,
  part: EpisodePart,
  spec: RobotSpec,
  source: string,
  report: SampleReport,
): DemonstrationEpisode[] {
  const usable = (k: number): boolean => {
    const tick = ticks[k];
    return tick?.observation != null && tick.action !== null && ticks[k + 1]?.observation != null;
  };
  const runs: [from: number, to: number][] = [];
  for (let k = 0; k < ticks.length; k++) {
    if (!usable(k)) continue;
    const from = k;
    while (usable(k)) k++;
    runs.push([from, k]);
  }
  const first = runs[0]?.[0] ?? 0;
  // What lies before the first transition is a person getting ready; the last tick needs no command.
  ticks.forEach(({ problem, observation }, k) => {
    if (problem !== null && k >= first && !(k === ticks.length - 1 && observation !== null)) report.ticks[problem]++;
  });
  report.splits += Math.max(0, runs.length - 1);
  return runs.map(([from, to]) => {
    const length = to - from;
    const observationSize = spec.observation.length;
    const actionSize = spec.action.length;
    const observations = new Float32Array((length + 1) * observationSize);
    const actions = new Float32Array(length * actionSize);
    for (let k = 0; k <= length; k++) observations.set(ticks[from + k]!.observation!, k * observationSize);
    for (let k = 0; k < length; k++) actions.set(ticks[from + k]!.action!, k * actionSize);
    const terminated = part.terminated && part.endNs !== null && to === ticks.length - 1;
    return {
      source,
      length,
      observationSize,
      actionSize,
      observations,
      actions,
      terminated,
      truncated: !terminated,
      success: part.success,
      seed: from === 0 && part.startNs !== null ? part.seed : null,
      stamps: BigInt64Array.from({ length: length + 1 }, (_, k) => tickNs(from + k)),
      rewards: null,
    };
  });
}
