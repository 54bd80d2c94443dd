import { candidateStyles } from './candidates.js';
import type { ReportCandidate } from './data.js';
import { asset } from './document.js';
import { html, Markup } from './escape.js';
import { duration, percent } from './format.js';
import { successInterval } from './statistics.js';
import { textColumns } from './text-columns.js';

/** A trial of a policy on a robot, judged by a person or a topic. */
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
}

/** Everything that is known of an evaluation on a robot; `trials.json` holds it. */
export interface TrialsData {
  readonly format: 'iq_learn trials 1';
  readonly robot: string;
  readonly description: string;
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

/** The table of an evaluation as text. */
export function trialTable(data: Pick<TrialsData, 'policies' | 'results'>): string {
  return textColumns([
    ['policy', 'success', '95 % interval', 'trials', 'assisted', 'time to success'],
    ...summariseTrials(data).map(({ label, trials, successes, rate, interval, assisted, seconds }) => [
      label,
      trials === 0 ? '–' : `${successes} of ${trials} (${percent(rate)})`,
      trials === 0 ? '–' : interval.map(percent).join(' … '),
      String(trials),
      String(assisted),
      time(seconds),
    ]),
  ]);
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

/** The report of an evaluation on a robot, as one HTML file that needs nothing else. Throws what `candidateStyles` throws. */
export function renderTrials(data: TrialsData, date: Date): string {
  const summaries = summariseTrials(data);
  const candidates = data.policies.map(({ label }, i): ReportCandidate => {
    const [light, dark] = COLOURS[i % COLOURS.length]!;
    return { id: `policy-${i}`, label, role: 'learned', colour: { light, dark } };
  });
  const seconds = data.results.reduce((sum, trial) => sum + trial.seconds, 0);
  const wanted = data.trials * data.policies.length;
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
  <h1>${data.robot}: ${data.policies.length === 1 ? 'a policy' : `${data.policies.length} policies`} on the robot</h1>
  <p class="lead">${data.description}</p>
  <p class="verdict">${data.results.length} of ${wanted} trials, ${duration(seconds)} of driving, in an order drawn at random (seed ${data.seed}).</p>
  ${data.results.length < wanted && html`<p class="note">The evaluation is not complete; it can be gone on with.</p>`}
</header>
<section id="results"><h2>How often it succeeds</h2>
  <figure class="card"><figcaption>Success <small>bar: share of trials · line: 95 % interval (Wilson)</small></figcaption>
  <div class="rows" role="img" aria-label="Success rate of each policy; the table below holds the numbers">${summaries.map((summary, i) => bar(candidates[i]!.id, summary))}</div></figure>
  <div class="scroll"><table>
  <thead><tr><th scope="col">Policy</th><th scope="col">Success</th><th scope="col">95 % interval</th><th scope="col">Assisted</th><th scope="col">Time to success</th><th scope="col">Bundle</th></tr></thead>
  <tbody>${summaries.map(
    ({ label, trials, successes, rate, interval, assisted, seconds: mean }, i) =>
      html`<tr class="${candidates[i]!.id}"><th scope="row"><i class="swatch"></i>${label}</th><td>${trials === 0 ? '–' : percent(rate)} <small>${successes} of ${trials}</small></td><td>${interval.map(percent).join(' … ')}</td><td>${assisted}</td><td>${time(mean)}</td><td>${data.policies[i]!.id}</td></tr>`,
  )}</tbody></table></div>
  <p>A trial in which a person took over from the policy is assisted, and not a success of the policy, however it ended.</p>
</section>
<section id="trials"><h2>Every trial</h2><div class="scroll"><table>
  <thead><tr><th scope="col">Trial</th><th scope="col">Policy</th><th scope="col">Outcome</th><th scope="col">Took over</th><th scope="col">Time</th><th scope="col">Why it ended</th></tr></thead>
  <tbody>${data.results.map(
    (trial) =>
      html`<tr><td>${trial.trial}</td><td>${trial.policy}</td><td>${trial.verdict}</td><td>${trial.interventions}</td><td>${time(trial.seconds)}</td><td>${trial.reason}</td></tr>`,
  )}</tbody></table></div></section>
</main><footer>Made by iq_learn, imitation learning for robots. This file stands alone: it loads nothing.</footer></body></html>
`.text;
}
