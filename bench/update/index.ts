import { inspectModel } from '../../src/engine/index.js';
import { learnerConfig } from '../../src/learning/index.js';
import { writeFileAtomic } from '../../src/platform/index.js';
import { type BenchResult, benchResult, type Figure, median, progress } from '../harness.js';
import { watchLoad } from '../load.js';
import { parseOptions } from '../options.js';
import { alternate, type Contender, PythonPeer, peersPython, type Samples } from '../peers/peer.js';
import {
  ACTION,
  benchDevice,
  type Engine,
  learnerContender,
  OBSERVATION,
  programContender,
  sgemmContender,
  updateModel,
} from './contenders.js';
import { updateFlops } from './flops.js';
import { configOf, differences, type ParitySettings, parityCase, runOurs, runPeer } from './parity.js';
import { productFlops, productTable } from './products.js';

const BATCH = 256;
const HIDDEN = [256, 256];

/** The algorithm as it was published, without what this package's defaults add. */
const PUBLISHED: Omit<ParitySettings, 'critics'> = {
  observation: OBSERVATION,
  action: ACTION,
  hidden: HIDDEN,
  batch: BATCH,
  gamma: 0.99,
  tau: 0.005,
  temperature: 0.01,
  reg_mult: 0.5,
  log_std: [-5, 2],
  actor_learning_rate: 3e-5,
  critic_learning_rate: 3e-4,
  beta1: 0.9,
  layer_norm: false,
  value_term: 'value',
  absorbing: 'zero',
  averaging: 0,
  cloning: 0,
};

/** What the defaults set otherwise (docs/decisions/0015), under the peers' names: RECIPE of bench/peers/peer.py. */
const RECIPE: ParitySettings = {
  ...PUBLISHED,
  critics: 1,
  batch: 128,
  temperature: 1e-3,
  reg_mult: 10,
  actor_learning_rate: 3e-4,
  beta1: 0.5,
  layer_norm: true,
  value_term: 'value_policy',
  absorbing: 'learned',
  averaging: 1e-3,
};

/** The forms whose updates are timed and compared, by the names of their groups. */
const FORMS: Readonly<Record<'recipe' | 'double' | 'single', ParitySettings>> = {
  recipe: RECIPE,
  double: { ...PUBLISHED, critics: 2 },
  single: { ...PUBLISHED, critics: 1 },
};
type Form = keyof typeof FORMS;
const forms = Object.keys(FORMS) as Form[];

/** Small, with large steps, and a bound on V′ that rows do reach: three updates exercise every term. */
const GOLDEN: ParitySettings = {
  ...PUBLISHED,
  observation: 5,
  action: 2,
  hidden: [8, 8],
  critics: 2,
  batch: 4,
  gamma: 0.9,
  tau: 0.1,
  temperature: 0.5,
  reg_mult: 20,
  log_std: [-5, 2],
  actor_learning_rate: 1e-2,
  critic_learning_rate: 1e-2,
};

/** The same for what the defaults add. */
const GOLDEN_RECIPE: ParitySettings = {
  ...GOLDEN,
  beta1: RECIPE.beta1,
  layer_norm: RECIPE.layer_norm,
  value_term: RECIPE.value_term,
  absorbing: RECIPE.absorbing,
  cloning: 0.5,
};

interface Group {
  readonly name: string;
  readonly contenders: readonly (() => Promise<Contender>)[];
  readonly figures: (samples: Samples) => Figure[];
}

