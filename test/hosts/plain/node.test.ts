import { readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readDemonstrations } from '#src/demonstrations/index.js';
import { initLink, openLocalTopics } from '#src/hosts/plain/index.js';
import { emptyMessage, header, nanosecondsOf } from '#src/messages/index.js';
import { writeBundle } from '#src/policy/index.js';
import { MqttTransport, openMqtt, qos } from '#src/transport/index.js';
import { cli, inNewFolder, start } from '../../cli/support.js';
import { spec, specText, trolleyBundle } from '../../nodes/toy.js';
import { describeWithMosquitto, startMosquitto, startProxy, type TestBroker } from '../../support/brokers.js';

const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 60_000, interval: 50 });
const quiet = { info() {}, warn() {}, error() {}, debug() {} } as never;
const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

interface Command {
  readonly speed: number;
  /** How old it was when it came. */
  readonly ageMs: number;
}

/** A driver that speaks MQTT: it says where the trolley is, 20 times a second, and does what it is told, for 200 ms. */
async function startDriver(broker: string) {
  const local = await openLocalTopics({ broker, spec, logger: quiet });
  const odometry = local.transport.advertise('/odom', 'nav_msgs/msg/Odometry', qos.sensor);
  const robot = { x: 1, v: 0, commands: [] as Command[], told: 0, speaks: true, rolls: true };
  local.transport.subscribe(
    '/cmd_vel',
    'geometry_msgs/msg/TwistStamped',
    ({ header: { stamp }, twist }) => {
      robot.v = twist.linear.x;
      robot.told = performance.now();
      robot.commands.push({ speed: robot.v, ageMs: Number(nowNs() - nanosecondsOf(stamp)) / 1e6 });
    },
    qos.command,
  );
  const timer = setInterval(() => {
    // A driver stops by itself when nobody tells it anything.
    if (performance.now() - robot.told > 200) robot.v = 0;
    if (robot.rolls) robot.x += robot.v * 0.05;
    if (!robot.speaks) return;
    const message = emptyMessage('nav_msgs/msg/Odometry');
    message.header = header(nowNs(), 'odom');
    message.pose.pose.position.x = robot.x;
    message.pose.pose.orientation.w = 1;
    message.twist.twist.linear.x = robot.v;
    odometry.publish(message);
  }, 50);
  return {
    robot,
    close: async () => {
      clearInterval(timer);
      await local.close();
    },
  };
}

let folder: ReturnType<typeof inNewFolder>;
let broker: TestBroker;
let closes: (() => unknown)[] = [];

/** A node as a process. */
async function node(name: string, url: string, ...more: string[]) {
  const args = ['node', name, '--robot', 'trolley.yaml', '--broker', url, '--health', '127.0.0.1:0', ...more];
  const started = start(args, { cwd: folder.path });
  closes.push(() => started.child.kill('SIGKILL'));
  let stderr = '';
  started.child.stderr!.on('data', (text) => {
    stderr += text;
  });
  await started.seen(`${name} of trolley`);
  const address = /health: (http:\S+)\/healthz/.exec(stderr)![1]!;
  return {
    ...started,
    said: () => stderr,
    healthy: async () => (await fetch(`${address}/healthz`)).status,
    metrics: async () => await (await fetch(`${address}/metrics`)).text(),
  };
}

const call = (what: string) => cli('node', 'call', what, '--robot', 'trolley.yaml', '--broker', broker.url);

