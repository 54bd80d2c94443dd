import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { Random, steadyClock } from '#src/common/index.js';
import { initLink, openRobotEnd, openRobotLink, startBroker } from '#src/hosts/plain/index.js';
import { emptyMessage, type PolicyBundleMessage, type Transition } from '#src/messages/index.js';
import { RobotGateway } from '#src/nodes/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { EmbeddedBroker, qos } from '#src/transport/index.js';
import { cli, inNewFolder, start } from '../../cli/support.js';
import { freePort } from '../../support/brokers.js';

const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 200_000, interval: 100 });
const spec = loadRobotSpec('rover');
const logger = { info() {}, warn() {}, error() {}, debug() {} } as never;

let closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
});

/** Transitions as the policy node publishes them; what is learned from them does not matter here. */
function* transitions(): Generator<Transition> {
  const random = new Random(3);
  const rows = (features: readonly { readonly low: number; readonly high: number }[]): Float32Array =>
    Float32Array.from(features, ({ low, high }) => random.uniform(Math.max(low, -1), Math.min(high, 1)));
  let observation = rows(spec.observation);
  for (let sequence = 0n; ; sequence++) {
    const next = rows(spec.observation);
    yield {
      ...emptyMessage('iq_learn/msg/Transition'),
      robot: spec.robot,
      session: 'one run of the robot',
      sequence,
      observation,
      action: rows(spec.action),
      next_observation: next,
      reward: Number.NaN,
    };
    observation = next;
  }
}

