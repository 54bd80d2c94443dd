import { COLOURS, HEIGHT, MARGIN, panel, type Series, WIDTH } from '../plot.js';
import type { Point, SeedOutcome } from './seed-run.js';

/** Draws the return against steps and against time, and the recovered reward of expert and policy, with one line for each seed. */
export function curvesSvg(task: string, outcomes: readonly SeedOutcome[], demonstrator: number): string {
  const lines = (x: (point: Point) => number, y: (point: Point) => number | null, dashed = false): Series[] =>
    outcomes.map(({ seed, points }, i) => ({
      label: `seed ${seed}`,
      colour: COLOURS[i % COLOURS.length]!,
      dashed,
      points: points.map((point) => [x(point), y(point) ?? Number.NaN]),
    }));
  const steps = (point: Point): number => point.steps;
  const panels = [
    panel(
      `${task}: return`,
      'environment steps',
      lines(steps, (point) => point.return),
      demonstrator,
    ),
    panel(
      `${task}: return`,
      'minutes of learning',
      lines(
        (point) => point.seconds / 60,
        (p) => p.return,
      ),
      demonstrator,
    ),
    panel('recovered reward: policy, dashed expert', 'environment steps', [
      ...lines(steps, (point) => point.rewardPolicy),
      ...lines(steps, (point) => point.rewardExpert, true),
    ]),
  ];
  const legend = outcomes.map(
    ({ seed }, i) =>
      `<path d="M${MARGIN.left + i * 80} ${HEIGHT + 10}h18" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="2"/>` +
      `<text x="${MARGIN.left + 24 + i * 80}" y="${HEIGHT + 14}">seed ${seed}</text>`,
  );
  const width = WIDTH * panels.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT + 26}" width="${width}" font-family="sans-serif" font-size="11" fill="#222">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...panels.map((content, i) => `<g transform="translate(${i * WIDTH})">${content}</g>`),
    ...legend,
    `<text x="${MARGIN.left + 24 + outcomes.length * 80}" y="${HEIGHT + 14}">dashed black: the demonstrator</text>`,
    '</svg>',
    '',
  ].join('\n');
}
