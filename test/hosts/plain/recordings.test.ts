import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { steadyClock } from '#src/common/index.js';
import { initLink, openRobotEnd, openRobotLink } from '#src/hosts/plain/index.js';
import { RobotGateway } from '#src/nodes/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { EmbeddedBroker } from '#src/transport/index.js';
import { cli, inNewFolder, start } from '../../cli/support.js';
import { describeWithMosquitto, freePort, startMosquitto } from '../../support/brokers.js';

const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 200_000, interval: 200 });
const spec = loadRobotSpec('rover');
const logger = { info() {}, warn() {}, error() {}, debug() {} } as never;

let closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
});

/** A mosquitto with the files of the link in this folder. */
async function broker(port: number) {
  const read = (name: string): string => readFileSync(`link/broker/${name}`, 'utf8');
  const mosquitto = await startMosquitto((_, folder) => {
    for (const name of ['authority.crt', 'broker.crt', 'broker.key', 'mosquitto.acl'])
      writeFileSync(join(folder, name), read(name));
    return { port, text: read('mosquitto.conf').replaceAll('broker/', `${folder}/`) };
  });
  closes.push(() => mosquitto.stop());
  return mosquitto;
}

/** The robot's end alone: no policy drives, and a person has recorded. */
async function robot() {
  const topics = new EmbeddedBroker();
  const link = await openRobotEnd(openRobotLink('link/rover-1.yaml'), logger);
  const context = { transport: topics.connect(), spec, clock: steadyClock, logger };
  const gateway = new RobotGateway(context, link.parts, link.parameters);
  gateway.configure();
  gateway.activate();
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await gateway.shutdown();
    await link.close();
    await topics.close();
  };
  closes.push(close);
  return { link, close };
}

async function serve(folder: string) {
  const given = '--robot rover --recording demos --link link/learner.yaml --settings small.yaml --health 127.0.0.1:0';
  const served = start(['serve', ...given.split(' ')], { cwd: folder });
  closes.push(() => served.child.kill('SIGKILL'));
  let stderr = '';
  served.child.stderr!.on('data', (text) => {
    stderr += text;
  });
  await served.seen('serving rover-1');
  const address = /health: (http:\S+)\/healthz/.exec(stderr)![1]!;
  const metric = async (name: string): Promise<number> =>
    Number(
      new RegExp(`^iq_learn_${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(
        await (await fetch(`${address}/metrics`)).text(),
      )?.[1],
    );
  return { ...served, metric, said: () => stderr };
}

describeWithMosquitto('recordings of a robot over mosquitto', () => {
  test('are learned from while the learner runs, each once, whatever is killed; poor ones are set aside with the reason', async () => {
    const folder = inNewFolder();
    closes.push(() => folder.leave());
    const record = async (out: string, seed: string): Promise<void> => {
      const { code } = await cli('record', '--robot', 'rover', '--episodes', '1', '--seed', seed, '--out', out);
      expect(code).toBe(0);
    };
    await record('demos', '1');
    mkdirSync('recordings/poor', { recursive: true });
    await record('recordings/good', '2');
    writeFileSync('recordings/poor/poor_0.mcap', new Uint8Array(3_000_000).fill(7));
    writeFileSync('recordings/poor/metadata.yaml', 'not one\n');
    const port = await freePort();
    initLink({ fleet: 'fleet', robots: ['rover-1'], folder: 'link', broker: `mqtts://localhost:${port}` });
    appendFileSync('link/rover-1.yaml', 'recordings: ../recordings\nmegabytes_per_second: 1\n');
    writeFileSync(
      'small.yaml',
      'segmentSize: 100\nupdatesPerTransition: 0.2\nlearner: { agent: iq-sac, hiddenSizes: [8], batchSize: 8, warmStartUpdates: 0 }\n',
    );
    const mosquitto = await broker(port);

    const first = await serve(folder.path);
    const before = await first.metric('demonstrations');
    const end = await robot();
    // In the middle of it the broker, the robot's end and the learner go, one after the other.
    await until(() => expect(end.link.parts.recordings!.figures.waitingBytes).toBeGreaterThan(0));
    await mosquitto.stop();
    await mosquitto.start();
    await end.close();
    const again = await robot();
    await until(async () => expect(await first.metric('robot_recordings_used')).toBe(1));
    await until(async () => expect(await first.metric('demonstrations')).toBeGreaterThan(before));
    const more = await first.metric('demonstrations');
    first.child.kill('SIGKILL');
    await first.ended;

    // There is no checkpoint yet: the learner begins again, with what has arrived.
    const second = await serve(folder.path);
    await until(async () => expect(await second.metric('demonstrations')).toBe(more));
    await until(async () => expect(await second.metric('robot_recordings_aside')).toBe(1));
    await until(() => expect(again.link.parts.recordings!.figures).toMatchObject({ sent: 2, waiting: 0 }));
    await until(async () => {
      const { stdout } = await cli('link', 'status', '--link', 'link/learner.yaml');
      expect(stdout).toMatch(/2 sent, 1 set aside/);
      expect(stdout).toMatch(/rover-1: a recording is set aside: \S*poor_0-[0-9a-f]{16}\.mcap: /);
    });
    const [row] = JSON.parse((await cli('link', 'status', '--link', 'link/learner.yaml', '--json')).stdout) as object[];
    expect(row).toMatchObject({ recordingsSent: 2, recordingsWaiting: 0, recordingsUsed: 1, recordingsAside: 1 });
    second.child.kill('SIGTERM');
    await second.ended;
    const kept = readdirSync('runs/rover-link/recordings/rover-1');
    expect(kept).toHaveLength(2);
    const good = kept.find((name) => name.startsWith('good_0-'))!;
    const whole = readFileSync('recordings/good/good_0.mcap');
    expect(readFileSync(join('runs/rover-link/recordings/rover-1', good)).equals(whole)).toBe(true);

    // Its checkpoint has the demonstrations: they are not added twice.
    const third = await serve(folder.path);
    await until(async () => expect(await third.metric('robot_recordings_used')).toBe(1));
    expect(await third.metric('demonstrations')).toBe(more);
    third.child.kill('SIGTERM');
    await third.ended;
  }, 600_000);
});
