import { type Path, policyLabels, type ReportData, type TopView } from '../data.js';
import { html, type Markup } from '../escape.js';
import { player } from './player.js';

const metres = (value: number): string => value.toFixed(3);

function pathMarkup({ policy, success, x, y, yaw }: Path, view: TopView): Markup {
  const d = x.map((value, t) => `${t === 0 ? 'M' : 'L'}${metres(value)} ${metres(y[t]!)}`).join('');
  const [endX, endY] = [x.at(-1) ?? 0, y.at(-1) ?? 0];
  const arm = view.robotRadius * 0.45;
  const end = success
    ? html`<circle class="end" cx="${metres(endX)}" cy="${metres(endY)}" r="${metres(arm)}"/>`
    : html`<path class="end miss" d="M${metres(endX - arm)} ${metres(endY - arm)}l${metres(2 * arm)} ${metres(2 * arm)}m0 ${metres(-2 * arm)}l${metres(-2 * arm)} ${metres(2 * arm)}"/>`;
  return html`<g class="path ${policy}" data-policy="${policy}"><path class="way" d="${d}"/>${end}<g class="robot" transform="translate(${metres(x[0] ?? 0)} ${metres(y[0] ?? 0)}) rotate(${metres(((yaw[0] ?? 0) * 180) / Math.PI)})"><circle r="${metres(view.robotRadius)}"/><path d="M0 0H${metres(view.robotRadius)}"/></g></g>`;
}

/** Walls, obstacles, goals and ways seen from above. Readable without scripts; they add the choice of a start and time. */
export function topView({ topView: view }: ReportData): Markup | null {
  if (view === null || view.starts.length === 0) return null;
  const half = view.halfWidth;
  const edge = half + 0.12;
  const policies = [...new Set(view.starts.flatMap(({ paths }) => paths.map(({ policy }) => policy)))];
  const frames = Math.max(...view.starts.flatMap(({ paths }) => paths.map(({ x }) => x.length)));
  return html`<section id="driving">
    <h2>Where it drives</h2>
    <p class="lead">The arena from above. A dot ends a way that succeeded, a cross one that did not; the ring is the goal.</p>
    <figure class="card top-view" data-step-seconds="${view.stepSeconds}">
      <div class="controls">
        <div class="segmented" role="group" aria-label="Start"><button type="button" data-step="-1" aria-label="Previous start">‹</button><button type="button" class="which" data-step="0" aria-live="polite">all ${view.starts.length} starts</button><button type="button" data-step="1" aria-label="Next start">›</button></div>
        <div class="legend" role="group" aria-label="Policies shown">${policies.map(
          (policy) =>
            html`<label class="${policy}"><input type="checkbox" checked data-policy="${policy}"><i class="swatch"></i>${policyLabels[policy]}</label>`,
        )}</div>
      </div>
      <svg viewBox="${-edge} ${-edge} ${2 * edge} ${2 * edge}" role="img" aria-label="Ways of ${policies.map((policy) => policyLabels[policy]).join(', ')} from ${view.starts.length} starts">
        <g transform="scale(1 -1)">
          <rect class="wall" x="${-edge}" y="${-edge}" width="${2 * edge}" height="${2 * edge}" rx="0.08"/>
          <rect class="floor" x="${-half}" y="${-half}" width="${2 * half}" height="${2 * half}"/>
          ${view.pillars.map(({ x, y, radius }) => html`<circle class="obstacle" cx="${x}" cy="${y}" r="${radius}"/>`)}
          ${view.blocks.map(({ x, y, halfX, halfY }) => html`<rect class="obstacle" x="${x - halfX}" y="${y - halfY}" width="${2 * halfX}" height="${2 * halfY}" rx="0.03"/>`)}
          ${view.starts.map(
            ({ seed, goal, paths }) =>
              html`<g class="start" data-seed="${seed}"><circle class="goal" cx="${metres(goal[0])}" cy="${metres(goal[1])}" r="${view.goalRadius}"/>${[...paths].reverse().map((path) => pathMarkup(path, view))}</g>`,
          )}
        </g>
      </svg>
      ${player('Time in the episode', frames)}
    </figure>
  </section>`;
}
