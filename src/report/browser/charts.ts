import uPlot from 'uplot';
import { figure, tick } from '../format.js';
import { onTheme, policyColour, themeColour } from './data.js';
import type { Line, Panel } from './panels.js';

const HEIGHT = 210;

const colourOf = ({ colour }: Line): string => (colour === 'ink' ? themeColour('--ink') : policyColour(colour));

/** A card with a title, the values under the cursor, and the chart. */
class Chart {
  readonly element: HTMLElement;
  readonly #panel: Panel;
  readonly #group: string;
  readonly #keys: HTMLElement;
  readonly #stage: HTMLElement;
  #plot: uPlot | undefined;

  constructor(panel: Panel, group: string) {
    this.#panel = panel;
    this.#group = group;
    this.element = document.createElement('figure');
    this.element.className = 'card panel';
    const title = document.createElement('h3');
    title.textContent = panel.title;
    this.#keys = document.createElement('div');
    this.#keys.className = 'keys';
    this.#stage = document.createElement('div');
    this.#stage.setAttribute('role', 'img');
    this.#stage.setAttribute('aria-label', describe(panel));
    this.element.append(title, this.#keys, this.#stage);
  }

  /** Draws the chart anew, after a change of the theme's colours or of the page's width. */
  draw(): void {
    this.#plot?.destroy();
    const panel = this.#panel;
    const soft = themeColour('--soft');
    const grid = { stroke: themeColour('--line'), width: 1 };
    const font = '12px system-ui, sans-serif';
    const axis = { stroke: soft, font, grid, ticks: { show: false }, border: { show: false } };
    this.#plot = new uPlot(
      {
        width: Math.max(200, this.#stage.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        padding: [8, 26, 0, 0],
        cursor: { y: false, sync: { key: this.#group }, points: { size: 7 } },
        scales: { x: { time: false }, y: panel.range === undefined ? {} : { range: [panel.range[0], panel.range[1]] } },
        axes: [
          { ...axis, size: 26, gap: 2, label: panel.xLabel, labelFont: font, labelSize: 16, labelGap: 0 },
          { ...axis, size: 52, gap: 4, values: (_, ticks) => ticks.map(tick) },
        ],
        series: [
          {},
          ...panel.lines.map((line): uPlot.Series => {
            const stroke = colourOf(line);
            return line.points
              ? {
                  stroke,
                  paths: () => null,
                  points: { show: true, size: 4, fill: `${stroke}55`, stroke: 'transparent' },
                }
              : { stroke, width: 2, ...(line.dashed ? { dash: [5, 5] } : {}), points: { show: false } };
          }),
        ],
        hooks: { setCursor: [(plot) => this.#tell(plot.cursor.idx ?? null)] },
      },
      [panel.x, ...panel.lines.map(({ values }) => values)] as uPlot.AlignedData,
      this.#stage,
    );
    this.#tell(null);
  }

  destroy(): void {
    this.#plot?.destroy();
    this.element.remove();
  }

  #tell(at: number | null): void {
    const keys = this.#panel.lines.map((line) => {
      const key = document.createElement('span');
      const swatch = document.createElement('i');
      swatch.className = line.dashed ? 'swatch dashed' : 'swatch';
      swatch.style.setProperty('--c', colourOf(line));
      const value = document.createElement('b');
      const shown = at === null ? null : line.values[at];
      if (shown !== null && shown !== undefined) value.textContent = ` ${figure(shown)}`;
      key.append(swatch, line.label, value);
      return key;
    });
    this.#keys.replaceChildren(...keys);
  }
}

/** Describes the curve in words, for readers who do not see it. */
function describe({ title, lines, xLabel, x }: Panel): string {
  const parts = lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    return `${label} from ${figure(known[0] ?? Number.NaN)} to ${figure(known.at(-1) ?? Number.NaN)}`;
  });
  return `${title} over ${x.at(-1) ?? 0} ${xLabel}: ${parts.join('; ')}`;
}

/** Fills a container with the charts of `panels()`, and returns a function that replaces them with new ones. */
export function chartGroup(container: HTMLElement, panels: () => Panel[]): () => void {
  let charts: Chart[] = [];
  const rebuild = (): void => {
    for (const chart of charts) chart.destroy();
    charts = panels().map((panel) => new Chart(panel, container.id));
    container.append(...charts.map(({ element }) => element));
    for (const chart of charts) chart.draw();
  };
  rebuild();
  const redraw = (): void => {
    for (const chart of charts) chart.draw();
  };
  onTheme(redraw);
  let width = container.clientWidth;
  new ResizeObserver(() => {
    if (container.clientWidth === width) return;
    width = container.clientWidth;
    redraw();
  }).observe(container);
  return rebuild;
}
