import { candidateStyles } from './candidates.js';
import type { EpisodeResult, PolicyResult, ReportCandidate } from './data.js';
import { asset } from './document.js';
import { html, Markup } from './escape.js';
import { duration, figure, meanAndDeviation, percent } from './format.js';
import { comparison } from './sections/comparison.js';
import { meanInterval, successInterval, summarise } from './statistics.js';
import { textColumns } from './text-columns.js';

/** A trial of a policy, judged on a robot by a person or a topic, in the simulation by the task. */
export interface TrialResult {
  /** Its place in the order of all trials, from 1. */
  readonly trial: number;
  /** Label of the policy. */
  readonly policy: string;
  readonly verdict: 'success' | 'failure' | 'unknown';
  /** How often a person took over from the policy. */
  readonly interventions: number;
  readonly seconds: number;
  /** Why it ended. */
  readonly reason: string;
  /** When it ended: ISO 8601, UTC. */
  readonly date: string;
  /** What the simulator says of it; absent for a robot. */
  readonly episode?: EpisodeResult | undefined;
}

/** Everything that is known of an evaluation; `trials.json` holds it. */
export interface TrialsData {
  readonly format: 'iq_learn trials 1';
  readonly robot: string;
  readonly description: string;
  /** Set where the robot is simulated. A task that defines no success is judged by its return. */
  readonly simulation?: { readonly hasSuccess: boolean } | undefined;
  /** Trials that each policy is to have. */
  readonly trials: number;
  /** Of the order of the policies. */
  readonly seed: number;
  readonly policies: readonly {
    readonly label: string;
    /** Folder of the policy. */
    readonly folder: string;
    /** The policy's own name: robot, version and hash. */
    readonly id: string;
  }[];
  readonly results: readonly TrialResult[];
}

/** The figures of one policy. */
export interface TrialSummary {
  readonly label: string;
  readonly trials: number;
  readonly successes: number;
  readonly rate: number;
  /** 95 % interval of the success rate (Wilson 1927). */
  readonly interval: readonly [number, number];
  /** Trials in which a person took over. */
  readonly assisted: number;
  /** Mean duration of the successful trials, seconds; NaN without one. */
  readonly seconds: number;
}

/** What a policy did by itself is its success; one that a person helped to is not. */
export const isSuccess = ({ verdict, interventions }: TrialResult): boolean =>
  verdict === 'success' && interventions === 0;

/** The figures of every policy, in the order in which the policies are given. */
export function summariseTrials({ policies, results }: Pick<TrialsData, 'policies' | 'results'>): TrialSummary[] {
  return policies.map(({ label }) => {
    const own = results.filter(({ policy }) => policy === label);
    const won = own.filter(isSuccess);
    return {
      label,
      trials: own.length,
      successes: won.length,
      rate: own.length === 0 ? 0 : won.length / own.length,
      interval: successInterval(won.length, own.length),
      assisted: own.filter(({ interventions }) => interventions > 0).length,
      seconds: won.reduce((sum, { seconds }) => sum + seconds, 0) / won.length,
    };
  });
}

const time = (seconds: number): string => (Number.isFinite(seconds) ? `${seconds.toFixed(1)} s` : '–');
const interval = (ends: readonly [number, number], text: (value: number) => string): string =>
  ends.map(text).join(' … ');

/** The episodes of every policy of an evaluation in the simulation; a policy is named by its label. */
export function simulatedResults({ policies, results }: Pick<TrialsData, 'policies' | 'results'>): PolicyResult[] {
  return policies.map(({ label }) => ({
    policy: label,
    episodes: results.flatMap(({ policy, episode }) => (policy === label && episode !== undefined ? [episode] : [])),
  }));
}

type TableData = Pick<TrialsData, 'policies' | 'results' | 'simulation'>;

function successCells({ trials, successes, rate, interval: ends }: TrialSummary): string[] {
  return trials === 0 ? ['–', '–'] : [`${successes} of ${trials} (${percent(rate)})`, interval(ends, percent)];
}

/** The head of the table of an evaluation, and a row for each policy. */
function tableOf(data: TableData): { head: readonly string[]; rows: readonly (readonly string[])[] } {
  const { simulation } = data;
  const summaries = summariseTrials(data);
  if (simulation === undefined)
    return {
      head: ['policy', 'success', '95 % interval', 'trials', 'assisted', 'time to success'],
      rows: summaries.map((each) => [
        each.label,
        ...successCells(each),
        String(each.trials),
        String(each.assisted),
        time(each.seconds),
      ]),
    };
  const { hasSuccess } = simulation;
  const episodes = simulatedResults(data);
  return {
    head: [
      'policy',
      ...(hasSuccess ? ['success', '95 % interval', 'time to success'] : []),
      'return (mean ± sd)',
      '95 % interval of the mean',
      ...(hasSuccess ? [] : ['lowest', 'ended early']),
      'trials',
    ],
    rows: summaries.map((each, i) => {
      const { trials, label, seconds } = each;
      const summary = summarise(episodes[i]!.episodes);
      return [
        label,
        ...(hasSuccess ? [...successCells(each), time(seconds)] : []),
        trials === 0 ? '–' : meanAndDeviation(summary),
        trials < 2 ? '–' : interval(meanInterval(summary), (value) => figure(value, summary.deviation)),
        ...(hasSuccess ? [] : [figure(summary.lowest), String(trials === 0 ? '–' : (summary.terminated ?? '–'))]),
        String(trials),
      ];
    }),
  };
}

