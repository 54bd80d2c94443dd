import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetricsLog, type MetricsSinkName, RunMetrics } from '#src/platform/index.js';
import { crc32c, maskedCrc32c } from '#src/platform/metrics/crc32c.js';
import { metricsTable } from '#src/platform/metrics/terminal-sink.js';
import { decodeRecords, encodeRecord } from '#src/platform/metrics/tf-record.js';
import { describeWithPython, runPython } from '../support/python.js';

const CHILD = fileURLToPath(new URL('./metrics-child.mjs', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-metrics-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(cutFrom = 0, sinks: readonly MetricsSinkName[] = ['csv', 'jsonl', 'tensorboard']): MetricsLog {
  return new MetricsLog({
    folder,
    sinks,
    cutFrom,
    now: () => 1_700_000_000_000,
    onProblem: (problem) => {
      throw problem;
    },
  });
}

const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const csvSteps = (): number[] => text('progress.csv').trimEnd().split('\n').slice(1).map(Number.parseFloat);
const jsonRows = (): Record<string, number | null>[] =>
  text('progress.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | null>);
const eventFiles = (): string[] => readdirSync(join(folder, 'tensorboard')).sort();

type Scalars = Record<string, [step: number, value: string, wallSeconds: number][]>;
const tensorboard = async (): Promise<Scalars> =>
  JSON.parse(await runPython('test/platform/read_tensorboard.py', join(folder, 'tensorboard'))) as Scalars;

describe('metrics in files', () => {
  it('have the step first and one row a step', () => {
    const log = open();
    log.write(100, { 'train/critic_loss': 0.5, 'train/n_updates': 100 });
    log.write(200, { 'train/critic_loss': 0.25, 'train/n_updates': 200 });
    log.close();
    expect(text('progress.csv')).toBe(
      'time/total_timesteps,train/critic_loss,train/n_updates\n100,0.5,100\n200,0.25,200\n',
    );
    expect(jsonRows()).toEqual([
      { 'time/total_timesteps': 100, 'train/critic_loss': 0.5, 'train/n_updates': 100 },
      { 'time/total_timesteps': 200, 'train/critic_loss': 0.25, 'train/n_updates': 200 },
    ]);
  });

  it('get a new last column for a metric that appears in the middle of a run', () => {
    const log = open();
    log.write(1, { a: 1 });
    log.write(2, { a: 2, b: 3 });
    log.write(3, { b: 4 });
    log.write(4, { 'with, "both"': 5 });
    log.close();
    expect(text('progress.csv')).toBe('time/total_timesteps,a,b,"with, ""both"""\n1,1,,\n2,2,3,\n3,,4,\n4,,,5\n');
    const again = open(5);
    again.write(5, { b: 6, 'with, "both"': 7 });
    again.close();
    expect(text('progress.csv').trimEnd().split('\n').at(-1)).toBe('5,,6,7');
  });

  it('write numbers that are none as Python reads them, and as null in JSON', () => {
    const log = open();
    log.write(1, { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: Number.NEGATIVE_INFINITY });
    log.close();
    expect(text('progress.csv').split('\n')[1]).toBe('1,NaN,inf,-inf');
    expect(jsonRows()).toEqual([{ 'time/total_timesteps': 1, a: null, b: null, c: null }]);
  });

  it('are cut from the step at which a resumed run goes on, and by half lines', () => {
    const first = open();
    for (const step of [100, 200, 300]) first.write(step, { a: step });
    first.close();
    appendFileSync(join(folder, 'progress.csv'), '400,4');
    appendFileSync(join(folder, 'progress.jsonl'), '{"time/total_timesteps":50');
    const second = open(200);
    second.write(200, { a: -200 });
    second.write(300, { a: -300 });
    second.close();
    expect(csvSteps()).toEqual([100, 200, 300]);
    expect(jsonRows().map(({ a }) => a)).toEqual([100, -200, -300]);
  });

  it('begin anew where nothing is resumed', () => {
    const first = open();
    first.write(100, { a: 1 });
    first.close();
    const second = open();
    second.write(50, { b: 2 });
    second.close();
    expect(text('progress.csv')).toBe('time/total_timesteps,b\n50,2\n');
    expect(jsonRows()).toHaveLength(1);
    expect(eventFiles()).toHaveLength(1);
  });

  it('are refused before the run where the folder cannot be written', () => {
    appendFileSync(join(folder, 'file'), '');
    const make = () => new MetricsLog({ folder: join(folder, 'file'), sinks: ['csv'], onProblem: () => undefined });
    expect(make).toThrow(/cannot write metrics \(csv\)/);
  });

  it('end with their last whole row on a full disk, and the run goes on', () => {
    // A limit on the size of files makes the write that passes it a partial one, as a full disk does.
    const shell = `ulimit -f 4; exec "${process.execPath}" "${CHILD}" "${folder}"`;
    const { stdout } = spawnSync('bash', ['-c', shell], { encoding: 'utf8' });
    expect(stdout).toMatch(/no more metrics are written as (csv|jsonl|tensorboard)/);
    expect(text('progress.csv')).toMatch(/\n$/);
    expect(text('progress.jsonl')).toMatch(/\n$/);
    expect(jsonRows().length).toBeGreaterThan(10);
    const [file] = eventFiles();
    const bytes = readFileSync(join(folder, 'tensorboard', file!));
    expect(decodeRecords(bytes).reduce((sum, record) => sum + record.byteLength + 16, 0)).toBe(bytes.byteLength);
  });
});

describe('metrics on the terminal', () => {
  it('are a table by groups', () => {
    const printed: string[] = [];
    const log = new MetricsLog({
      folder,
      sinks: ['terminal'],
      print: (table) => printed.push(table),
      onProblem: () => undefined,
    });
    log.write(100, { 'train/critic_loss': 0.123456, 'rollout/ep_rew_mean': 12 });
    log.close();
    expect(printed).toEqual([
      [
        '-'.repeat(30),
        '| rollout/          |        |',
        '|   ep_rew_mean     | 12     |',
        '| time/             |        |',
        '|   total_timesteps | 100    |',
        '| train/            |        |',
        '|   critic_loss     | 0.1235 |',
        '-'.repeat(30),
      ].join('\n'),
    ]);
    expect(metricsTable({ step: 1, wallSeconds: 0, values: { 'train/loss': Number.NaN } })).toContain('NaN');
  });
});

describe('the checksum of TFRecord files', () => {
  it('is that of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  it('is masked as TensorFlow masks it', () => {
    // What tensorboard's own masked_crc32c gives.
    expect(maskedCrc32c(new TextEncoder().encode('123456789'))).toBe(0xc78ab0e5);
  });

  it('ends reading at the first record that is cut or damaged', () => {
    const records = ['one', 'two', 'three'].map((word) => new TextEncoder().encode(word));
    const file = Buffer.concat(records.map(encodeRecord));
    expect(decodeRecords(file)).toHaveLength(3);
    for (let length = 0; length < file.length; length++)
      expect(decodeRecords(file.subarray(0, length)).length).toBeLessThan(3);
    file[encodeRecord(records[0]!).length + 13]! ^= 1;
    expect(decodeRecords(file).map((record) => Buffer.from(record).toString())).toEqual(['one']);
  });
});

describe('the metrics of a run', () => {
  it("have stable-baselines3's names, and only those that there are", () => {
    const log = open();
    const run = new RunMetrics(log);
    run.learned({ steps: 100, updates: 100, seconds: 4, train: { 'train/critic_loss': 1 } });
    run.episode({ return: 10, length: 60, success: true });
    run.episode({ return: 20, length: 40, success: false });
    run.learned({ steps: 300, updates: 300, seconds: 6, train: { 'train/critic_loss': 2 } });
    run.evaluated(300, [{ return: 30, length: 50 }]);
    log.close();
    expect(jsonRows()).toEqual([
      {
        'time/total_timesteps': 100,
        'time/fps': 25,
        'time/time_elapsed': 4,
        'train/n_updates': 100,
        'train/critic_loss': 1,
      },
      {
        'time/total_timesteps': 300,
        'rollout/ep_rew_mean': 15,
        'rollout/ep_len_mean': 50,
        'rollout/success_rate': 0.5,
        'time/fps': 50,
        'time/time_elapsed': 6,
        'train/n_updates': 300,
        'train/critic_loss': 2,
      },
      { 'time/total_timesteps': 300, 'eval/mean_reward': 30, 'eval/mean_ep_length': 50 },
    ]);
  });

  it('take their means over the last hundred episodes', () => {
    const log = open();
    const run = new RunMetrics(log);
    for (let i = 0; i < 150; i++) run.episode({ return: i, length: 1 });
    run.learned({ steps: 150, updates: 0, seconds: 1, train: {} });
    log.close();
    expect(jsonRows()[0]?.['rollout/ep_rew_mean']).toBe((50 + 149) / 2);
  });

  it('count the rate from where a resumed run went on', () => {
    const log = open(1000);
    const run = new RunMetrics(log, { steps: 1000, seconds: 60 });
    run.learned({ steps: 1100, updates: 1100, seconds: 62, train: {} });
    log.close();
    expect(jsonRows()[0]?.['time/fps']).toBe(50);
  });
});

describeWithPython('TensorBoard', () => {
  it('reads every value at its step and time', async () => {
    const log = open();
    log.write(100, { 'train/critic_loss': 0.5, 'rollout/ep_rew_mean': -3 });
    log.write(2 ** 40, { 'train/critic_loss': Number.NaN });
    log.write(2 ** 41, { 'train/critic_loss': Number.POSITIVE_INFINITY, 'eval/mean_reward': 0 });
    log.close();
    expect(await tensorboard()).toEqual({
      'train/critic_loss': [
        [100, '0.5', 1.7e9],
        [2 ** 40, 'nan', 1.7e9],
        [2 ** 41, 'inf', 1.7e9],
      ],
      'rollout/ep_rew_mean': [[100, '-3.0', 1.7e9]],
      'eval/mean_reward': [[2 ** 41, '0.0', 1.7e9]],
    });
  });

  it('reads the two files of a resumed run as one curve without repeated steps', async () => {
    const first = open();
    for (const step of [100, 200, 300]) first.write(step, { a: step });
    first.close();
    const second = open(200);
    for (const step of [200, 300, 400]) second.write(step, { a: -step });
    second.close();
    expect(eventFiles()).toHaveLength(2);
    expect((await tensorboard()).a?.map(([step, value]) => [step, Number(value)])).toEqual([
      [100, 100],
      [200, -200],
      [300, -300],
      [400, -400],
    ]);
  });

  it('reads what a killed process left, and what goes on from it', async () => {
    const child = spawn(process.execPath, [CHILD, folder]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    for (const name of ['progress.csv', 'progress.jsonl']) expect(text(name)).toMatch(/\n$/);
    const log = open(40);
    for (const step of [40, 41]) log.write(step, { 'train/critic_loss': 9 });
    log.close();
    const steps = Array.from({ length: 42 }, (_, i) => i);
    expect(csvSteps()).toEqual(steps);
    expect(jsonRows().map((row) => row['time/total_timesteps'])).toEqual(steps);
    const scalars = await tensorboard();
    expect(scalars['train/critic_loss']?.map(([step]) => step)).toEqual(steps);
    expect(scalars['eval/mean_reward']?.map(([step]) => step)).toEqual(steps.filter((i) => i < 40 && i % 3 === 0));
  });
});
