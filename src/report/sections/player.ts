import { html, type Markup } from '../escape.js';

/** A play button, a slider and the time; the page's script gives them their function. */
export function player(label: string, frames: number): Markup {
  return html`<div class="player"><button type="button" class="play" aria-label="Play">▶</button><input type="range" min="0" max="${Math.max(0, frames - 1)}" value="0" step="1" aria-label="${label}"><output>0.0 s</output></div>`;
}
