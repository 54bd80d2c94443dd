import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createSigningKeys } from '../../src/link/index.js';
import { type Figure, median, progress, root } from '../harness.js';
import { type Broker, childrenOf, said, usage } from './processes.js';

export interface FleetOptions {
  readonly robots: number;
  readonly hz: number;
  readonly minutes: number;
  /** Of the updates that the learner makes alone, the share that the fleet's transitions pay for. */
  readonly paid: number;
}

type MakeFigure = (name: string, value: number, unit: string, note?: string) => Figure;

/** Updates of a learner that has nothing else beside it. */
export interface Alone {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

interface Window {
  readonly ms: number;
  readonly updates: number;
  readonly learned: number;
  readonly backlog: number;
  readonly records: number;
  readonly refused: number;
  readonly admitted: number;
  readonly lag: readonly [number, number, number] | null;
}

/** What each process used at a time, and what the learner says. */
interface Sample extends Window {
  readonly usage: Readonly<Record<string, { readonly cpu: number; readonly rss: number }>>;
}

/** Until buffers have filled and code is compiled nothing is measured. */
const WARM_UP_S = 30;
const PERIOD_S = 5;
/** For so long after the robots have ended it is waited for what is on its way. */
const DRAIN_S = 240;
const ROBOTS_A_PROCESS = 1000;
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const iqLearn = file('../../src/cli/main.js');

/** Runs a process to its end. */
async function finished(child: ChildProcess): Promise<void> {
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`a process of the bench ended with code ${code}`);
}

/** Writes the learner's file of a link without TLS on this machine, and gives its path. */
function linkFile(folder: string, port: number, robots: number): string {
  writeFileSync(join(folder, 'policy.key'), createSigningKeys().privateKey);
  const names = Array.from({ length: robots }, (_, i) => `robot-${i}`);
  const path = join(folder, 'learner.yaml');
  // A policy is tried on one robot for as long as this runs: what all of them getting one costs is measured by itself.
  writeFileSync(
    path,
    `end: learner\nbroker: mqtt://127.0.0.1:${port}\nfleet: fleet\nplaintext: true\npolicy_key: policy.key\nrollout: { mode: staged, episodes: 1000 }\nrobots: [${names.join(', ')}]\n`,
  );
  return path;
}

async function sampleOf(learner: ChildProcess, pids: Readonly<Record<string, readonly number[]>>): Promise<Sample> {
  const window = said(learner, 'window');
  learner.stdin!.write('\n');
  const of = Object.entries(pids).map(([name, ids]) => {
    const all = ids.map((pid) => usage(pid) ?? { cpu: Number.NaN, rss: Number.NaN });
    return [name, { cpu: all.reduce((sum, { cpu }) => sum + cpu, 0), rss: all.reduce((sum, { rss }) => sum + rss, 0) }];
  });
  return { ...(JSON.parse(await window) as Window), usage: Object.fromEntries(of) };
}

/** What the learner makes alone, and the share of it that it makes beside its robots. */
function aloneFigures(figure: MakeFigure, alone: readonly Alone[], { perSecond, perCpuSecond }: Alone): Figure[] {
  if (alone.length === 0) return [];
  const mean = (of: keyof Alone): number => alone.reduce((sum, each) => sum + each[of], 0) / alone.length;
  const both = alone.map((each) => each.perSecond.toFixed(0)).join(' and ');
  return [
    figure('updates/s alone', mean('perSecond'), '1/s', `the same settings, before and after the robots: ${both}`),
    figure('updates/s, share of alone', perSecond / mean('perSecond'), 'ratio', 'by the clock'),
    figure(
      'updates per second of CPU, share of alone',
      perCpuSecond / mean('perCpuSecond'),
      'ratio',
      'what the machine gives to others does not count here',
    ),
  ];
}

/** Growth of the middle of the last third of samples over that of the first third. */
function growth(samples: readonly Sample[], name: string): number {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const of = (part: readonly Sample[]): number => median(part.map((sample) => sample.usage[name]!.rss));
  return of(samples.slice(-third)) - of(samples.slice(0, third));
}

