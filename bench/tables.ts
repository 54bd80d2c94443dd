import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IqLearnError } from '../src/common/index.js';
import { writeFileAtomic } from '../src/platform/index.js';
import { type BenchResult, type Figure, root, shown } from './harness.js';

/** A result in bench/results and the figures of it that the document shows, with their targets. */
interface TableSpec {
  readonly title: string;
  readonly file: string;
  readonly rows: readonly (readonly [figure: RegExp, target?: string])[];
}

const load: TableSpec['rows'][number] = [/^CPU taken by others$/, '< 0.1'];

/** Many robots at once. The targets are those of 1,000. */
const fleet = (robots: number): TableSpec => ({
  title: `link, a fleet of ${robots} with the learner training`,
  file: `link-fleet-${robots}.json`,
  rows: [
    [/^fleet of \d+: lost/, '0'],
    [/^fleet of \d+: lag, 99 %$/, '≤ 1'],
    [/^fleet of \d+: updates\/s, share of alone$/, '≥ 0.8'],
    [/^fleet of \d+: updates per second of CPU/, '≥ 0.8'],
    [/^fleet of \d+: growth/, 'none'],
    [/^fleet of/],
    load,
  ],
});

const learn = (task: string, title: string, target: readonly (readonly [RegExp, string])[]): TableSpec => ({
  title,
  file: `learn-${task}.json`,
  rows: [
    [/^demonstrator$/],
    [/^demonstrations$/],
    ...target,
    [/^seed \d+: (last|best|chosen), fraction$/],
    [/^seed \d+: (chosen, (lowest|terminated)|rank correlation)$/],
    [/^seed \d+: (steps to|time to|lowest after) 9[05] %$/],
    [/^seeds that reached/],
    [/^(steps|time) to 9[05] %$/],
    [/^(last|best|chosen), fraction$/],
    load,
  ],
});

const combine = (task: string, title: string, target: readonly (readonly [RegExp, string])[]): TableSpec => ({
  title: `combine, ${title}`,
  file: `combine-${task}.json`,
  rows: [[/^demonstrator$/], ...target, [/^(policy|mean of)/]],
});