/** The table of an evaluation as text. */
export function trialTable(data: TableData): string {
  const { head, rows } = tableOf(data);
  return textColumns([head, ...rows]);
}

const COLOURS = [
  ['#2457d6', '#6ea1ff'],
  ['#c76a00', '#f2a541'],
  ['#00845f', '#3ecf9b'],
  ['#a0287a', '#f08bcb'],
  ['#00798c', '#4fc3d6'],
  ['#7a6a00', '#d8c84a'],
] as const;

function bar(id: string, { label, trials, rate, interval: [low, high] }: TrialSummary): Markup {
  const place = (left: number, width: number): string => `left:${left.toFixed(2)}%;width:${width.toFixed(2)}%`;
  return html`<div class="row ${id}"><span class="label">${label}</span>
    <span class="track"><i class="bar" style="${place(0, 100 * rate)}"></i><i class="whisker" style="${place(100 * low, 100 * (high - low))}"></i></span>
    <span class="value">${trials === 0 ? '–' : percent(rate)}</span></div>`;
}

/** How often each policy succeeded on a robot, as bars. */
function successBars(candidates: readonly ReportCandidate[], summaries: readonly TrialSummary[]): Markup {
  return html`<section id="results"><h2>How often it succeeds</h2>
  <figure class="card"><figcaption>Success <small>bar: share of trials · line: 95 % interval (Wilson)</small></figcaption>
  <div class="rows" role="img" aria-label="Success rate of each policy; the table below holds the numbers">${summaries.map((summary, i) => bar(candidates[i]!.id, summary))}</div></figure></section>`;
}

/** The table of the policies. */
function policyTable(data: TrialsData, candidates: readonly ReportCandidate[]): Markup {
  const { head, rows } = tableOf(data);
  const note =
    data.simulation === undefined
      ? 'A trial in which a person took over from the policy is assisted, and not a success of the policy, however it ended.'
      : "In each round every policy drives from the same fresh start. Intervals of success are Wilson's, of the mean return Student's.";
  return html`<section id="policies"><h2>The policies</h2><div class="scroll"><table>
  <thead><tr>${[...head, 'bundle'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
  <tbody>${rows.map(
    ([label, ...cells], i) =>
      html`<tr class="${candidates[i]!.id}"><th scope="row"><i class="swatch"></i>${label!}</th>${[...cells, data.policies[i]!.id].map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table></div>
  <p>${note}</p></section>`;
}

function everyTrial({ results, simulation }: TrialsData): Markup {
  const head = [
    'Trial',
    'Policy',
    'Outcome',
    simulation === undefined ? 'Took over' : 'Return',
    'Time',
    'Why it ended',
  ];
  return html`<section id="trials"><h2>Every trial</h2><div class="scroll"><table>
  <thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
  <tbody>${results.map(
    ({ trial, policy, verdict, interventions, seconds, reason, episode }) =>
      html`<tr><td>${trial}</td><td>${policy}</td><td>${verdict}</td><td>${episode === undefined ? interventions : figure(episode.return)}</td><td>${time(seconds)}</td><td>${reason}</td></tr>`,
  )}</tbody></table></div></section>`;
}

/** The report of an evaluation, as one HTML file that needs nothing else. Throws what `candidateStyles` throws. */
export function renderTrials(data: TrialsData, date: Date): string {
  const { policies, results, simulation } = data;
  const candidates = policies.map(({ label }, i): ReportCandidate => {
    const [light, dark] = COLOURS[i % COLOURS.length]!;
    return { id: `policy-${i}`, label, role: 'learned', colour: { light, dark } };
  });
  const seconds = results.reduce((sum, trial) => sum + trial.seconds, 0);
  const wanted = data.trials * policies.length;
  const where = simulation === undefined ? 'on the robot' : 'in the simulation';
  const episodes = simulatedResults(data).map((result, i) => ({ ...result, policy: candidates[i]!.id }));
  return html`${new Markup('<!doctype html>')}
<html lang="en"><head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${data.robot} – iq_learn evaluation</title><link rel="icon" href="data:,">
<style>${new Markup(`${asset('page.css')}\n${candidateStyles(candidates)}`)}</style>
</head><body><main>
<header>
  <p class="eyebrow">iq_learn evaluation · <time datetime="${date.toISOString()}">${date.toISOString().slice(0, 16).replace('T', ' ')} UTC</time></p>
  <h1>${data.robot}: ${policies.length === 1 ? 'a policy' : `${policies.length} policies`} ${where}</h1>
  <p class="lead">${data.description}</p>
  <p class="verdict">${results.length} of ${wanted} trials, ${duration(seconds)} of driving, in an order drawn at random (seed ${data.seed}).</p>
  ${results.length < wanted && html`<p class="note">The evaluation is not complete; it can be gone on with.</p>`}
</header>
${simulation === undefined ? successBars(candidates, summariseTrials(data)) : comparison({ candidates, results: episodes, hasSuccess: simulation.hasSuccess })}
${policyTable(data, candidates)}
${everyTrial(data)}
</main><footer>Made by iq_learn, imitation learning for robots. This file stands alone: it loads nothing.</footer></body></html>
`.text;
}
