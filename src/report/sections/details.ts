import type { ReportData } from '../data.js';
import { html, type Markup } from '../escape.js';
import { duration } from '../format.js';

function list(title: string, rows: readonly (readonly [string, string])[]): Markup {
  return html`<div class="card"><h3>${title}</h3><dl class="facts">${rows.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl></div>`;
}

/** The command, settings, seeds and versions: all that is needed to repeat the run. */
export function details(data: ReportData): Markup {
  const settings = data.settings.map(({ name, value }) => [name, String(value)] as const);
  return html`<section id="run">
    <h2>Make it again</h2>
    <div class="command"><code>${data.command}</code><button type="button" class="copy">Copy</button></div>
    <div class="pair">
      ${list('Settings and seeds', settings)}
      ${list('Where it ran', [
        ['machine', data.machine],
        ['whole run', duration(data.seconds)],
        ...Object.entries(data.versions),
      ])}
    </div>
  </section>`;
}