/** ms per IQ-Learn SAC and SAC update, ours and the peers' in turn; share of the SGEMM peak; parity with the peers. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('update', args, {
    peers: { default: null, help: "folder of the peers' Python environment, else IQ_LEARN_PEERS" },
    'no-peers': { default: false, help: 'ours alone' },
    device: { default: 'cpu', help: 'what our updates and those of PyTorch and JAX run on: cpu or cuda' },
    threads: { default: 2, help: 'threads of every contender' },
    rounds: { default: 12, help: 'rounds in which every contender has one block' },
    block: { default: 24, help: 'updates a block; the first quarter warms up and is not counted' },
    only: { default: null, help: 'groups to run, separated by commas: recipe, double, single, sac, parity' },
    products: { default: false, help: 'only print all matrix products of the compiled updates' },
    golden: { default: null, help: 'only write the small parity case with PyTorch’s results to this file' },
    recipe: { default: false, help: 'with --golden: the case with what the defaults add' },
  });
  if (options.products) return products(args);
  const python = options['no-peers'] ? undefined : peersPython(options.peers);
  if (options.golden !== null)
    return golden(options.golden, options.recipe ? GOLDEN_RECIPE : GOLDEN, peersPython(options.peers), args);

  const { threads } = options;
  const device = benchDevice(options.device);
  const engine: Engine = { device, threads };
  const load = watchLoad();
  const wanted = options.only?.split(',');
  const versions: Record<string, string> = {};
  const figures: Figure[] = [];
  const flags = ['--threads', String(threads)];
  const peer: StartPeer = (name, script, ...rest) =>
    python === undefined ? [] : [() => PythonPeer.start(name, python, script, [...flags, ...rest])];
  const groups = [...forms.map((form) => iqGroup(form, engine, peer)), sacGroup(engine, peer)].filter(
    ({ name }) => wanted === undefined || wanted.includes(name),
  );
  for (const group of groups) {
    progress(`${group.name}: starting and warming up`);
    // One after the other: what one does while it starts is load for the rest.
    const contenders: Contender[] = [];
    try {
      for (const start of group.contenders) contenders.push(await start());
      const samples = await alternate(contenders, {
        rounds: options.rounds,
        block: options.block,
        onRound: (round) => {
          if (round % 4 === 0 || round === options.rounds) progress(`${group.name}: ${round}/${options.rounds} rounds`);
        },
      });
      figures.push(...group.figures(samples));
      for (const contender of contenders) Object.assign(versions, contender.versions);
    } finally {
      await Promise.all(contenders.map((contender) => contender.close()));
    }
  }
  if (python !== undefined && (wanted === undefined || wanted.includes('parity')))
    figures.push(...(await parity(python)));
  return benchResult('update', args, [...figures, ...load()], { versions });
}

type StartPeer = (name: string, script: string, ...rest: string[]) => (() => Promise<Contender>)[];

function times(label: string, samples: Samples, note: Readonly<Record<string, string>>): Figure[] {
  return [...samples]
    .filter(([name]) => !name.startsWith('sgemm'))
    .flatMap(([name, ms]) => [
      { name: `${label}: ${name}`, value: median(ms), unit: 'ms', note: `median of ${ms.length}${note[name] ?? ''}` },
      { name: `${label}: ${name}, min`, value: Math.min(...ms), unit: 'ms' },
    ]);
}

function ratios(label: string, samples: Samples, ours: string): Figure[] {
  const mine = samples.get(ours)!;
  return [...samples]
    .filter(([name]) => name !== ours && !name.startsWith('ours') && !name.startsWith('sgemm'))
    .flatMap(([name, ms]) => [
      { name: `${label}: ${ours} ÷ ${name}`, value: median(mine) / median(ms), unit: 'ratio', note: 'of medians' },
      { name: `${label}: ${ours} ÷ ${name}, min`, value: Math.min(...mine) / Math.min(...ms), unit: 'ratio' },
    ]);
}

const neededFlops = ({ observation, action, hidden, critics, batch, value_term, absorbing }: ParitySettings): number =>
  updateFlops({
    observation,
    action,
    hidden,
    critics,
    rows: 2 * batch,
    valuedRows: value_term === 'value_policy' ? batch : 2 * batch,
    criticEntries: absorbing === 'learned' ? 1 : 0,
  });

function iqGroup(label: Form, engine: Engine, peer: StartPeer): Group {
  const form = FORMS[label];
  const config = configOf(form);
  const flag = ['--batch', String(form.batch), '--device', engine.device === 'cuda' ? 'cuda' : 'cpu'];
  flag.push(...(label === 'recipe' ? ['--recipe'] : ['--critics', String(form.critics)]));
  const gflop = neededFlops(form) / 1e9;
  return {
    name: label,
    contenders: [
      () => programContender('ours', config, engine),
      ...peer('torch', 'iq_learn_torch.py', ...flag),
      ...peer('jax', 'iq_learn_jax.py', ...flag),
      () => learnerContender('ours with batches and noise', config, engine),
      ...peer('torch lean', 'iq_learn_torch.py', '--variant', 'lean', ...flag),
      () => sgemmContender('sgemm onnxruntime', engine.threads),
      ...peer('sgemm torch', 'sgemm.py'),
      ...peer('sgemm numpy', 'sgemm.py', '--variant', 'numpy'),
    ],
    figures: (samples) => {
      const peaks = [...samples]
        .filter(([name]) => name.startsWith('sgemm'))
        .map(([name, ms]) => ({ name, value: 1e3 / Math.min(...ms) }));
      const peak = Math.max(...peaks.map(({ value }) => value));
      const mine = samples.get('ours')!;
      return [
        ...times(label, samples, {
          ours: ', the compiled update, batches and noise given',
          torch: ', eager, the usual way, batches given',
          jax: ', one jitted function, batches given',
          'ours with batches and noise': ', Learner.update: drawn from the replay buffers',
        }),
        ...ratios(label, samples, 'ours'),
        ...ratios(label, samples, 'ours with batches and noise'),
        { name: `${label}: work`, value: gflop, unit: 'GFLOP', note: 'matrix products of one update' },
        ...peaks.map(({ name, value }) => ({
          name: `${label}: ${name}`,
          value,
          unit: 'GFLOP/s',
          note: 'best of products of 1024 × 1024',
        })),
        {
          name: `${label}: share of the peak`,
          value: gflop / (median(mine) / 1e3) / peak,
          unit: 'ratio',
          note: 'ours at its median, of the fastest library’s peak',
        },
      ];
    },
  };
}

function sacGroup(engine: Engine, peer: StartPeer): Group {
  const config = learnerConfig({
    agent: 'sac',
    critics: 2,
    hiddenSizes: HIDDEN,
    batchSize: BATCH,
    learnTemperature: true,
    temperature: 1,
    actorLearningRate: 3e-4,
    bufferSize: 20_000,
  });
  return {
    name: 'sac',
    contenders: [
      () => learnerContender('ours', config, engine),
      ...peer('stable-baselines3', 'sac_sb3.py'),
      ...peer('sbx', 'sac_sbx.py'),
    ],
    figures: (samples) => [
      ...times('sac', samples, {
        ours: ', Learner.update with its batch, learned temperature',
        'stable-baselines3': ' calls of train(10), its batches, learned temperature',
        sbx: ' calls of train(10), its batches, learned temperature',
      }),
      ...ratios('sac', samples, 'ours'),
    ],
  };
}

/** Prints the matrix products of the compiled updates. */
async function products(args: string[]): Promise<BenchResult> {
  const figures: Figure[] = [];
  for (const label of forms) {
    const model = inspectModel(await updateModel(configOf(FORMS[label])));
    const needed = neededFlops(FORMS[label]);
    progress(productTable(model, needed));
    figures.push(
      { name: `${label}: matrix products`, value: model.products.length, unit: '' },
      { name: `${label}: work of the products`, value: productFlops(model) / 1e9, unit: 'GFLOP' },
      { name: `${label}: work needed`, value: needed / 1e9, unit: 'GFLOP' },
    );
  }
  return benchResult('update', args, figures);
}

