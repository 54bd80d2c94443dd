import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { openRecording, RecordingWriter, readDemonstrations, writeRecording } from '#src/demonstrations/index.js';
import { behaviouralCloning, learnerConfig } from '#src/learning/index.js';
import type { Logger } from '#src/platform/index.js';
import { loadRobotSpec, observationOf } from '#src/robot/index.js';
import { learningEpisode, runDemonstrations, TrainingSession } from '#src/sessions/index.js';
import { createExpert } from '#src/simulation/index.js';
import { EmbeddedBroker, qos } from '#src/transport/index.js';
import { interruptedCli, start } from '../cli/support.js';
import { toy, writeEpisode } from '../demonstrations/toy.js';

const quiet = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;
const logger = (): Logger => quiet;
const spec = loadRobotSpec('rover');
const INTERRUPT = new URL('../../dist/src/cli/interrupt.js', import.meta.url).href;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iq-interrupt-'));
  const writer = await RecordingWriter.create(join(folder, 'toy'), { spec: toy, session: 's' });
  for (let episode = 0; episode < 2; episode++) writeEpisode(writer, episode, 30);
  await writer.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let unhandled: unknown[];
const hear = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  unhandled = [];
  process.prependListener('unhandledRejection', hear);
});
afterEach(async () => {
  process.off('unhandledRejection', hear);
});

/** The code of what a promise rejects with; 'done' where it resolves. */
const outcome = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'done',
    (error: unknown) => (error instanceof IqLearnError ? error.code : String(error)),
  );

