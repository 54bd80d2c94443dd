import { mean } from '../../src/common/index.js';
import { COLOURS, escaped, HEIGHT, MARGIN, WIDTH } from '../plot.js';
import type { RunResult } from './table.js';

/** Pearson's correlation; NaN where one of the two does not vary. */
export function pearson(points: readonly (readonly [number, number])[]): number {
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const sum = (of: (x: number, y: number) => number): number =>
    points.reduce((total, [x, y]) => total + of(x - mx, y - my), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}

/** A panel with a dot for each episode: the task's return, and what the recovered reward pays. */
function scatterPanel({ job, scatter = [] }: RunResult, index: number): string {
  const ends = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];
  const [[x0, x1], [y0, y1]] = [ends(scatter.map(([x]) => x)), ends(scatter.map(([, y]) => y))];
  const x = (value: number): number => MARGIN.left + ((value - x0) / (x1 - x0)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number): number =>
    HEIGHT - MARGIN.bottom - ((value - y0) / (y1 - y0)) * (HEIGHT - MARGIN.bottom - MARGIN.top);
  const text = (at: string, words: string): string => `<text ${at}>${escaped(words)}</text>`;
  const bottom = HEIGHT - MARGIN.bottom + 16;
  return `<g transform="translate(${index * WIDTH} 0)">${[
    text(`x="${MARGIN.left}" y="18" font-weight="600"`, `${job}: Pearson ${pearson(scatter).toFixed(2)}`),
    `<path d="M${MARGIN.left} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}H${WIDTH - MARGIN.right}" fill="none" stroke="#888"/>`,
    text(`x="${MARGIN.left}" y="${bottom}"`, x0.toFixed(0)),
    text(`x="${WIDTH - MARGIN.right}" y="${bottom}" text-anchor="end"`, x1.toFixed(0)),
    text(`x="${MARGIN.left - 6}" y="${HEIGHT - MARGIN.bottom}" text-anchor="end"`, y0.toFixed(0)),
    text(`x="${MARGIN.left - 6}" y="${MARGIN.top + 8}" text-anchor="end"`, y1.toFixed(0)),
    text(
      `x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle"`,
      'return of the task (across), recovered reward (up)',
    ),
    ...scatter.map(([a, b]) => `<circle cx="${x(a).toFixed(1)}" cy="${y(b).toFixed(1)}" r="3" fill="${COLOURS[0]}"/>`),
  ].join('')}</g>`;
}

/** A panel for each run, beside one another. */
export function scatterPicture(results: readonly RunResult[]): string {
  const panels = results.map(scatterPanel).join('\n');
  const size = `${results.length * WIDTH} ${HEIGHT}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>\n${panels}\n</svg>\n`;
}
