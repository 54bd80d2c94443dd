import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { IqLearnError } from '#src/common/index.js';
import {
  addRobots,
  initLink,
  openLearnerLink,
  openLink,
  openRobotLink,
  renewAccess,
  startBroker,
} from '#src/hosts/plain/index.js';
import { permissions } from '#src/link/index.js';
import { MqttTransport, openMqtt, qos } from '#src/transport/index.js';
import { describeWithMosquitto, freePort, startMosquitto } from '../../support/brokers.js';

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 10 });
const Text = 'std_msgs/msg/String';
const fleet = { fleet: 'fleet', robots: ['rover-1', 'rover-2'] };

let root: string;
let port: number;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'link-'));
  port = await freePort();
  const { steps } = initLink({ ...fleet, folder: join(root, 'link'), broker: `mqtts://localhost:${port}` });
  expect(steps.join('\n')).toMatch(/rover-2\.yaml.*to the robot, and nothing else: ros2 launch .* link:=rover-2\.yaml/);
  expect(steps[0]).toMatch(/mosquitto -c broker\/mosquitto\.conf; or, .*iq-learn link broker --link/);
  initLink({ ...fleet, folder: join(root, 'foreign'), broker: `mqtts://localhost:${port}` });
});
afterAll(() => rmSync(root, { recursive: true }));

let closes: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
});

const file = (...names: string[]): string => join(root, ...names);
const read = (...names: string[]): string => readFileSync(file(...names), 'utf8');

describe('iq-learn link init', () => {
  test('makes files that both ends can be opened with; keys are for their owner only', () => {
    const robot = openRobotLink(file('link/rover-1.yaml'));
    expect(robot.file).toMatchObject({ end: 'robot', robot: 'rover-1', fleet: 'fleet', on_lost: 'continue' });
    expect(robot.credentials()!.certificate).toMatch(/BEGIN CERTIFICATE/);
    expect(robot.warnings(Date.now())).toEqual([]);
    expect(openLearnerLink(file('link/learner.yaml')).file.robots).toEqual(['rover-1', 'rover-2']);
    for (const key of ['authority/authority.key', 'rover-1/rover-1.key', 'learner/policy.key', 'broker/broker.key'])
      expect(statSync(file('link', key)).mode & 0o077, key).toBe(0);
  });

  test('says 30 days before, when a certificate expires', () => {
    const day = 24 * 3600 * 1000;
    const link = openRobotLink(file('link/rover-1.yaml'));
    expect(link.warnings(Date.now() + 330 * day)).toEqual([]);
    expect(link.warnings(Date.now() + 340 * day)).toMatchObject([
      expect.stringMatching(/rover-1\.crt expires in 2\d days/),
    ]);
    expect(link.warnings(Date.now() + 400 * day)).toMatchObject([expect.stringMatching(/has expired/)]);
  });

  test('never overwrites a link, and refuses names and brokers that would not do', () => {
    const broker = 'mqtts://host:8883';
    const make = (more: object) => () => initLink({ ...fleet, folder: file('other'), broker, ...more });
    expect(make({ folder: file('link') })).toThrow(/there is a link in .* already/);
    for (const robots of [[], ['learner'], ['a', 'a'], ['a/b'], ['+']])
      expect(make({ robots }), String(robots)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    for (const bad of ['mqtt://host:1883', 'host', 'https://host'])
      expect(make({ broker: bad }), bad).toThrow(/not the URL of a broker with TLS/);
  });

  test('a file that is wrong, or of the other end, is one clear error', () => {
    writeFileSync(file('bad.yaml'), 'end: robot\nbroker: mqtts://a\nrobott: x\n');
    expect(() => openLink(file('bad.yaml'))).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }));
    expect(() => openLink(file('none.yaml'))).toThrow(/iq-learn link init/);
    expect(() => openRobotLink(file('link/learner.yaml'))).toThrow(/is for another end of the link/);
  });
});

