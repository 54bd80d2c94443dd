import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IqLearnError } from '../../src/common/index.js';
import { type BenchResult, benchResult, type Figure, progress, quantile, shown } from '../harness.js';
import { watchLoad } from '../load.js';
import { parseOptions } from '../options.js';
import { peersPython } from '../peers/peer.js';
import { checkRosSourced, Dialogue, packagesOf, startExecutable, startPython, Watched } from './processes.js';
import { robotSpec, writeSetup } from './setup.js';
import { Training } from './training.js';

const OPTIONS = {
  peers: { default: null, help: 'environment made by bench/peers/setup.sh; without it IQ_LEARN_PEERS' },
  'no-peers': { default: false, help: 'measures only ours' },
  rates: { default: '50,100,500,1000', help: 'states a second' },
  loads: { default: 'idle,training', help: 'of the learner' },
  seconds: { default: 60, help: 'seconds measured of each contender at each rate under each load' },
  slice: { default: 10, help: 'seconds after which the other contender has its turn' },
  warm: { default: 1, help: 'seconds before each slice that are not counted' },
  'echo-seconds': { default: 5, help: 'seconds of the echo at each rate, with the learner idle' },
  threads: { default: 1, help: 'threads of the learner' },
} as const;

/** lifecycle_msgs/msg/Transition */
const [CONFIGURE, ACTIVATE, DEACTIVATE] = [1, 3, 4];

const LOADS = ['idle', 'training'] as const;
type Load = (typeof LOADS)[number];

interface Slice {
  /** null: no answer came. */
  readonly latency_ms: readonly (number | null)[];
  readonly stops: number;
  readonly late: number;
}

/** State message → command message of the policy executable over DDS, beside an rclpy + PyTorch node. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('ros2', args, OPTIONS);
  const rates = options.rates.split(',').map(Number);
  const loads = options.loads.split(',') as Load[];
  if (!rates.every((rate) => rate > 0) || !loads.every((name) => LOADS.includes(name)))
    throw new IqLearnError('INVALID_ARGUMENT', 'no such rate or load', {
      found: `--rates ${options.rates} --loads ${options.loads}`,
      expected: `numbers of Hz, and any of ${LOADS.join(', ')}`,
    });
  checkRosSourced();
  const packages = options['no-peers'] ? undefined : packagesOf(peersPython(options.peers));
  const load = watchLoad();
  const folder = mkdtempSync(join(tmpdir(), 'iq-learn-bench-'));
  const figures: Figure[] = [];
  try {
    for (const name of LOADS.filter((each) => loads.includes(each))) {
      const training = name === 'training' ? await Training.start(robotSpec(100).spec, options.threads) : undefined;
      const [began, updates] = [performance.now(), training?.updates ?? 0];
      try {
        for (const rate of rates) {
          progress(`${rate} Hz, learner ${name}…`);
          const echo = name === 'idle' ? options['echo-seconds'] : 0;
          const slices = await measure(join(folder, String(rate)), { ...options, rate, packages, echo });
          training?.check();
          const found = figuresOf(`${rate} Hz, ${name}`, rate, slices);
          for (const each of found)
            if (/(median|p99|missed periods)$/.test(each.name)) progress(`  ${each.name} ${shown(each.value)}`);
          figures.push(...found);
        }
        if (training !== undefined)
          figures.push({
            name: 'learner: updates a second',
            value: (training.updates - updates) / ((performance.now() - began) / 1e3),
            unit: '1/s',
            note: 'mean over all that was measured while it was training',
          });
      } finally {
        await training?.stop();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return benchResult('ros2', args, [...figures, ...load()]);
}

interface Measurement {
  readonly rate: number;
  readonly seconds: number;
  readonly slice: number;
  readonly warm: number;
  readonly echo: number;
  /** Where the peer imports torch from; without, there is no peer. */
  readonly packages: string | undefined;
}

