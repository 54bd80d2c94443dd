import type { ReportData } from '../data.js';
import { html, type Markup } from '../escape.js';

/** Where the page's script draws the learning curves. */
export function curves({ learning, results }: ReportData): Markup | null {
  if (learning.points.length === 0) return null;
  const rollbacks = learning.points.at(-1)!.metrics['train/rollbacks'] ?? 0;
  return html`<section id="learning">
    <h2>How it learned</h2>
    ${rollbacks === 0 ? null : html`<p class="note" id="rollbacks">Learning diverged ${rollbacks === 1 ? 'once' : `${rollbacks} times`} and was taken back to its last good state each time, at a quarter of the learning rates. The log says when and why; lower learning rates from the start are the remedy.</p>`}
    <p class="lead">One point for each segment of the robot's own steps; hover or touch to read all curves at once. While it learns, the policy explores: its driving is worse than ${results.length > 0 ? 'what is evaluated above' : 'that of the finished policy'}.</p>
    <div class="segmented" role="group" aria-label="Horizontal axis"><button type="button" data-axis="transitions" aria-pressed="true">own steps</button><button type="button" data-axis="seconds" aria-pressed="false">time</button></div>
    <div class="panels" id="curves"></div>
    <noscript><p class="note">The curves need scripts; their numbers are in report.json.</p></noscript>
  </section>`;
}

/** Where the recovered reward along one expert and one learned episode is drawn. */
export function rewards({ rewards: traces }: ReportData): Markup | null {
  if (traces.length === 0) return null;
  return html`<section id="rewards">
    <h2>What it thinks the expert wants</h2>
    <p class="lead">IQ-Learn finds no reward function by itself, but its critic implies one: r = Q(s, a) − γ (1 − d) V(s′). Here it is at every step of an episode, beside the task's own reward, which learning has never seen. Only differences within one dynamics mean something.</p>
    <div class="panels wide" id="reward-traces"></div>
  </section>`;
}