describeWithMosquitto('nodes as processes without ROS, on a local mosquitto', () => {
  beforeEach(async () => {
    folder = inNewFolder();
    broker = await startMosquitto();
    writeFileSync('trolley.yaml', specText);
    writeBundle('policy', await trolleyBundle(1));
  });
  afterEach(async () => {
    for (const close of closes.toReversed()) await close();
    closes = [];
    await broker.stop();
    folder.leave();
  });

  test('the policy drives a robot through the filter when it is told to, never by an old command, and stops at the end', async () => {
    const { robot, close } = await startDriver(broker.url);
    closes.push(close);
    const proxy = await startProxy(broker.port);
    closes.push(() => proxy.close());
    const policy = await node('policy', proxy.url, '--policy', 'policy');
    // It begins paused: nothing moves before a person says so.
    await sleep(1500);
    expect(robot.commands.filter(({ speed }) => speed !== 0)).toEqual([]);
    expect(robot.x).toBe(1);
    expect((await call('resume')).code).toBe(0);
    await until(() => expect(Math.abs(robot.x)).toBeLessThan(0.3));
    for (const { speed } of robot.commands) expect(Math.abs(speed)).toBeLessThanOrEqual(1);
    expect(await policy.healthy()).toBe(200);
    expect(await policy.metrics()).toMatch(/iq_learn_node_level\{node="policy"\} \d/);
    expect(await policy.metrics()).toMatch(/iq_learn_broker_connected 1/);

    // No state: the filter stops the robot.
    robot.x = 3;
    await until(() => expect(robot.commands.at(-1)!.speed).toBeLessThan(-0.5));
    robot.speaks = false;
    await until(() => expect(robot.commands.at(-1)!.speed).toBe(0));
    robot.x = 5;
    robot.speaks = true;
    await until(() => expect(robot.commands.at(-1)!.speed).toBeLessThan(-0.5));

    // The way to the broker is dead for a while, and whatever was said meanwhile comes at once or not at all.
    proxy.trouble.frozen = true;
    await sleep(700);
    const before = robot.commands.length;
    proxy.cut();
    proxy.trouble.frozen = false;
    await until(() => expect(robot.commands.length).toBeGreaterThan(before + 5));
    for (const { ageMs } of robot.commands) expect(ageMs).toBeLessThan(1000);
    expect(robot.v).toBeLessThanOrEqual(0);

    policy.child.kill('SIGTERM');
    expect((await policy.ended).code).toBe(143);
    await until(() => expect(robot.commands.at(-1)!.speed).toBe(0));
    expect((await call('resume')).code).not.toBe(0);
  }, 300_000);

  test('the recorder records what training reads, and leaves nothing where nothing was said', async () => {
    const { robot, close } = await startDriver(broker.url);
    closes.push(close);
    const policy = await node('policy', broker.url, '--policy', 'policy', '--drive');
    const recorder = await node('recorder', broker.url, '--out', 'recordings');
    await until(() => expect(robot.commands.length).toBeGreaterThan(5));
    robot.x = 2;
    // No episode begins before the recorder has heard the state.
    await until(async () => expect(await call('start')).toMatchObject({ code: 0 }));
    await sleep(2500);
    expect((await call('stop')).stdout).toBe('the episode is kept\n');
    const again = await call('stop');
    expect(again.stderr).toMatch(/no episode is open/);
    expect(await recorder.healthy()).toBe(200);
    recorder.child.kill('SIGINT');
    expect((await recorder.ended).code).toBe(130);
    policy.child.kill('SIGTERM');
    await policy.ended;
    const [name] = readdirSync('recordings');
    const { episodes } = await readDemonstrations([`recordings/${name}`], spec);
    expect(episodes).toHaveLength(1);
    expect(episodes[0]!.length).toBeGreaterThan(15);
    expect(episodes[0]!.actions[3]).toBeLessThan(0);
  }, 300_000);

  test('a robot whose gateway hears nothing of the learner any more stops, where its file says so', async () => {
    initLink({ fleet: 'fleet', robots: ['rover-1'], folder: 'link', broker: broker.url });
    const file = 'end: robot\nfleet: fleet\nrobot: rover-1\nplaintext: true\npolicy_keys: [link/rover-1/policy.pub]\n';
    writeFileSync('rover-1.yaml', `${file}broker: ${broker.url}\non_lost: stop\nlost_after_ms: 1500\n`);
    const { robot, close } = await startDriver(broker.url);
    closes.push(close);
    const connection = await openMqtt({ broker: broker.url, fleet: 'fleet', plaintext: true, clientId: 'learner' });
    const learner = new MqttTransport(connection, 'rover-1');
    closes.push(
      () => connection.end(),
      () => learner.close(),
    );
    const statuses = learner.advertise('/learner_status', 'iq_learn/msg/LearnerStatus', qos.sensor);
    const timer = setInterval(() => statuses.publish(emptyMessage('iq_learn/msg/LearnerStatus')), 300);
    closes.push(() => clearInterval(timer));
    // On a treadmill: it never arrives.
    robot.rolls = false;
    await node('policy', broker.url, '--policy', 'policy', '--drive');
    const gateway = await node('gateway', broker.url, '--link', 'rover-1.yaml');
    await until(() => expect(robot.v).toBeLessThan(-0.5));
    await sleep(2500);
    expect(robot.v).toBeLessThan(-0.5);
    clearInterval(timer);
    await until(() => expect(gateway.said()).toMatch(/the learner is not heard of/));
    await until(() => expect(robot.v).toBe(0));
    // A person goes on.
    expect((await call('resume')).code).toBe(0);
    await until(() => expect(robot.v).toBeLessThan(-0.5));
  }, 300_000);

  test("state and commands never leave the robot's computer, and bad input is one clear error", async () => {
    const given = ['--robot', 'trolley.yaml'];
    const elsewhere = await cli('node', 'policy', ...given, '--broker', 'mqtts://gpu-host:8883');
    expect(elsewhere.code).toBe(2);
    expect(elsewhere.stderr).toMatch(/error: a robot's own topics stay on its computer; found: 'mqtts:\/\/gpu-host/);
    const unknown = await cli('node', 'call', 'fly', ...given);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/expected: start, stop, discard/) });
    const missing = await cli('node', 'policy', ...given, '--broker', broker.url, '--policy', 'none');
    expect(missing.code).toBe(2);
  }, 60_000);
});