/** All slices of every contender at one rate: processes side by side, of which one is asked at a time. */
async function measure(folder: string, options: Measurement): Promise<Map<string, Slice[]>> {
  const { rate, seconds, slice, warm, echo, packages } = options;
  const names = ['ours', ...(packages === undefined ? [] : ['rclpy']), ...(echo > 0 ? ['echo'] : [])];
  const files = await writeSetup(folder, rate, names);
  let reject: (error: IqLearnError) => void = () => {};
  const failed = new Promise<never>((_, fail) => {
    reject = fail;
  });
  failed.catch(() => {});
  const started: Watched[] = [];
  const start = (name: string, child: ReturnType<typeof startPython>): typeof child => {
    started.push(new Watched(name, child, (error) => reject(error)));
    return child;
  };
  const ours = ['-p', `robot:=${files.robot}`, '-p', `policy:=${files.policy}`, '-r', '__ns:=/ours'];
  try {
    start('the policy', startExecutable('policy', ['--ros-args', ...ours]));
    if (packages !== undefined)
      start(
        'the peer',
        startPython('peers/rclpy_policy.py', [files.peer, '--ros-args', '-r', '__ns:=/rclpy'], packages),
      );
    if (echo > 0) start('the echo', startPython('ros2/echo.py', [files.driver]));
    const driver = new Dialogue(start('the driver', startPython('ros2/driver.py', [files.driver])));
    const slices = new Map<string, Slice[]>(names.map((name) => [name, []]));
    const transition = async (id: number): Promise<void> => {
      const { success } = await driver.ask<{ success: boolean }>({ transition: '/ours/policy', id });
      if (!success) throw new IqLearnError('UNAVAILABLE', 'the policy refuses a transition', { found: `number ${id}` });
    };
    const turn = async (name: string, length: number): Promise<void> => {
      // A policy node that is active says stop where no state comes: it would take time from the others.
      if (name === 'ours') await transition(ACTIVATE);
      slices.get(name)!.push(await driver.ask({ run: name, seconds: length, warm }));
      if (name === 'ours') await transition(DEACTIVATE);
    };
    const work = async (): Promise<void> => {
      await transition(CONFIGURE);
      await driver.ask({ discover: true });
      if (echo > 0) await turn('echo', echo);
      for (let done = 0; done < seconds; done += slice)
        for (const name of names) if (name !== 'echo') await turn(name, Math.min(slice, seconds - done));
    };
    await Promise.race([work(), failed]);
    return slices;
  } finally {
    await Promise.all(started.map((each) => each.end()));
  }
}

function figuresOf(name: string, rate: number, slices: ReadonlyMap<string, readonly Slice[]>): Figure[] {
  const figures: Figure[] = [];
  const medians = new Map<string, number[]>();
  for (const [contender, own] of slices) {
    const all = own.flatMap(({ latency_ms }) => latency_ms);
    const ms = all.filter((each) => each !== null);
    const missed = all.filter((each) => each === null || each > 1000 / rate).length;
    const sum = (key: 'stops' | 'late'): number => own.reduce((total, each) => total + each[key], 0);
    const figure = (what: string, value: number, unit: string, note?: string): Figure => ({
      name: `${name}: ${contender}: ${what}`,
      value,
      unit,
      ...(note === undefined ? {} : { note }),
    });
    figures.push(
      figure('median', quantile(ms, 0.5), 'ms', `${ms.length} answers to ${all.length} states`),
      figure('p99', quantile(ms, 0.99), 'ms'),
      figure('p99.9', quantile(ms, 0.999), 'ms'),
      figure('max', quantile(ms, 1), 'ms'),
      figure('answered', ms.length / all.length, 'ratio', 'of all states, however late'),
      figure('missed periods', missed, '', 'states without an answer within a period'),
      figure('stops', sum('stops'), '', 'states that were answered with another command first'),
      figure('late states', sum('late'), '', 'that the driver said more than half a period late'),
    );
    medians.set(contender, [quantile(ms, 0.5), quantile(ms, 0.99)]);
  }
  const [ours, rclpy] = [medians.get('ours'), medians.get('rclpy')];
  if (ours !== undefined && rclpy !== undefined)
    figures.push(
      { name: `${name}: ours ÷ rclpy, median`, value: ours[0]! / rclpy[0]!, unit: 'ratio' },
      { name: `${name}: ours ÷ rclpy, p99`, value: ours[1]! / rclpy[1]!, unit: 'ratio' },
    );
  return figures;
}