const TABLES: readonly TableSpec[] = [
  {
    title: 'update',
    file: 'update.json',
    rows: [
      [/^recipe: ours ÷ torch$/, '≤ 0.45'],
      [/^recipe: ours ÷ jax$/, '≤ 0.9'],
      [/^recipe: ours ÷ (torch|jax), min$/],
      [/^double: ours ÷ torch$/, '≤ 0.42'],
      [/^double: ours ÷ jax$/, '≤ 1.0'],
      [/^(recipe|double|single|sac): (ours|torch|jax|torch lean|ours with batches and noise|stable-baselines3|sbx)$/],
      [/^(recipe|single|sac): ours ÷ [^,]+$/],
      [/share of the peak$/],
      [/^parity/],
      load,
    ],
  },
  {
    title: 'policy',
    file: 'policy.json',
    rows: [[/^in process: median$/, '≤ 50'], [/^in process: p99$/], [/(median|p99)$/], load],
  },
  {
    title: 'ros2',
    file: 'ros2.json',
    rows: [
      [/^100 Hz, training: ours: p99$/, '≤ 5'],
      [/^50 Hz, \w+: ours: missed periods$/, '0'],
      [/ours ÷ rclpy, (median|p99)$/, '< 1'],
      [/: (ours|rclpy): (median|p99|p99\.9|max|missed periods|stops)$/],
      [/: echo: (median|p99)$/],
      [/: late states$/],
      [/^learner/],
      load,
    ],
  },
  {
    title: 'link',
    file: 'link.json',
    rows: [
      [/^ours: transitions\/s a core$/, '≥ 100,000'],
      [/^ours ÷ Python/, '≥ 5'],
      [/^ours ÷ JSON/],
      [/transitions\/s (a core|by the clock)$/],
      [/bytes a transition$/],
      [/^policy to/],
      [/^random bytes/],
      load,
    ],
  },
  fleet(100),
  fleet(300),
  fleet(1000),
  learn('halfcheetah', 'learn, HalfCheetah, one update every two steps', [[/^seed \d+: time to 95 %$/, '≤ 240']]),
  ...[0, 1, 2, 3, 4].map((seed) =>
    learn(`hopper-${seed}`, `learn, Hopper, seed ${seed}`, [[/^seed \d+: time to 95 %$/, '≤ 180']]),
  ),
  ...[0, 1, 2, 3, 4].map((seed) => learn(`hopper-trpo-${seed}`, `learn, Hopper of hopper-trpo, seed ${seed}`, [])),
  learn('hopper-half', 'learn, Hopper, one update every two steps', []),
  learn('walker2d', 'learn, Walker2d, one update every two steps', []),
  learn('walker2d-u1', 'learn, Walker2d, one update a step', []),
  combine('hopper', 'Hopper, the policies that seeds 0, 1 and 2 chose', [
    [/^mean of 1, 2, 3: fraction$/, '≥ 0.98'],
    [/^mean of 1, 2, 3: terminated$/, '0'],
  ]),
  combine('hopper-one-run', 'Hopper, policies of seed 0 after 40,000 and 60,000 steps', [
    [/^mean of 1, 2: fraction$/, '≥ 0.98'],
    [/^mean of 1, 2: terminated$/, '0'],
  ]),
  combine('walker2d', 'Walker2d, the policies that seeds 3, 4 and 5 chose', [
    [/^mean of 1, 2, 3: fraction$/, '≥ 0.97'],
    [/^mean of 1, 2, 3: terminated$/, '≤ 1'],
  ]),
  {
    title: 'images',
    file: 'images.json',
    rows: [[/: error$/], [/: an (update|action)$/], load],
  },
  {
    title: 'memory',
    file: 'memory.json',
    rows: [[/^resident set, highest$/, '< 1024'], [/^growth/, 'none'], [/^resident set/], [/^(time|updates)$/], load],
  },
  {
    title: 'parity',
    file: 'parity.json',
    rows: [[/v4: (model constants|observation|reward|terminated)$/], [/^cartpole/], [/: speed/]],
  },
  {
    title: 'faults',
    file: 'faults.json',
    rows: [
      [/: (inputs|bytes flipped|kills|slowest input)$/],
      [/: (wrong|kills, wrong|accepted as if nothing were)$/, '0'],
    ],
  },
];

const BEGIN = '<!-- Written by `npm run bench -- tables` from bench/results. -->';
const END = '<!-- End of what is written. -->';

function tableOf({ title, rows }: TableSpec, file: string, result: BenchResult): string {
  const left = new Set<Figure>(result.figures);
  const lines: string[] = [];
  for (const [pattern, target] of rows)
    for (const figure of left) {
      if (!pattern.test(figure.name)) continue;
      left.delete(figure);
      const cells = [figure.name, shown(figure.value), figure.unit, target ?? '', figure.note ?? ''];
      lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
    }
  const versions = Object.entries(result.versions)
    .filter(([name]) => name !== 'settings')
    .map(([name, version]) => `${name} ${version}`);
  return [
    `### ${title}`,
    '',
    `\`${result.command}\`, ${result.date.slice(0, 10)}, on ${result.machine}, with ${versions.join(', ')}.`,
    `All figures: [${file}](../bench/results/${file}).`,
    '',
    '| figure | value | unit | target | note |',
    '|---|---:|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

/** Writes the results in bench/results into docs/benchmarks.md; a bench without a result has no table. */
export function writeTables(): void {
  const path = join(root, 'docs', 'benchmarks.md');
  const text = readFileSync(path, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new IqLearnError('CORRUPT_DATA', 'docs/benchmarks.md has no place for the results', {
      expected: `the lines '${BEGIN}' and '${END}'`,
    });
  const tables = TABLES.flatMap((spec) => {
    const file = join(root, 'bench', 'results', spec.file);
    return existsSync(file) ? [tableOf(spec, spec.file, JSON.parse(readFileSync(file, 'utf8')) as BenchResult)] : [];
  });
  writeFileAtomic(path, `${text.slice(0, begin)}${BEGIN}\n\n${tables.join('\n')}\n${text.slice(end)}`);
}
