/** One line of a panel. */
export interface Series {
  readonly label: string;
  readonly colour: string;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export const COLOURS = ['#1b6ca8', '#c8553d', '#3a7d44', '#7a4fa3', '#b08900', '#2a9d8f', '#8d6e63', '#546e7a'];
export const [WIDTH, HEIGHT, MARGIN] = [420, 260, { left: 62, right: 14, top: 30, bottom: 42 }];

export const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Round numbers that divide a range into about five. */
function ticks(low: number, high: number): number[] {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10);
  const count = Math.floor(high / step) - Math.ceil(low / step) + 1;
  return Array.from({ length: count }, (_, i) => (Math.ceil(low / step) + i) * step);
}

/** One diagram: series over a common axis, with a dashed level where one is given. */
export function panel(title: string, xLabel: string, series: readonly Series[], level?: number): string {
  const all = series.flatMap(({ points }) => points).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  const ys = [...all.map(([, y]) => y), ...(level === undefined ? [] : [level * 1.05]), 0];
  const [right, bottom, top] = [Math.max(1e-9, ...all.map(([x]) => x)), Math.min(...ys), Math.max(...ys, 1e-9)];
  const { left: ml, right: mr, top: mt, bottom: mb } = MARGIN;
  const x = (value: number): string => (ml + (value / right) * (WIDTH - ml - mr)).toFixed(1);
  const y = (value: number): string =>
    (HEIGHT - mb - ((value - bottom) / (top - bottom)) * (HEIGHT - mt - mb)).toFixed(1);
  const number = (value: number): string =>
    Math.abs(value) >= 10_000 ? `${Number((value / 1000).toPrecision(6))}k` : String(Number(value.toPrecision(6)));
  const grid = [
    ...ticks(bottom, top).map(
      (v) =>
        `<path d="M${ml} ${y(v)}H${WIDTH - mr}" stroke="#e3e3e3"/><text x="${ml - 6}" y="${y(v)}" dy=".35em" text-anchor="end">${number(v)}</text>`,
    ),
    ...ticks(0, right).map(
      (v) =>
        `<path d="M${x(v)} ${HEIGHT - mb}v4" stroke="#888"/><text x="${x(v)}" y="${HEIGHT - mb + 16}" text-anchor="middle">${number(v)}</text>`,
    ),
  ];
  const lines = series.map(({ points, colour, dashed }) => {
    const path = points
      .filter((point) => point.every(Number.isFinite))
      .map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${x(px)} ${y(py)}`)
      .join('');
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.6"${dashed ? ' stroke-dasharray="4 3"' : ''}/>`;
  });
  const expert =
    level === undefined ? '' : `<path d="M${ml} ${y(level)}H${WIDTH - mr}" stroke="#222" stroke-dasharray="6 4"/>`;
  return [
    `<text x="${ml}" y="18" font-weight="600">${escaped(title)}</text>`,
    ...grid,
    `<path d="M${ml} ${mt}V${HEIGHT - mb}H${WIDTH - mr}" fill="none" stroke="#888"/>`,
    expert,
    ...lines,
    `<text x="${(ml + WIDTH - mr) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(xLabel)}</text>`,
  ].join('\n');
}

/** Several diagrams side by side as one SVG, with a legend below. */
export function panels(
  diagrams: readonly {
    readonly title: string;
    readonly xLabel: string;
    readonly series: readonly Series[];
    readonly level?: number;
  }[],
  legend: readonly { readonly label: string; readonly colour: string }[],
): string {
  const width = WIDTH * diagrams.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT + 26}" width="${width}" font-family="sans-serif" font-size="11" fill="#222">`,
    `<title>${escaped(diagrams.map(({ title }) => title).join(', '))}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...diagrams.map(
      ({ title, xLabel, series, level }, i) =>
        `<g transform="translate(${i * WIDTH})">${panel(title, xLabel, series, level)}</g>`,
    ),
    ...legend.map(
      ({ label, colour }, i) =>
        `<path d="M${MARGIN.left + i * 110} ${HEIGHT + 10}h18" stroke="${colour}" stroke-width="2"/>` +
        `<text x="${MARGIN.left + 24 + i * 110}" y="${HEIGHT + 14}">${escaped(label)}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}