function figuresOf(
  samples: readonly Sample[],
  sent: { readonly count: number; readonly all: boolean },
  end: Sample,
  alone: readonly Alone[],
  options: FleetOptions,
): Figure[] {
  const { robots, hz } = options;
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const seconds = (last.ms - first.ms) / 1000;
  const lags = samples.slice(1).flatMap(({ lag }) => (lag === null ? [] : [lag]));
  const updates = last.updates - first.updates;
  const speed = updates / seconds;
  const what = `fleet of ${robots}`;
  const note = `${robots} connections at ${hz} Hz through mosquitto to the learner of iq-learn serve, all on this machine, ${(seconds / 60).toFixed(1)} min`;
  const figure = (name: string, value: number, unit: string, text = note): Figure => ({
    name: `${what}: ${name}`,
    value,
    unit,
    note: text,
  });
  const used = (name: string): number => last.usage[name]!.cpu - first.usage[name]!.cpu;
  const cores = Object.keys(first.usage).map((name) => figure(`CPU of ${name}`, used(name) / seconds, 'cores', ''));
  const memory = ['the learner node', 'learning', 'mosquitto'].flatMap((name) => [
    figure(`memory of ${name}`, last.usage[name]!.rss, 'MiB', 'resident, at the end'),
    figure(`growth of ${name}`, growth(samples, name), 'MiB', 'medians, last third over first'),
  ]);
  return [
    figure('transitions/s taken in', (last.records - first.records) / seconds, '1/s'),
    figure(
      sent.all ? 'lost' : 'lost or still on their way',
      sent.count - end.records,
      'transitions',
      `of ${sent.count} sent, ${sent.all ? 'when all robots knew that they had arrived' : `${DRAIN_S} s after the last one`}; ${end.refused} refused, ${end.admitted} admitted`,
    ),
    figure(
      'lag, median',
      median(lags.map(([middle]) => middle)),
      's',
      'from the stamp of a transition until the learner has it; robots gather 0.2 s, 1,000 of them 0.5 s',
    ),
    figure(
      'lag, 99 %',
      Math.max(...lags.map(([, high]) => high)),
      's',
      `the worst of ${lags.length} windows of ${PERIOD_S} s`,
    ),
    figure('lag, 99 %, middle window', median(lags.map(([, high]) => high)), 's', `median of ${lags.length} windows`),
    figure(
      'updates/s',
      speed,
      '1/s',
      `paid for: ${(100 * options.paid).toFixed(0)} % of those alone; ${last.backlog} transitions wait`,
    ),
    ...aloneFigures(figure, alone, { perSecond: speed, perCpuSecond: updates / used('learning') }),
    ...cores,
    ...memory,
  ];
}

/** Many robots at once with the learner training: what is lost, how late it is, what it costs the learner, and memory. */
export async function fleet(broker: Broker, folder: string, options: FleetOptions): Promise<Figure[]> {
  const { robots, hz, minutes, paid } = options;
  if (robots === 0) return [];
  const demos = join(folder, 'demos');
  await finished(
    spawn(process.execPath, [iqLearn, 'record', '--robot', 'rover', '--episodes', '1', '--out', demos], {
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: root,
    }),
  );
  const started: ChildProcess[] = [];
  const start = (script: string, args: readonly (string | number)[]): ChildProcess => {
    const child = spawn(process.execPath, [...process.execArgv, file(script), ...args.map(String)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    started.push(child);
    return child;
  };
  try {
    // Before and after, for a machine that others use does not keep its speed.
    const alone = async (): Promise<Alone[]> => {
      if (paid === 0) return [];
      progress('the learner alone…');
      return [JSON.parse(await said(start('./fleet-alone.js', [demos]), 'alone')) as Alone];
    };
    const before = await alone();
    const link = linkFile(folder, broker.port, robots);
    const updatesPerTransition = (paid * (before[0]?.perSecond ?? 0)) / (robots * hz);
    const learner = start('./fleet-learner.js', [link, demos, join(folder, 'run'), updatesPerTransition]);
    await said(learner, 'ready');
    progress(`${robots} robots…`);
    const processes: ChildProcess[] = [];
    for (let i = 0; i < robots; i += ROBOTS_A_PROCESS)
      processes.push(start('./fleet-robots.js', [broker.port, i, Math.min(ROBOTS_A_PROCESS, robots - i), hz]));
    await Promise.all(processes.map((child) => said(child, 'ready')));
    for (const child of processes) child.stdin!.write('\n');
    const pids = {
      'the learner node': [learner.pid!],
      learning: childrenOf(learner.pid!),
      mosquitto: [broker.pid],
      'the robots': processes.map(({ pid }) => pid!),
    };
    await sleep(WARM_UP_S * 1000);
    const samples: Sample[] = [await sampleOf(learner, pids)];
    for (let s = 0; s < minutes * 60; s += PERIOD_S) {
      await sleep(PERIOD_S * 1000);
      samples.push(await sampleOf(learner, pids));
    }
    const driven = Promise.all(processes.map((child) => said(child, 'driven')));
    const arrived = Promise.all(processes.map((child) => said(child, 'arrived')));
    for (const child of processes) child.stdin!.write('\n');
    const total = (await driven).reduce((sum, text) => sum + Number(text), 0);
    const all = await Promise.race([
      arrived.then(
        () => true,
        () => false,
      ),
      sleep(DRAIN_S * 1000, false),
    ]);
    const end = await sampleOf(learner, pids);
    learner.stdin!.end();
    await Promise.race([new Promise((resolve) => learner.once('exit', resolve)), sleep(5000)]);
    return figuresOf(samples, { count: total, all }, end, [...before, ...(await alone())], options);
  } finally {
    for (const child of started) child.kill('SIGKILL');
  }
}