/** A client with the files of one end. */
async function client(link: string, topic: string) {
  const errors: IqLearnError[] = [];
  const opened = openLink(file(link));
  const connection = await openMqtt(
    opened.mqtt({ onError: (error) => error.code !== 'UNSUPPORTED' && errors.push(error), longestWaitMs: 300 }),
  );
  closes.push(() => connection.end());
  const transport = new MqttTransport(connection, topic);
  closes.push(() => transport.close());
  return { connection, transport, errors };
}

function brokerIsSafe(start: () => Promise<() => Promise<unknown>>): void {
  test('a robot writes its own topics and reads its policy; the learner does the reverse', async () => {
    closes.push(await start());
    const robot = await client('link/rover-1.yaml', 'rover-1');
    const learner = await client('link/learner.yaml', 'rover-1');
    const [up, down]: [string[], string[]] = [[], []];
    learner.transport.subscribe('/stream', Text, ({ data }) => up.push(data));
    robot.transport.subscribe('/signed_policy', Text, ({ data }) => down.push(data));
    await until(() => expect([robot, learner].every(({ connection }) => connection.isSubscribed)).toBe(true));
    robot.transport.advertise('/stream', Text).publish({ data: 'record' });
    learner.transport.advertise('/signed_policy', Text, qos.latched).publish({ data: 'policy' });
    await until(() => expect([up, down]).toEqual([['record'], ['policy']]));
    expect([...robot.errors, ...learner.errors]).toEqual([]);
  });

  test('fault F22: a robot can neither publish as another one, nor publish policies, nor read what is not for it', async () => {
    closes.push(await start());
    const learner = await client('link/learner.yaml', 'rover-1');
    const seen: string[] = [];
    for (const topic of ['/stream', '/signed_policy', '/policy_status'])
      learner.transport.subscribe(topic, Text, ({ data }) => seen.push(`${topic} ${data}`));
    await until(() => expect(learner.connection.isSubscribed).toBe(true));
    const policies = learner.transport.advertise('/signed_policy', Text, qos.latched);
    const intruder = await client('link/rover-2.yaml', 'rover-1');
    const stolen: string[] = [];
    intruder.transport.subscribe('/signed_policy', Text, ({ data }) => stolen.push(data), qos.latched);
    for (const topic of ['/stream', '/signed_policy', '/policy_status'])
      intruder.transport.advertise(topic, Text, qos.event).publish({ data: 'of an intruder' });
    await new Promise((resolve) => setTimeout(resolve, 700));
    policies.publish({ data: 'secret' });
    const robot = await client('link/rover-1.yaml', 'rover-1');
    robot.transport.advertise('/stream', Text, qos.event).publish({ data: 'of the robot' });
    await until(() => expect(seen).toContain('/stream of the robot'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(seen.toSorted()).toEqual(['/signed_policy secret', '/stream of the robot']);
    expect(stolen).toEqual([]);
  });

  test('fault F23: a certificate of another authority, and none, are refused on both sides', async () => {
    closes.push(await start());
    const foreign = await client('foreign/rover-1.yaml', 'rover-1');
    await expect(foreign.connection.connected(1500)).rejects.toThrow(/no connection.*certificate/);
    const authority = read('link/rover-1/authority.crt');
    for (const [url, more] of [
      [`mqtts://localhost:${port}`, { ca: authority }],
      [`mqtt://localhost:${port}`, {}],
    ] as const) {
      const stranger = mqtt.connect(url, { ...more, reconnectPeriod: 0, connectTimeout: 1500 });
      let entered = false;
      stranger.on('connect', () => {
        entered = true;
      });
      stranger.on('error', () => {});
      await new Promise<void>((resolve) => stranger.once('close', () => resolve()));
      expect(entered).toBe(false);
      stranger.end(true);
    }
  });
}

describe('the embedded broker with TLS', () => {
  const logger = { info: () => {}, warn: () => {} } as never;
  const start = async (robots = fleet.robots) => {
    const credentials = {
      authority: read('link/broker/authority.crt'),
      certificate: read('link/broker/broker.crt'),
      key: read('link/broker/broker.key'),
    };
    const broker = await startBroker({ ...fleet, robots, credentials, port, logger });
    return () => broker.close();
  };
  brokerIsSafe(start);

  test('shuts out a robot that is no longer in the fleet', async () => {
    closes.push(await start(['rover-1']));
    const learner = await client('link/learner.yaml', 'rover-2');
    const revoked = await client('link/rover-2.yaml', 'rover-2');
    const seen: string[] = [];
    revoked.transport.subscribe('/signed_policy', Text, ({ data }) => seen.push(data));
    learner.transport.advertise('/signed_policy', Text, qos.latched).publish({ data: 'policy' });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(seen).toEqual([]);
  });

  test('without certificates it listens on this machine only', async () => {
    const broker = await startBroker({ ...fleet, port: 0, logger });
    closes.push(() => broker.close());
    await (await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 })).endAsync();
    await expect(startBroker({ ...fleet, port: broker.port, logger })).rejects.toThrow(/cannot listen on port/);
  });
});