test('serve learns from a robot over TLS; killed and started again, it has every transition once', async () => {
  const folder = inNewFolder();
  closes.push(() => folder.leave());
  expect((await cli('record', '--robot', 'rover', '--episodes', '1', '--out', 'demos')).code).toBe(0);
  const port = await freePort();
  const fleet = { fleet: 'fleet', robots: ['rover-1'] };
  initLink({ ...fleet, folder: 'link', broker: `mqtts://localhost:${port}` });
  const read = (name: string): string => readFileSync(`link/broker/${name}`, 'utf8');
  const credentials = { authority: read('authority.crt'), certificate: read('broker.crt'), key: read('broker.key') };
  const broker = await startBroker({ ...fleet, credentials, port, logger });
  closes.push(() => broker.close());
  writeFileSync(
    'small.yaml',
    'segmentSize: 100\nupdatesPerTransition: 0.2\nlearner: { agent: iq-sac, hiddenSizes: [8], batchSize: 8, warmStartUpdates: 0 }\n',
  );

  const topics = new EmbeddedBroker();
  const link = await openRobotEnd(openRobotLink('link/rover-1.yaml'), logger);
  const context = { transport: topics.connect(), spec, clock: steadyClock, logger };
  const gateway = new RobotGateway(context, link.parts, link.parameters);
  gateway.configure();
  gateway.activate();
  closes.push(async () => {
    await gateway.shutdown();
    await link.close();
    await topics.close();
  });
  const bystander = topics.connect();
  const policies: PolicyBundleMessage[] = [];
  bystander.subscribe('/policy', 'iq_learn/msg/PolicyBundle', (policy) => policies.push(policy), qos.latched);
  const publisher = bystander.advertise('/transitions', 'iq_learn/msg/Transition', qos.event);
  const source = transitions();
  const drive = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      publisher.publish(source.next().value as Transition);
      if (i % 50 === 49) await topics.idle();
    }
  };

  const serve = async () => {
    const args = [
      '--robot',
      'rover',
      '--recording',
      'demos',
      '--link',
      'link/learner.yaml',
      '--settings',
      'small.yaml',
    ];
    const process_ = start(['serve', ...args, '--health', '127.0.0.1:0'], { cwd: folder.path });
    closes.push(() => process_.child.kill('SIGKILL'));
    let stderr = '';
    process_.child.stderr!.on('data', (text) => {
      stderr += text;
    });
    await process_.seen('serving rover-1');
    const address = /health: (http:\S+)\/healthz/.exec(stderr)![1]!;
    const metric = async (name: string): Promise<number> =>
      Number(
        new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(await (await fetch(`${address}/metrics`)).text())?.[1],
      );
    return { ...process_, metric, healthy: async () => (await fetch(`${address}/healthz`)).status };
  };

  await drive(2450);
  const first = await serve();
  await until(async () => expect(await first.metric('iq_learn_transitions')).toBeGreaterThanOrEqual(2200));
  expect(await first.healthy()).toBe(200);
  expect(await first.metric('iq_learn_robot_online')).toBe(1);
  // One robot's transitions all pay for their updates.
  expect(await first.metric('iq_learn_updates_skipped')).toBe(0);
  await until(() => expect(Number(policies.at(-1)?.version)).toBeGreaterThanOrEqual(22));
  // Of the checkpoint after 24 segments, some seconds later: the robot has forgotten what is in it, and nothing else.
  await until(() => expect(link.parts.spool.figures.waiting).toBe(50));
  // What was learned from since is in no checkpoint.
  await drive(350);
  await until(async () => expect(await first.metric('iq_learn_transitions')).toBe(2800));
  expect(link.parts.spool.figures.waiting).toBe(400);
  first.child.kill('SIGKILL');
  await first.ended;
  await drive(200);
  const status = await cli('link', 'status', '--link', 'link/learner.yaml', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject([{ robot: 'rover-1', state: 'ONLINE', waiting: 600 }]);

  const second = await serve();
  await until(async () => expect(await second.metric('iq_learn_transitions')).toBe(3000));
  await until(() => expect(Number(policies.at(-1)?.version)).toBe(30));
  expect(await second.metric('iq_learn_robot_records')).toBe(600);
  expect(await second.metric('iq_learn_robot_refused')).toBe(0);

  // A person sets the robot aside, takes the policies since the checkpoint back, and has both undone.
  const link_ = ['--link', 'link/learner.yaml'];
  expect((await cli('link', 'aside', 'rover-1', '--reason', 'a loose wheel', ...link_)).stdout).toMatch(/released/);
  await drive(100);
  await until(async () => expect(await second.metric('iq_learn_robot_left_out')).toBe(100));
  expect((await cli('link', 'status', ...link_)).stdout).toMatch(/set aside: a loose wheel\s+policies: all have 30/);
  expect((await cli('link', 'release', 'rover-1', ...link_)).code).toBe(0);
  const back = await cli('link', 'rollback', ...link_);
  expect(back.stdout).toMatch(/all robots go back to policy (23|24)/);
  await until(() => expect([23, 24]).toContain(Number(policies.at(-1)?.version)));
  await drive(200);
  await until(async () => expect(await second.metric('iq_learn_transitions')).toBe(3200));
  expect([23, 24]).toContain(Number(policies.at(-1)?.version));
  expect((await cli('link', 'resume', ...link_)).code).toBe(0);
  await until(() => expect(Number(policies.at(-1)?.version)).toBe(32));
  expect((await cli('link', 'rollback', '--link', 'link/rover-1.yaml')).code).not.toBe(0);
  second.child.kill('SIGTERM');
  expect((await second.ended).code).toBe(143);

  // The run's metrics and its report, as train has them: each step once, with what the robot did.
  const rows = readFileSync('runs/rover-link/progress.jsonl', 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  expect(rows.map((row) => row['time/total_timesteps'])).toEqual(Array.from({ length: 32 }, (_, i) => 100 * (i + 1)));
  expect(rows.at(-1)).toMatchObject({ 'fleet/rover-1/left_out': 100, 'train/critic_loss': expect.any(Number) });
  const { points } = JSON.parse(readFileSync('runs/rover-link/learning.json', 'utf8')) as { points: unknown[] };
  expect(points).toHaveLength(32);
  expect(readFileSync('runs/rover-link/learning.html', 'utf8')).toMatch(/iq-learn serve|serve --robot rover/);
});
