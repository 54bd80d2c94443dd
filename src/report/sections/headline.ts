import type { ReportData } from '../data.js';
import { html, type Markup } from '../escape.js';
import { count, duration, figure, meanAndDeviation, percent } from '../format.js';
import { type Summary, summarise } from '../statistics.js';

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

type Summaries = ReadonlyMap<string, Summary>;

/** The candidate that the report is about. */
const learnedOf = ({ candidates }: ReportData) => candidates.find(({ role }) => role === 'learned');

/** The result in one sentence, with its figures. */
function verdict(data: ReportData, summaries: Summaries): string {
  const { hasSuccess, candidates } = data;
  const text = (id: string | undefined): string | undefined => {
    const summary = id === undefined ? undefined : summaries.get(id);
    if (summary === undefined || summary.episodes === 0) return undefined;
    return hasSuccess ? `${summary.successes} of ${summary.episodes}` : `a return of ${meanAndDeviation(summary)}`;
  };
  const learned = learnedOf(data);
  const result = text(learned?.id);
  if (result === undefined) return 'This run was not evaluated.';
  const others = candidates.flatMap((candidate) => {
    const found = candidate === learned ? undefined : text(candidate.id);
    return found === undefined ? [] : `${candidate.label.toLowerCase()} ${found}`;
  });
  const rest = others.length === 0 ? '' : ` Beside it: ${others.join(', ')}.`;
  return hasSuccess
    ? `The learned policy succeeded in ${result} fresh starts.${rest}`
    : `The learned policy reached ${result}.${rest}`;
}

/** The policy's share of the expert's success or, without success, of its mean return; undefined where a share has no meaning. */
function shareOfExpert(data: ReportData, summaries: Summaries): string | undefined {
  const of = (id: string | undefined) => (id === undefined ? undefined : summaries.get(id));
  const learned = of(learnedOf(data)?.id);
  const expert = of(data.candidates.find(({ role }) => role === 'expert')?.id);
  if (learned === undefined || expert === undefined) return undefined;
  const [a, b] = data.hasSuccess ? [learned.successRate, expert.successRate] : [learned.mean, expert.mean];
  return b > 0 && a >= 0 ? percent(a / b) : undefined;
}

/** Title, result, the most important figures, and notes that the reader must know. */
export function headline(data: ReportData): Markup {
  const summaries = new Map(data.results.map(({ policy, episodes }) => [policy, summarise(episodes)]));
  const learned = summaries.get(learnedOf(data)?.id ?? '');
  const last = data.learning.points.at(-1);
  const share = shareOfExpert(data, summaries);
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
    <p class="verdict">${verdict(data, summaries)}</p>
    ${data.notes.map((note) => html`<p class="note">${note}</p>`)}
    <dl class="tiles">${tiles.map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}<small>${more}</small></dd></div>`)}</dl>
  </header>`;
}
