import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cdr, protobuf } from '../../src/messages/index.js';
import { loadRobotSpec } from '../../src/robot/index.js';
import { type BenchResult, benchResult, type Figure, median, progress, root } from '../harness.js';
import { watchLoad } from '../load.js';
import { parseOptions } from '../options.js';
import { descriptors } from './descriptors.js';
import { fleet } from './fleet.js';
import { fuzz } from './fuzz.js';
import { policyToRobots } from './policies.js';
import { said, startMosquitto } from './processes.js';
import { envelopes, jsonBatches, transitions } from './traffic.js';

const OPTIONS = {
  count: { default: 1_000_000, help: 'transitions that each side takes in' },
  batch: { default: 512, help: 'transitions in one message' },
  rounds: { default: 3, help: 'rounds in which every side has its turn; the best counts for each; 0 for none' },
  robots: { default: 100, help: 'robots that get a policy' },
  fleet: { default: 100, help: 'robots that send at once while the learner trains; 0 for none' },
  hz: { default: 20, help: 'transitions per second of each of them' },
  minutes: { default: 1, help: 'for how long they are measured' },
  paid: { default: 1, help: 'share of its updates alone that their transitions pay for; 0 without learning' },
  random: { default: 1_000_000, help: 'messages of random bytes, over all topics of the link' },
  peers: { default: null, help: 'a Python environment with paho-mqtt, protobuf and numpy (scripts/setup-python.sh)' },
} as const;

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Measured {
  readonly cpu: number;
  readonly wall: number;
}

type Side = 'link' | 'json' | 'python';

async function takeIn(
  side: Side,
  port: number,
  folder: string,
  { count, batch, peers }: { readonly count: number; readonly batch: number; readonly peers: string | null },
): Promise<Measured> {
  const out = join(folder, `${side}.json`);
  rmSync(out, { force: true });
  const consumer =
    side === 'python'
      ? spawn(join(peers!, 'bin', 'python'), [
          join(root, 'bench', 'link', 'consumer.py'),
          join(folder, 'descriptors'),
          String(port),
          String(count),
          out,
        ])
      : spawn(process.execPath, [...process.execArgv, file('./consumer.js'), String(port), side, String(count), out]);
  consumer.stderr!.pipe(process.stderr);
  const form = side === 'json' ? 'json' : 'link';
  const publisher = spawn(
    process.execPath,
    [file('./publisher.js'), String(port), 'iq_learn/fleet/rover-1/stream', form, String(count), String(batch)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  try {
    await Promise.all([said(consumer, 'ready'), said(publisher, 'ready')]);
    const ended = new Promise((resolve) => consumer.once('exit', resolve));
    publisher.stdin!.write('go\n');
    await ended;
    return JSON.parse(readFileSync(out, 'utf8')) as Measured;
  } finally {
    for (const child of [consumer, publisher]) child.kill('SIGKILL');
  }
}

const NAMES: Readonly<Record<Side, string>> = { link: 'ours', json: 'JSON', python: 'Python' };
const NOTES: Readonly<Record<Side, string>> = {
  link: 'gateway (each once, in order), learner node, segments, replay buffer with normalised rows',
  json: 'the same broker and buffer; JSON.parse of arrays of transitions, nothing is checked',
  python:
    'the same broker, messages and work (each once, in order, checked, normalised); paho-mqtt, protobuf (upb), numpy',
};

function throughput(all: ReadonlyMap<Side, Measured[]>, count: number): Figure[] {
  const best = (side: Side): number => Math.min(...all.get(side)!.map(({ cpu }) => cpu));
  const figures: Figure[] = [];
  for (const [side, measured] of all) {
    figures.push(
      { name: `${NAMES[side]}: transitions/s a core`, value: count / best(side), unit: '1/s', note: NOTES[side] },
      {
        name: `${NAMES[side]}: transitions/s by the clock`,
        value: count / Math.min(...measured.map(({ wall }) => wall)),
        unit: '1/s',
        note: 'with broker and publisher on the same cores',
      },
    );
  }
  for (const side of ['json', 'python'] as const) {
    if (!all.has(side)) continue;
    const ratios = all.get(side)!.map(({ cpu }, i) => cpu / all.get('link')![i]!.cpu);
    figures.push({
      name: `ours ÷ ${NAMES[side]}, transitions/s a core`,
      value: median(ratios),
      unit: 'ratio',
      note: `median of ${ratios.length} rounds, one after the other`,
    });
  }
  return figures;
}

function sizes(batch: number): Figure[] {
  const all = transitions(loadRobotSpec('rover'), batch);
  const sum = (parts: readonly Uint8Array[]): number => parts.reduce((total, { length }) => total + length, 0);
  const one = all.map((transition) => cdr.encode('iq_learn/msg/Transition', transition));
  const small = all.map((transition) => protobuf.encode('iq_learn/msg/Transition', transition));
  const figure = (name: string, bytes: number, note: string): Figure => ({
    name: `${name}: bytes a transition`,
    value: bytes / batch,
    unit: 'B',
    note,
  });
  return [
    figure(
      'ours',
      sum(envelopes('rover-1', all, batch)),
      `rover, in a batch of ${batch} with envelope and sequence numbers`,
    ),
    figure('protobuf alone', sum(small), 'without batch and envelope'),
    figure('CDR', sum(one), 'as ROS 2 sends it, one message each'),
    figure('JSON', sum(jsonBatches(all, batch)), `an array of ${batch}`),
  ];
}

/** Transitions through mosquitto into the replay buffer, their sizes, a policy to many robots, random bytes. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('link', args, OPTIONS);
  const load = watchLoad();
  const folder = mkdtempSync(join(tmpdir(), 'bench-link-'));
  const broker = await startMosquitto(folder);
  try {
    writeFileSync(join(folder, 'descriptors'), await descriptors(root));
    const contenders: Side[] = options.peers === null ? ['link', 'json'] : ['link', 'json', 'python'];
    const sides = options.rounds === 0 ? [] : contenders;
    const all = new Map<Side, Measured[]>(sides.map((side) => [side, []]));
    for (let round = 1; round <= options.rounds; round++)
      for (const side of sides) {
        progress(`round ${round}: ${NAMES[side]}…`);
        all.get(side)!.push(await takeIn(side, broker.port, folder, options));
      }
    progress(`a policy to ${options.robots} robots…`);
    const policies = await policyToRobots(broker.port, options.robots);
    const many = await fleet(broker, folder, { ...options, robots: options.fleet });
    progress('random bytes…');
    const figures = [
      ...throughput(all, options.count),
      ...sizes(options.batch),
      ...policies,
      ...many,
      ...fuzz(options.random),
    ];
    return benchResult('link', args, [...figures, ...load()]);
  } finally {
    broker.stop();
    // The learning process may write a last file.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
}
