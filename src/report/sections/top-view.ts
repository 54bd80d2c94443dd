import { labelOf, type Path, type ReportData, type TopView } from '../data.js';
import { html, type Markup } from '../escape.js';
import { player } from './player.js';

/** The drawing's unit is the centimetre, because browsers draw curves with gaps where units are very small. */
const cm = (metres: number): string => (100 * metres).toFixed(1);

/** The learned policy is drawn last, so that its path lies on top. */
function inDrawingOrder(paths: readonly Path[], learned: string | undefined): Path[] {
  return [...paths].sort((a, b) => Number(a.policy === learned) - Number(b.policy === learned));
}

function pathMarkup({ policy, success, x, y, yaw }: Path, view: TopView): Markup {
  const d = x.map((value, t) => `${t === 0 ? 'M' : 'L'}${cm(value)} ${cm(y[t]!)}`).join('');
  const [endX, endY] = [x.at(-1) ?? 0, y.at(-1) ?? 0];
  const arm = view.robotRadius * 0.45;
  const end = success
    ? html`<circle class="end" cx="${cm(endX)}" cy="${cm(endY)}" r="${cm(arm)}"/>`
    : html`<path class="end miss" d="M${cm(endX - arm)} ${cm(endY - arm)}l${cm(2 * arm)} ${cm(2 * arm)}m0 ${cm(-2 * arm)}l${cm(-2 * arm)} ${cm(2 * arm)}"/>`;
  return html`<g class="path ${policy}" data-policy="${policy}"><path class="way" d="${d}"/>${end}<g class="robot" transform="translate(${cm(x[0] ?? 0)} ${cm(y[0] ?? 0)}) rotate(${(((yaw[0] ?? 0) * 180) / Math.PI).toFixed(1)})"><circle r="${cm(view.robotRadius)}"/><path d="M0 0H${cm(view.robotRadius)}"/></g></g>`;
}

/** Walls, obstacles, goals and paths seen from above. It is readable without scripts, which add the choice of a start and a time. */
export function topView(data: ReportData): Markup | null {
  const { topView: view } = data;
  if (view === null || view.starts.length === 0) return null;
  const learned = data.candidates.find(({ role }) => role === 'learned')?.id;
  const half = view.halfWidth;
  const edge = half + 0.12;
  const policies = [...new Set(view.starts.flatMap(({ paths }) => paths.map(({ policy }) => policy)))];
  const frames = Math.max(...view.starts.flatMap(({ paths }) => paths.map(({ x }) => x.length)));
  return html`<section id="driving">
    <h2>Where it drives</h2>
    <p class="lead">The arena from above. A dot ends a path that succeeded, a cross one that did not; the ring is the goal.</p>
    <figure class="card top-view" data-step-seconds="${view.stepSeconds}">
      <div class="controls">
        <div class="segmented" role="group" aria-label="Start"><button type="button" data-step="-1" aria-label="Previous start">‹</button><button type="button" class="which" data-step="0" aria-live="polite">all ${view.starts.length} starts</button><button type="button" data-step="1" aria-label="Next start">›</button></div>
        <div class="legend" role="group" aria-label="Policies shown">${policies.map(
          (policy) =>
            html`<label class="${policy}"><input type="checkbox" checked data-policy="${policy}"><i class="swatch"></i>${labelOf(data, policy)}</label>`,
        )}</div>
      </div>
      <svg viewBox="${cm(-edge)} ${cm(-edge)} ${cm(2 * edge)} ${cm(2 * edge)}" role="img" aria-label="Paths of ${policies.map((policy) => labelOf(data, policy)).join(', ')} from ${view.starts.length} starts">
        <g transform="scale(1 -1)">
          <rect class="wall" x="${cm(-edge)}" y="${cm(-edge)}" width="${cm(2 * edge)}" height="${cm(2 * edge)}" rx="8"/>
          <rect class="floor" x="${cm(-half)}" y="${cm(-half)}" width="${cm(2 * half)}" height="${cm(2 * half)}"/>
          ${view.pillars.map(({ x, y, radius }) => html`<circle class="obstacle" cx="${cm(x)}" cy="${cm(y)}" r="${cm(radius)}"/>`)}
          ${view.blocks.map(({ x, y, halfX, halfY }) => html`<rect class="obstacle" x="${cm(x - halfX)}" y="${cm(y - halfY)}" width="${cm(2 * halfX)}" height="${cm(2 * halfY)}" rx="3"/>`)}
          ${view.starts.map(
            ({ seed, goal, paths }) =>
              html`<g class="start" data-seed="${seed}"><circle class="goal" cx="${cm(goal[0])}" cy="${cm(goal[1])}" r="${cm(view.goalRadius)}"/>${inDrawingOrder(paths, learned).map((path) => pathMarkup(path, view))}</g>`,
          )}
        </g>
      </svg>
      ${player('Time in the episode', frames)}
    </figure>
  </section>`;
}
