import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { chooseDevice } from '#src/engine/index.js';
import { LearnerHost, openLearnerLink } from '#src/hosts/plain/index.js';
import type { LearnerSettings } from '#src/learning/index.js';
import { createSigningKeys, linkTopics } from '#src/link/index.js';
import type { MessageTypes } from '#src/messages/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { trainingSettings } from '#src/sessions/index.js';
import { MqttTransport, openMqtt, qos } from '#src/transport/index.js';
import { cli, inNewFolder } from '../../cli/support.js';
import { startAedes, startProxy } from '../../support/brokers.js';

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 20 });
const logger = () => ({ info() {}, warn() {}, error() {}, debug() {} }) as never;

test('a learner whose connection was cut asks its robots at once for what was on its way', async () => {
  const folder = inNewFolder();
  const broker = await startAedes();
  const network = await startProxy(broker.port);
  const ends: (() => unknown)[] = [];
  try {
    expect((await cli('record', '--robot', 'rover', '--episodes', '1', '--out', 'demos')).code).toBe(0);
    mkdirSync('link');
    writeFileSync('link/policy.key', createSigningKeys().privateKey);
    writeFileSync(
      'link/learner.yaml',
      `end: learner\nbroker: ${network.url}\nfleet: fleet\nplaintext: true\npolicy_key: policy.key\nrobots: [rover-1]\n`,
    );
    const spec = loadRobotSpec('rover');
    const config: LearnerSettings = { agent: 'iq-sac', hiddenSizes: [8], batchSize: 8 };
    const host = await LearnerHost.start({
      spec,
      link: openLearnerLink('link/learner.yaml'),
      settings: { ...trainingSettings(spec.task), config },
      recordings: ['demos'],
      run: 'run',
      seed: 1,
      device: await chooseDevice('cpu'),
      logger,
    });
    ends.push(() => host.close());
    const robot = await openMqtt({ broker: broker.url, fleet: 'fleet', plaintext: true, clientId: 'rover-1' });
    ends.push(() => robot.end());
    const positions: MessageTypes['iq_learn_link/msg/StreamPosition'][] = [];
    new MqttTransport(robot, 'rover-1').subscribe(
      linkTopics.position.topic,
      'iq_learn_link/msg/StreamPosition',
      (position) => positions.push(position),
      qos.event,
    );
    // At its start it may ask once; from then on it only says where the stream stands.
    await until(() => expect(positions.at(-1)?.again).toBe(false));
    const before = positions.length;
    network.cut();
    await until(() => expect(positions.slice(before).map(({ again }) => again)).toContain(true));
  } finally {
    for (const end of ends.toReversed()) await end();
    await network.close();
    await broker.stop();
    folder.leave();
  }
});
