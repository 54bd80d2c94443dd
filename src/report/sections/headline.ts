import { type PolicyKind, policyLabels, type ReportData } from '../data.js';
import { html, type Markup } from '../escape.js';
import { count, duration, figure, meanAndDeviation, percent } from '../format.js';
import { type Summary, summarise } from '../statistics.js';

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** One sentence that says what came out, with its numbers. */
function verdict(summaries: ReadonlyMap<PolicyKind, Summary>, hasSuccess: boolean): string {
  const text = (kind: PolicyKind): string | undefined => {
    const summary = summaries.get(kind);
    if (summary === undefined || summary.episodes === 0) return undefined;
    return hasSuccess ? `${summary.successes} of ${summary.episodes}` : `a return of ${meanAndDeviation(summary)}`;
  };
  const learned = text('iq-learn');
  if (learned === undefined) return 'This run was not evaluated.';
  const others = (['expert', 'behavioural-cloning', 'random'] as const).flatMap((kind) => {
    const found = text(kind);
    return found === undefined ? [] : `${policyLabels[kind].toLowerCase()} ${found}`;
  });
  const rest = others.length === 0 ? '' : ` Beside it: ${others.join(', ')}.`;
  return hasSuccess
    ? `The learned policy succeeded in ${learned} fresh starts.${rest}`
    : `The learned policy reached ${learned}.${rest}`;
}

/** Share of the expert's success (or mean return) that was reached, where that has a meaning. */
function shareOfExpert(summaries: ReadonlyMap<PolicyKind, Summary>, hasSuccess: boolean): string | undefined {
  const [learned, expert] = [summaries.get('iq-learn'), summaries.get('expert')];
  if (learned === undefined || expert === undefined) return undefined;
  const [a, b] = hasSuccess ? [learned.successRate, expert.successRate] : [learned.mean, expert.mean];
  return b > 0 && a >= 0 ? percent(a / b) : undefined;
}

/** Title, verdict, the figures that matter most, and what the reader must know. */
export function headline(data: ReportData): Markup {
  const summaries = new Map(data.results.map(({ policy, episodes }) => [policy, summarise(episodes)]));
  const learned = summaries.get('iq-learn');
  const last = data.learning.points.at(-1);
  const share = shareOfExpert(summaries, data.hasSuccess);
  const tiles: [string, string, string][] = [];
  if (learned !== undefined && data.hasSuccess)
    tiles.push(['Success', percent(learned.successRate), `${learned.successes} of ${learned.episodes} episodes`]);
  if (learned !== undefined && !data.hasSuccess)
    tiles.push(['Return', figure(learned.mean), `± ${figure(learned.deviation)} over ${learned.episodes} episodes`]);
  if (share !== undefined)
    tiles.push(['Of the expert', share, data.hasSuccess ? 'share of its success' : 'share of its return']);
  tiles.push([
    'Shown',
    `${data.demonstrations.episodes}`,
    `demonstrations, ${duration(data.demonstrations.seconds)} of driving`,
  ]);
  if (last !== undefined)
    tiles.push([
      'Learned in',
      duration(last.seconds),
      `${count(last.transitions)} own steps, ${count(last.updates)} updates`,
    ]);
  const { episodes } = data.demonstrations;
  return html`<header>
    <p class="eyebrow">iq_learn report · <time datetime="${data.date}">${data.date.slice(0, 16).replace('T', ' ')} UTC</time></p>
    <h1>${capitalised(data.robot)}, taught by ${episodes} demonstration${episodes === 1 ? '' : 's'}</h1>
    <p class="lead">${data.description}</p>
    <p class="verdict">${verdict(summaries, data.hasSuccess)}</p>
    ${data.notes.map((note) => html`<p class="note">${note}</p>`)}
    <dl class="tiles">${tiles.map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}<small>${more}</small></dd></div>`)}</dl>
  </header>`;
}
