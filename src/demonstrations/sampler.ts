import { stackObservations } from '../common/index.js';
import { observationOf, type RobotSpec, type TopicSpec, transformTopics } from '../robot/index.js';
import { CommandSampler } from './command-sampler.js';
import type { DemonstrationEpisode } from './episode.js';
import { inStampOrder } from './stamp-order.js';
import { StateSampler } from './state-sampler.js';
import type { SampleReport, Tick, TickLoss } from './tick.js';
import type { EpisodePart, TimedMessage } from './timeline.js';

/** A part of an episode with the messages that it is made of. */
export interface PartToSample {
  /** All messages of the part's stretch of the recording. */
  readonly messages: readonly TimedMessage[];
  /** The newest messages from before that stretch, of topics without a timeout: they are still true. */
  readonly latched: readonly TimedMessage[];
  /** What /tf_static said, anywhere in the recording. */
  readonly transforms: readonly TimedMessage[];
  /** By topic: why messages that name none of the robot's joints say nothing about it. */
  readonly foreign: ReadonlyMap<string, string>;
  readonly part: EpisodePart;
  readonly spec: RobotSpec;
  /** The topics of the actions: the spec's teleoperation or command, one for each of its commands. */
  readonly actions: readonly TopicSpec[];
  /** Names the episode in reports: its recording and number. */
  readonly source: string;
}

/**
 * Samples one part of an episode at the control rate. Tick k is k periods after the first instant at which every state
 * topic has published. Its observation and its action come from the newest messages with stamps up to half a period
 * later, so that rounding of stamps cannot shift a message by a tick, through the code that runs live. A tick that
 * cannot be used cuts the part in two: no transition reaches across it.
 */
export function samplePart(sampled: PartToSample, report: SampleReport): DemonstrationEpisode[] {
  const { part, spec } = sampled;
  const periodNs = 1e9 / spec.rateHz;
  const toleranceNs = BigInt(Math.floor(periodNs / 2)) - 1n;
  const { states, commands } = messagesOf(sampled, toleranceNs, report);
  const silent = spec.stateTopics.find(({ topic }) => states.every((item) => item.topic !== topic));
  if (silent !== undefined) {
    const strange = sampled.foreign.get(silent.topic);
    const missing = `${silent.topic}: no message in this part of the recording`;
    countLoss(
      strange === undefined
        ? { problem: 'state missing', reason: missing }
        : { problem: 'state refused', reason: strange },
      report,
    );
    return [];
  }
  const observations = StateSampler.of(states, spec, sampled.transforms);
  const actions = new CommandSampler(commands, spec, sampled.actions);
  countLate(states, sampled, report);
  // Where all topics are published only once, ticks begin with the episode.
  const originNs = observations.originNs ?? part.startNs ?? states[0]!.stampNs;
  const lastNs = (part.endNs ?? states.at(-1)!.stampNs) + toleranceNs;
  const count = Math.max(0, Math.floor(Number(lastNs - originNs) / periodNs) + 1);
  const tickNs = (k: number): bigint => originNs + BigInt(Math.round(k * periodNs));
  const ticks = Array.from({ length: count }, (_, k): Tick => {
    const { observation, loss } = observations.at(tickNs(k), tickNs(k) + toleranceNs);
    const command = actions.at(tickNs(k), tickNs(k) + toleranceNs);
    const action = command instanceof Float32Array ? command : null;
    observations.executed(action);
    return { observation, action, loss: loss ?? (command instanceof Float32Array ? null : command) };
  });
  return episodesOf(ticks, tickNs, sampled, report);
}

/** A topic that is first heard so much later than another, in nanoseconds, is told: the episode begins only with it. */
const LATE_NS = 1_000_000_000n;

