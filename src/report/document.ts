import { readFileSync } from 'node:fs';
import { IqLearnError, messageOf } from '../common/index.js';
import { candidateStyles } from './candidates.js';
import type { ReportData } from './data.js';
import { html, jsonForScript, Markup, programForScript } from './escape.js';
import { choice } from './sections/choice.js';
import { comparison } from './sections/comparison.js';
import { curves, rewards } from './sections/curves.js';
import { details } from './sections/details.js';
import { headline } from './sections/headline.js';
import { replay } from './sections/replay.js';
import { topView } from './sections/top-view.js';

/** Content security policy: browsers block every attempt of the report to load something. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** A part of a report that the build makes. Throws UNAVAILABLE where it is not there. */
export function asset(name: string): string {
  try {
    return readFileSync(new URL(`./browser/${name}`, import.meta.url), 'utf8');
  } catch (cause) {
    throw new IqLearnError('UNAVAILABLE', 'the parts of the report are not there', {
      found: messageOf(cause),
      expected: 'what npm run build makes',
      remedy: 'run npm run build, or install iq_learn again',
      cause,
    });
  }
}

/**
 * A report as one HTML file that needs nothing else: no network, no other file, light and dark, phone and paper.
 * All text of `data` is escaped. Throws UNAVAILABLE when the package was not built, INVALID_ARGUMENT for a candidate
 * whose id or colour is not fit for CSS.
 */
export function renderReport(data: ReportData): string {
  const scripts = [asset('page.js'), ...(data.replays.length > 0 ? [asset('scene.js')] : [])];
  return html`${new Markup('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="iq_learn">
<title>${data.robot} – iq_learn report</title>
<link rel="icon" href="data:,">
<style>${new Markup(`${asset('page.css')}\n${candidateStyles(data.candidates)}`)}</style>
</head>
<body>
<button type="button" class="theme" aria-label="Switch between light and dark">◐</button>
<main>
${headline(data)}
${comparison(data)}
${topView(data)}
${replay(data)}
${curves(data)}
${choice(data)}
${rewards(data)}
${details(data)}
</main>
<footer>Made by iq_learn, imitation learning for robots. This file stands alone: it loads nothing.</footer>
<script type="application/json" id="data">${new Markup(jsonForScript(data))}</script>
${scripts.map((script) => html`<script>${programForScript(script)}</script>\n`)}
</body>
</html>
`.text;
}