async function parity(python: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [label, form] of Object.entries(FORMS)) {
    progress(`parity: 20 updates, ${label}`);
    const given = parityCase(form, 20, form.critics);
    const ours = await runOurs(given);
    for (const [name, script] of [
      ['torch', 'iq_learn_torch.py'],
      ['jax', 'iq_learn_jax.py'],
    ] as const)
      for (const [what, value] of Object.entries(differences(ours, runPeer(python, script, given))))
        figures.push({
          name: `parity ${label}: ${what} against ${name}`,
          value,
          unit: what === 'losses' ? 'relative' : 'absolute',
          note: 'largest over 20 updates with the same noise',
        });
  }
  return figures;
}

async function golden(path: string, settings: ParitySettings, python: string, args: string[]): Promise<BenchResult> {
  const given = parityCase(settings, 3, 7);
  const theirs = runPeer(python, 'iq_learn_torch.py', given);
  const last = theirs.at(-1)!;
  const file = {
    made: 'npm run bench -- update --golden FILE [--recipe]: three updates by bench/peers/iq_learn_torch.py (float32, PyTorch)',
    ...given,
    losses: theirs.map(({ critic_loss, actor_loss }) => [critic_loss, actor_loss]),
    final: { actor: last.actor, critic: last.critic, target: last.target },
  };
  writeFileAtomic(path, `${JSON.stringify(file, null, 1)}\n`);
  const largest = differences(await runOurs(given), theirs);
  return benchResult(
    'update',
    args,
    Object.entries(largest).map(([what, value]) => ({
      name: `golden: ${what}`,
      value,
      unit: what === 'losses' ? 'relative' : 'absolute',
      note: 'ours against PyTorch',
    })),
  );
}
