import { labelOf, type ReportData } from '../data.js';
import { html, type Markup } from '../escape.js';
import { player } from './player.js';

/** Where the scene's script shows the robot. */
export function replay(data: ReportData): Markup | null {
  const { replays, hasSuccess } = data;
  const [first] = replays;
  if (first === undefined) return null;
  return html`<section id="replay">
    <h2>See it move</h2>
    <p class="lead">Episodes of the evaluation, replayed from the simulator. Drag to turn, pinch or scroll to come closer.</p>
    <figure class="card scene">
      <div class="controls"><div class="segmented" role="group" aria-label="Episode">${replays.map(
        (episode, i) =>
          html`<button type="button" class="${episode.policy}" data-replay="${i}" aria-pressed="${i === 0 ? 'true' : 'false'}"><i class="swatch"></i>${labelOf(data, episode.policy)}${hasSuccess && html` <small>${episode.success ? 'success' : 'failure'}</small>`}</button>`,
      )}</div></div>
      <div class="stage" role="img" aria-label="3-D view of the robot"></div>
      ${player('Time in the replay', first.frames)}
    </figure>
  </section>`;
}