async function mosquitto(link = 'link'): Promise<() => Promise<unknown>> {
  const broker = await startMosquitto((_, folder) => {
    // It gives up root's rights, if it has them, and reads what its own user may.
    for (const name of ['authority.crt', 'broker.crt', 'broker.key', 'mosquitto.acl'])
      writeFileSync(join(folder, name), read(`${link}/broker`, name));
    return { port, text: read(`${link}/broker/mosquitto.conf`).replaceAll('broker/', `${folder}/`) };
  });
  return () => broker.stop();
}

describeWithMosquitto('mosquitto with the files that link init made', () => {
  brokerIsSafe(mosquitto);

  test('takes connections from this machine without certificates, where the link has none', async () => {
    const local = await freePort();
    const { steps } = initLink({ ...fleet, folder: file('local'), broker: `mqtt://127.0.0.1:${local}` });
    expect(steps.join('\n')).not.toMatch(/authority/);
    const broker = await startMosquitto(() => ({ port: local, text: read('local/broker/mosquitto.conf') }));
    closes.push(() => broker.stop());
    const robot = openRobotLink(file('local/rover-1.yaml'));
    const connection = await openMqtt({ ...robot.mqtt(), onError: () => {} });
    closes.push(() => connection.end());
    await connection.connected(5000);
  });

  test('says once what access lists of an older version lack; link access adds it', async () => {
    initLink({ ...fleet, folder: file('older'), broker: `mqtts://localhost:${port}` });
    const list = file('older/broker/mosquitto.acl');
    const whole = readFileSync(list, 'utf8');
    const lines = whole.split('\n');
    const older = lines
      .filter((line) => !/\/recording/.test(line))
      .map((line) => line.replace('learner/#', 'learner/presence'));
    writeFileSync(list, older.join('\n'));
    const stop = await mosquitto('older');
    closes.push(stop);
    const robot = await client('older/rover-1.yaml', 'rover-1');
    await robot.connection.connected(5000);
    const chunks = robot.transport.advertise('/recording', Text, qos.event);
    for (let i = 0; i < 20; i++) chunks.publish({ data: `chunk ${i}` });
    // Each is dropped, and said once: sent again and again they would take all there is.
    await until(() => expect(robot.transport.counters.dropped).toBe(20));
    expect(robot.errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/the broker refuses what is published on \S+\/rover-1\/recording;.*iq-learn link access/),
    ]);
    await stop();

    expect(renewAccess(file('older/learner.yaml')).steps.join()).toMatch(/mosquitto\.acl .*kill -HUP/);
    expect(readFileSync(list, 'utf8').split('\n')).toEqual(expect.arrayContaining(lines));
    expect(renewAccess(file('older/learner.yaml')).steps).toEqual(['the access lists have all that is needed']);
    closes.push(await mosquitto('older'));
    // What is published from now on arrives.
    await until(() => expect(robot.connection.state.connected).toBe(true));
    chunks.publish({ data: 'chunk 20' });
    await sleep(500);
    expect(robot.transport.counters.dropped).toBe(20);
    expect(robot.errors.filter(({ message }) => /refuses/.test(message))).toHaveLength(1);
  });

  test('takes a robot that was added later, beside those that are there', async () => {
    initLink({ ...fleet, folder: file('growing'), broker: `mqtts://localhost:${port}` });
    const list = file('growing/broker/mosquitto.acl');
    // A person has added a bridge, and has shut rover-2 out.
    const [head, ...blocks] = readFileSync(list, 'utf8').split(/\n(?=user )/);
    const kept = blocks.filter((block) => !block.startsWith('user rover-2\n'));
    writeFileSync(list, [head, ...kept, 'user site-a\ntopic readwrite iq_learn/fleet/rover-1/#\n'].join('\n'));
    const before = read('growing/rover-1.yaml') + read('growing/rover-1/rover-1.crt');
    writeFileSync(file('growing/learner.yaml'), `# ours\n${read('growing/learner.yaml')}`);
    const { steps } = addRobots(file('growing/learner.yaml'), ['rover-3']);
    expect(steps.join('\n')).toMatch(/mosquitto\.acl .*kill -HUP.*serve again.*rover-3\.yaml.*to the robot/s);
    expect(openLearnerLink(file('growing/learner.yaml')).file.robots).toEqual(['rover-1', 'rover-2', 'rover-3']);
    expect(read('growing/learner.yaml')).toMatch(/^# ours\n/);
    expect(read('growing/rover-1.yaml') + read('growing/rover-1/rover-1.crt')).toBe(before);
    expect(read('growing/rover-3/policy.pub')).toBe(read('growing/rover-1/policy.pub'));
    expect(statSync(file('growing/rover-3/rover-3.key')).mode & 0o077).toBe(0);
    const users = [...readFileSync(list, 'utf8').matchAll(/^user (.*)$/gm)].map(([, name]) => name);
    expect(users).toEqual(['learner', 'rover-1', 'site-a', 'rover-3']);
    expect(read('growing/broker/emqx-acl.conf')).toMatch(/"rover-3".*\{deny, all\}\.\n$/s);

    closes.push(await mosquitto('growing'));
    const learner = await client('growing/learner.yaml', 'rover-3');
    const robot = await client('growing/rover-3.yaml', 'rover-3');
    const up: string[] = [];
    learner.transport.subscribe('/stream', Text, ({ data }) => up.push(data));
    await until(() => expect(learner.connection.isSubscribed).toBe(true));
    robot.transport.advertise('/stream', Text).publish({ data: 'of the new robot' });
    await until(() => expect(up).toEqual(['of the new robot']));
    expect([...learner.errors, ...robot.errors]).toEqual([]);

    for (const names of [['rover-1'], ['rover-3'], ['learner'], ['a/b'], []])
      expect(() => addRobots(file('growing/learner.yaml'), names), String(names)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    rmSync(file('growing/authority'), { recursive: true });
    expect(() => addRobots(file('growing/learner.yaml'), ['rover-4'])).toThrow(/the authority of the link is not here/);
    expect(openLearnerLink(file('growing/learner.yaml')).file.robots).toHaveLength(3);
  });
});

test('permissions say for each topic who publishes, and that only both ends of a robot read it', () => {
  const all = permissions({ fleet: 'f', robots: ['a', 'b'] });
  for (const { topic, identity } of all) {
    const [, , robot] = topic.split('/');
    if (robot === 'learner')
      expect(topic).toBe(identity === 'learner' ? 'iq_learn/f/learner/#' : 'iq_learn/f/learner/presence');
    else expect([robot, 'learner']).toContain(identity);
  }
  const publishers = (topic: string) => all.filter((each) => each.topic === topic && each.may === 'publish');
  expect(publishers('iq_learn/f/a/signed_policy').map(({ identity }) => identity)).toEqual(['learner']);
  expect(publishers('iq_learn/f/a/stream').map(({ identity }) => identity)).toEqual(['a']);
});