function countLate(states: readonly TimedMessage[], { part, spec }: PartToSample, report: SampleReport): void {
  const firsts = spec.stateTopics
    .filter(({ timeoutMs }) => timeoutMs !== Number.POSITIVE_INFINITY)
    .map(({ topic }) => ({ topic, stampNs: states.find((item) => item.topic === topic)!.stampNs }))
    .sort((a, b) => Number(a.stampNs - b.stampNs));
  const [first, last] = [firsts[0], firsts.at(-1)];
  if (first === undefined || last === undefined || last.stampNs - first.stampNs <= LATE_NS) return;
  const beginNs = part.startNs !== null && part.startNs > first.stampNs ? part.startNs : first.stampNs;
  const seconds = Number(last.stampNs - beginNs) / 1e9;
  const reason = `${last.topic}: first message ${seconds.toFixed(1)} s after that of ${first.topic}`;
  report.late?.add(reason, Math.round(seconds * spec.rateHz));
}

/** The messages that belong to the part, in order of their stamps: those of state topics, and those of actions. */
function messagesOf(
  { messages, latched, part, spec, actions }: PartToSample,
  toleranceNs: bigint,
  report: SampleReport,
): { states: TimedMessage[]; commands: TimedMessage[] } {
  const state = new Map(spec.stateTopics.map((topic) => [topic.topic, topic]));
  const moving = new Set(transformTopics(spec).flatMap(({ topic, isStatic }) => (isStatic ? [] : [topic])));
  const isAction = (topic: string): boolean => actions.some((action) => action.topic === topic);
  const isLatched = (topic: string): boolean => state.get(topic)?.timeoutMs === Number.POSITIVE_INFINITY;
  const earliest = part.startNs === null ? null : part.startNs - toleranceNs;
  const latest = part.endNs === null ? null : part.endNs + toleranceNs;
  const within = messages.filter(
    ({ topic, stampNs }) =>
      (latest === null || stampNs <= latest) &&
      (earliest === null || stampNs >= earliest || isLatched(topic) || moving.has(topic)) &&
      (isAction(topic) || state.has(topic) || moving.has(topic)),
  );
  return {
    states: inStampOrder(
      [...latched, ...within.filter(({ topic }) => state.has(topic) || moving.has(topic))],
      report,
      isLatched,
    ),
    commands: inStampOrder(
      within.filter(({ topic }) => isAction(topic)),
      report,
    ),
  };
}

/** The runs of usable transitions, each as an episode of its own. */
function episodesOf(
  ticks: readonly Tick[],
  tickNs: (k: number) => bigint,
  { part, spec, source }: PartToSample,
  report: SampleReport,
): DemonstrationEpisode[] {
  const runs = usableRuns(ticks);
  countProblems(ticks, runs[0]?.[0] ?? 0, report);
  report.splits += Math.max(0, runs.length - 1);
  const observation = observationOf(spec);
  const actionSize = spec.action.length;
  return runs.map(([from, to]) => {
    const length = to - from;
    const observed = ticks.slice(from, to + 1).map((tick) => tick.observation!);
    const actions = new Float32Array(length * actionSize);
    for (let k = 0; k < length; k++) actions.set(ticks[from + k]!.action!, k * actionSize);
    const terminated = part.terminated && part.endNs !== null && to === ticks.length - 1;
    return {
      source,
      length,
      observation,
      actionSize,
      observations: stackObservations(observation, observed),
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

/** From which tick to which (the last observation) transitions are usable: observation, action, next observation. */
function usableRuns(ticks: readonly Tick[]): [from: number, to: number][] {
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
  return runs;
}

/** Counts ticks with problems from the first usable one on: before it, a person is getting ready. The last tick needs no command. */
function countProblems(ticks: readonly Tick[], first: number, report: SampleReport): void {
  ticks.forEach(({ loss, observation }, k) => {
    if (loss !== null && k >= first && !(k === ticks.length - 1 && observation !== null)) countLoss(loss, report);
  });
}

function countLoss({ problem, reason }: TickLoss, report: SampleReport): void {
  report.ticks[problem]++;
  report.reasons?.add(`${problem}: ${reason}`);
}
