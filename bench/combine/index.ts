import { IqLearnError, mean } from '../../src/common/index.js';
import { combineBundles, decodeBundle, type NamedBundle, readBundleFiles } from '../../src/policy/index.js';
import { createTask, type Environment, environmentOf } from '../../src/simulation/index.js';
import { driveEpisodes } from '../../src/training/index.js';
import { type BenchResult, benchResult, type Figure, progress } from '../harness.js';
import { readDemonstrations } from '../learn/demonstrations.js';
import { parseOptions } from '../options.js';

const OPTIONS = {
  task: { default: 'walker2d', help: 'hopper, walker2d or another task with continuous actions' },
  data: { default: null, help: "the demonstrator's episodes as .npz: fractions are of their mean return (required)" },
  policies: { default: null, help: 'folders of policies of different runs, separated by commas (required)' },
  episodes: { default: 50, help: 'fresh starts of each policy, the same ones for all' },
  starts: { default: 3_000_000, help: 'the first start, far from those of training, choice and evaluation' },
} as const;

/** The sets of at least one of so many policies, the smallest first. */
function subsets(count: number): number[][] {
  const all = Array.from({ length: 2 ** count - 1 }, (_, bits) =>
    Array.from({ length: count }, (_, i) => i).filter((i) => ((bits + 1) >> i) & 1),
  );
  return all.sort((a, b) => a.length - b.length);
}

async function figuresOf(
  environment: Environment,
  members: readonly NamedBundle[],
  label: string,
  demonstrator: number,
  { episodes, starts }: { readonly episodes: number; readonly starts: number },
): Promise<Figure[]> {
  const policy = await decodeBundle(members.length === 1 ? members[0]!.bundle : await combineBundles(members));
  try {
    const driven = await driveEpisodes(environment, (o) => policy.act(o), { episodes, seed: starts });
    const returns = driven.map((each) => each.return);
    const fell = driven.filter(({ terminated }) => terminated);
    progress(`${label}: ${mean(returns).toFixed(0)}, ${fell.length} of ${episodes} ended in a terminal state`);
    const lengths = fell.map(({ length }) => length).sort((a, b) => a - b);
    return [
      { name: `${label}: fraction`, value: mean(returns) / demonstrator, unit: 'ratio', note: 'mean of fresh starts' },
      { name: `${label}: lowest`, value: Math.min(...returns) / demonstrator, unit: 'ratio' },
      {
        name: `${label}: terminated`,
        value: fell.length,
        unit: 'episodes',
        note: `of ${episodes}${lengths.length === 0 ? '' : `, after ${lengths.join(', ')} steps`}`,
      },
    ];
  } finally {
    await policy.dispose();
  }
}

/** What the mean of the actions of policies from several runs is worth, beside each of them, for every choice of them. */
export async function run(args: string[]): Promise<BenchResult> {
  const { task, data, policies, ...starts } = parseOptions('combine', args, OPTIONS);
  if (data === null || policies === null)
    throw new IqLearnError('INVALID_ARGUMENT', 'nothing to combine', {
      found: data === null ? 'no --data' : 'no --policies',
      expected: "the demonstrator's episodes, and the policies of two runs or more",
      remedy:
        'npm run bench -- combine --task walker2d --data walker2d-trpo.npz --policies runs/3/policy,runs/4/policy',
    });
  const environment = environmentOf(await createTask(task));
  const { demonstrator } = readDemonstrations({ file: data, count: 1, first: 0 }, environment);
  const named = policies.split(',').map((source): NamedBundle => ({ source, bundle: readBundleFiles(source) }));
  const figures: Figure[] = [
    {
      name: 'demonstrator',
      value: mean(demonstrator),
      unit: 'return',
      note: `mean of ${demonstrator.length} episodes`,
    },
  ];
  for (const chosen of subsets(named.length)) {
    const label = `${chosen.length === 1 ? 'policy' : 'mean of'} ${chosen.map((i) => i + 1).join(', ')}`;
    const members = chosen.map((i) => named[i]!);
    figures.push(...(await figuresOf(environment, members, label, mean(demonstrator), starts)));
  }
  return benchResult('combine', args, figures);
}