describe('fault F32: interrupted by Ctrl-C, SIGTERM or the end of the terminal', () => {
  it.each([0, 1, 3, 8])(
    'while demonstrations are recorded, at message %i of the robot: cancelled, nothing thrown aside, nothing half-written, no empty recording',
    async (nth) => {
      const target = join(folder, `demonstrations-${nth}`);
      const abort = new AbortController();
      const broker = new EmbeddedBroker();
      const { topic, type } = spec.stateTopics[0]!;
      let seen = 0;
      let kept = 0;
      broker.connect().subscribe(
        topic,
        type,
        () => {
          if (seen++ === nth) abort.abort();
        },
        qos.sensor,
      );
      const work = runDemonstrations({
        ...{ spec, driver: createExpert('rover'), episodes: 3, seed: 1, folder: target, keepFailures: true },
        ...{ task: { maxSteps: 4 }, logger, signal: abort.signal, broker },
        onEpisode: () => kept++,
      });
      expect(await outcome(work)).toBe('CANCELLED');
      await broker.close();
      await sleep(0);
      const left = existsSync(target) ? readdirSync(target).sort() : [];
      expect(left).toEqual(kept === 0 ? [] : ['metadata.yaml', `demonstrations-${nth}_0.mcap`].sort());
      expect(existsSync(target)).toBe(kept > 0);
      expect(unhandled).toEqual([]);
    },
  );

  it('while the first policy is cloned from the demonstrations: at once, not when the cloning is through', async () => {
    const target = join(folder, 'driven');
    await runDemonstrations({
      spec,
      driver: createExpert('rover'),
      episodes: 1,
      seed: 1,
      folder: target,
      keepFailures: true,
      task: { maxSteps: 40 },
      logger,
    });
    const { episodes } = await readDemonstrations([target], spec);
    const abort = new AbortController();
    const config = learnerConfig({
      agent: 'iq-sac',
      hiddenSizes: [64, 64],
      batchSize: 64,
      warmStartUpdates: 1_000_000,
    });
    const work = outcome(
      TrainingSession.create({
        ...{ spec, demonstrations: episodes, config, seed: 1, transitions: 100, segmentSize: 50 },
        ...{ updatesPerTransition: 1, threads: 1, logger, signal: abort.signal },
      }),
    );
    await sleep(1500);
    const before = performance.now();
    abort.abort();
    expect(await work).toBe('CANCELLED');
    expect(performance.now() - before).toBeLessThan(2000);

    const other = new AbortController();
    const cloning = outcome(
      behaviouralCloning({
        ...{ episodes: episodes.map((episode) => learningEpisode(episode, spec)), observation: observationOf(spec) },
        ...{ actionSize: spec.action.length, seed: 1, updates: 1_000_000, settings: { hiddenSizes: [16] } },
        signal: other.signal,
        onProgress: () => other.abort(),
      }),
    );
    expect(await cloning).toBe('CANCELLED');
  });

  it('while a long recording is read or written: no further, and no half of a new one is left', async () => {
    const signal = AbortSignal.abort();
    const path = join(folder, 'toy');
    expect(await outcome(readDemonstrations([path], toy, { signal }))).toBe('CANCELLED');
    expect(await outcome(writeRecording([path], join(folder, 'edited'), {}, signal))).toBe('CANCELLED');
    expect(readdirSync(folder)).not.toContain('edited');
    expect((await openRecording(path)).problems).toEqual([]);
  });

  it.each([
    ['evaluate', '--policy', 'nowhere', '--robot', 'rover'],
    ['train', '--resume', '--out', 'nowhere'],
  ])('an interruption is never reported as another error: %s', async (...args) => {
    const { code, stderr } = await interruptedCli(AbortSignal.abort(), ...args);
    expect(code).toBe(130);
    expect(stderr).toBe('error: interrupted; to do: what was finished is saved\n');
  });

  it('record, before an episode is finished: nothing is kept, and it says so with the command that begins again', async () => {
    const out = join(folder, 'deep', 'down');
    const { code, stderr } = await interruptedCli(AbortSignal.abort(), 'record', '--robot', 'rover', '--out', out);
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /^error: interrupted; to do: nothing was kept: .*record --robot rover --episodes 5 --out \S+/,
    );
    expect(existsSync(join(folder, 'deep'))).toBe(false);
  });

  it.each([
    [true, ''],
    [false, 'stopping: what can be saved is being saved; Ctrl-C again to stop at once\n'],
  ])('a command that only reads (%s) ends at once and promises no saving', async (reads, said) => {
    const program = `
      const { Interrupt } = await import(${JSON.stringify(INTERRUPT)});
      const interrupt = new Interrupt((text) => process.stderr.write(text + '\\n'));
      interrupt.begin();
      if (${reads}) interrupt.nothingToSave();
      interrupt.signal.addEventListener('abort', () => process.exit(7));
      setInterval(() => {}, 1000);
      process.stdout.write('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.stdout.once('data', () => child.kill('SIGTERM'));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stderr]).toEqual([reads ? 143 : 7, said]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])(
    'while the program is still being loaded: %s ends it with %i, before anything is made',
    async (signal, expected) => {
      // As soon as the program listens to signals, it gets one, with most of it still on the disk.
      const preloaded = `process.on('newListener', (name) => {
      if (name === 'SIGHUP') setImmediate(() => process.kill(process.pid, '${signal}'));
    });`;
      const out = join(folder, `loading-${signal}`);
      const { ended } = start(['record', '--robot', 'rover', '--out', out], {
        cwd: folder,
        node: ['--import', `data:text/javascript,${encodeURIComponent(preloaded)}`],
      });
      expect(await ended).toEqual({ code: expected, signal: null, stdout: '', stderr: '' });
      expect(existsSync(out)).toBe(false);
    },
  );

  it('a launcher that passes on what the terminal said does not stop the saving; pressed again, Ctrl-C does', async () => {
    const program = `
      const { Interrupt } = await import(${JSON.stringify(INTERRUPT)});
      let ms = 0;
      const interrupt = new Interrupt(() => undefined, () => ms);
      interrupt.begin();
      const press = (signal) => process.emit(signal, signal);
      press('SIGINT');
      ms = 200;
      press('SIGTERM');
      process.stdout.write(interrupt.signal.aborted ? 'saved' : 'deaf');
      ms = 500;
      press('SIGINT');
      process.stdout.write('not reached');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    let stdout = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stdout]).toEqual([130, 'saved']);
  });
});
