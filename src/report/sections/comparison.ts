import { labelOf, type PolicyResult, type ReportData } from '../data.js';
import { html, type Markup } from '../escape.js';
import { count, figure, meanAndDeviation, percent, tick } from '../format.js';
import { axisTicks } from '../scale.js';
import { type Summary, summarise } from '../statistics.js';

const style = (left: number, width?: number): string =>
  `left:${left.toFixed(2)}%${width === undefined ? '' : `;width:${width.toFixed(2)}%`}`;

function successRow(policy: string, label: string, summary: Summary): Markup {
  const [low, high] = summary.successInterval;
  return html`<div class="row ${policy}">
    <span class="label">${label}</span>
    <span class="track"><i class="bar" style="${style(0, 100 * summary.successRate)}"></i
      ><i class="whisker" style="${style(100 * low, 100 * (high - low))}"></i></span>
    <span class="value">${percent(summary.successRate)}</span>
  </div>`;
}

/** Spreads the dots of a row over its height, the same way in every report. */
const jitter = (i: number): number => 22 + 56 * ((i * 0.6180339887) % 1);

function returnRow(
  { policy, episodes }: PolicyResult,
  label: string,
  summary: Summary,
  at: (value: number) => number,
): Markup {
  const low = at(summary.mean - summary.deviation);
  const high = at(summary.mean + summary.deviation);
  return html`<div class="row ${policy}">
    <span class="label">${label}</span>
    <span class="track dots"><i class="spread" style="${style(low, high - low)}"></i>${episodes.map(
      (episode, i) => html`<i class="dot" style="${style(at(episode.return))};top:${jitter(i).toFixed(0)}%"></i>`,
    )}<i class="mean" style="${style(at(summary.mean))}"></i></span>
    <span class="value">${figure(summary.mean, summary.deviation)} <small>± ${figure(summary.deviation, summary.mean)}</small></span>
  </div>`;
}

function axis(ticks: readonly number[], at: (value: number) => number, text: (value: number) => string): Markup {
  return html`<div class="row axis" aria-hidden="true"><span></span><span class="track">${ticks.map(
    (value) => html`<i class="tick" style="${style(at(value))}">${text(value)}</i>`,
  )}</span><span></span></div>`;
}

/** The returns in the task as it was shown; nothing where that is the task that was evaluated. */
function shownTable(data: Pick<ReportData, 'candidates' | 'asShown'>): Markup | null {
  const { asShown = [] } = data;
  if (asShown.length === 0) return null;
  return html`<h3>In the task as it was shown</h3>
    <p class="lead">The demonstrations have another form than the episodes above, which start anew for each goal: longer ones, in which one goal follows the other. Here each policy drove ${count(asShown[0]!.episodes.length)} such episodes.</p>
    <div class="scroll"><table>
      <thead><tr><th scope="col">Policy</th><th scope="col">Return, mean ± sd</th><th scope="col">Lowest</th></tr></thead>
      <tbody>${asShown.map(({ policy, episodes }) => {
        const summary = summarise(episodes);
        return html`<tr class="${policy}"><th scope="row"><i class="swatch"></i>${labelOf(data, policy)}</th><td>${meanAndDeviation(summary)}</td><td>${figure(summary.lowest)}</td></tr>`;
      })}</tbody>
    </table></div>`;
}

/** Success and return of every policy, with spread, as bars, dots and a table; nothing where none was evaluated. */
export function comparison(data: Pick<ReportData, 'candidates' | 'results' | 'hasSuccess' | 'asShown'>): Markup | null {
  const { results, hasSuccess } = data;
  if (results.length === 0) return null;
  const summaries = results.map((result) => summarise(result.episodes));
  const returns = results.flatMap(({ episodes }, i) => [
    ...episodes.map((episode) => episode.return),
    summaries[i]!.mean - summaries[i]!.deviation,
    summaries[i]!.mean + summaries[i]!.deviation,
  ]);
  const { low, high, ticks } = axisTicks(Math.min(0, ...returns), Math.max(0, ...returns));
  const at = (value: number): number => (100 * (value - low)) / (high - low);
  return html`<section id="results">
    <h2>How well it drives</h2>
    <p class="lead">Each policy drove the same ${count(results[0]?.episodes.length ?? 0)} fresh starts, none of which is in the demonstrations.</p>
    <div class="pair">
      ${
        hasSuccess &&
        html`<figure class="card"><figcaption>Success <small>bar: share of episodes · line: 95 % interval</small></figcaption>
          <div class="rows" role="img" aria-label="Success rate of each policy; the table below holds the numbers">
            ${results.map((result, i) => successRow(result.policy, labelOf(data, result.policy), summaries[i]!))}
            ${axis(
              [0, 0.25, 0.5, 0.75, 1],
              (value) => 100 * value,
              (value) => `${100 * value} %`,
            )}
          </div></figure>`
      }
      <figure class="card"><figcaption>Return <small>dot: an episode · line: mean · band: ± 1 sd</small></figcaption>
        <div class="rows" role="img" aria-label="Return of each policy; the table below holds the numbers">
          ${results.map((result, i) => returnRow(result, labelOf(data, result.policy), summaries[i]!, at))}
          ${axis(ticks, at, tick)}
        </div></figure>
    </div>
    <div class="scroll"><table>
      <thead><tr><th scope="col">Policy</th>${hasSuccess && html`<th scope="col">Success</th>`}<th scope="col">Return, mean ± sd</th>${!hasSuccess && html`<th scope="col">Lowest</th><th scope="col">Ended early</th>`}<th scope="col">Episode length</th><th scope="col">Episodes</th></tr></thead>
      <tbody>${results.map(({ policy, episodes }, i) => {
        const summary = summaries[i]!;
        const length = episodes.reduce((sum, episode) => sum + episode.length, 0) / Math.max(1, episodes.length);
        return html`<tr class="${policy}"><th scope="row"><i class="swatch"></i>${labelOf(data, policy)}</th>${
          hasSuccess &&
          html`<td>${percent(summary.successRate)} <small>${summary.successes} of ${summary.episodes}</small></td>`
        }<td>${meanAndDeviation(summary)}</td>${
          !hasSuccess && html`<td>${figure(summary.lowest)}</td><td>${summary.terminated ?? '–'}</td>`
        }<td>${figure(length)} steps</td><td>${summary.episodes}</td></tr>`;
      })}</tbody>
    </table></div>
    ${shownTable(data)}
  </section>`;
}
