import { rankCorrelation } from '../../common/index.js';
import type { ChoicePoint, ReportData } from '../data.js';
import { html, type Markup } from '../escape.js';
import { count, figure } from '../format.js';

const WIDTH = 640;
const HEIGHT = 200;
const MARGIN = { left: 44, right: 44, top: 12, bottom: 26 };

/** How the deployed policy was chosen among those of the run; nothing where none was compared. */
export function choice({ learning: { choice: points = [] } }: ReportData): Markup | null {
  const along = points.filter(({ final }) => !final);
  const compared = points.filter(({ final }) => final);
  if (along.length === 0) return null;
  const correlation = rankCorrelation(
    along.map(({ distance }) => -distance),
    along.map((point) => point.return),
  );
  return html`<section id="choice">
    <h2>Which policy is deployed</h2>
    <p class="lead">Along the run, policies drove a few simulated episodes from starts that nothing else uses. How far the states and actions they met are from those of the demonstrations (sliced Wasserstein distance) needs no reward, and it decides: the best were compared again over more starts, the fewer of them were left the more, and so were the means of the actions of the best two and three. The worst fifth of the episodes counts as much as all together.</p>
    ${plot(along)}
    ${
      Number.isFinite(correlation)
        ? html`<p>The task's own reward, which nothing here looks at, agrees with the order by the distance with a rank correlation of <strong>${correlation.toFixed(2)}</strong> over ${along.length} policies.</p>`
        : null
    }
    ${compared.length === 0 ? null : table(compared)}
  </section>`;
}

function stepsOf({ transitions, meanOf }: ChoicePoint): string {
  return meanOf === undefined ? `${count(transitions)} steps` : `mean of ${meanOf.map(count).join(', ')} steps`;
}

/** The first is the one that was chosen. */
function table(compared: readonly ChoicePoint[]): Markup {
  const [best] = compared;
  const rows = compared.map(
    (point) =>
      html`<tr><th scope="row">${stepsOf(point)}${point === best ? ' (deployed)' : ''}</th><td>${point.distance.toFixed(3)}</td><td>${point.worst.toFixed(3)}</td><td>${figure(point.return)}</td><td>${point.episodes}</td></tr>`,
  );
  return html`<table><thead><tr><th scope="col">policy after</th><th scope="col">distance</th><th scope="col">worst fifth</th><th scope="col">mean return</th><th scope="col">episodes</th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** Distance (solid, left axis) and mean return (dashed, right axis) against the policy's own steps. */
function plot(points: readonly ChoicePoint[]): Markup {
  const last = Math.max(...points.map(({ transitions }) => transitions));
  const distances = range(points.map(({ distance }) => distance));
  const returns = range(points.map((point) => point.return));
  const x = (steps: number): number => MARGIN.left + (steps / last) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number, [low, high]: readonly [number, number]): number =>
    HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const line = (of: (point: ChoicePoint) => number, within: readonly [number, number]): string =>
    points.map((point) => `${x(point.transitions).toFixed(1)},${y(of(point), within).toFixed(1)}`).join(' ');
  const label = (text: string, at: { x: number; y: number }, anchor: string): Markup =>
    html`<text x="${at.x}" y="${at.y}" text-anchor="${anchor}" font-size="11" fill="currentColor">${text}</text>`;
  const bottom = HEIGHT - MARGIN.bottom;
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Distance from the demonstrations and mean return against own steps">
    <line x1="${MARGIN.left}" y1="${bottom}" x2="${WIDTH - MARGIN.right}" y2="${bottom}" stroke="currentColor" opacity="0.4"/>
    <polyline fill="none" stroke="currentColor" stroke-width="2" points="${line(({ distance }) => distance, distances)}"/>
    <polyline fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 4" opacity="0.7" points="${line((point) => point.return, returns)}"/>
    ${label(distances[1].toFixed(2), { x: MARGIN.left - 6, y: MARGIN.top + 8 }, 'end')}
    ${label(distances[0].toFixed(2), { x: MARGIN.left - 6, y: bottom }, 'end')}
    ${label(figure(returns[1]), { x: WIDTH - MARGIN.right + 6, y: MARGIN.top + 8 }, 'start')}
    ${label(figure(returns[0]), { x: WIDTH - MARGIN.right + 6, y: bottom }, 'start')}
    ${label('0', { x: MARGIN.left, y: HEIGHT - 8 }, 'middle')}
    ${label(`${count(last)} own steps`, { x: WIDTH - MARGIN.right, y: HEIGHT - 8 }, 'end')}
    ${label('solid: distance   dashed: mean return', { x: WIDTH / 2, y: HEIGHT - 8 }, 'middle')}
  </svg>`;
}

/** The smallest and the largest value; a span of 1 where they are equal. */
function range(values: readonly number[]): readonly [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}
