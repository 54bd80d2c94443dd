import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Random } from '#src/common/index.js';
import { type MqttConnection, MqttTransport, openMqtt } from '#src/transport/index.js';
import { describeWithMosquitto, startMosquitto, startProxy } from '../support/brokers.js';
import { hash, Learner, Robot } from './ledger.js';

let root: string;
let closes: (() => unknown)[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ledger-'));
});
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
  rmSync(root, { recursive: true, force: true });
});

async function connect(broker: string, clientId: string): Promise<MqttConnection> {
  const connection = await openMqtt({
    broker,
    fleet: 'fleet',
    plaintext: true,
    clientId,
    onError: () => {},
    longestWaitMs: 300,
  });
  closes.push(() => connection.end());
  return connection;
}

describeWithMosquitto('the ledger over mosquitto', () => {
  test('of ten robots is the same on both sides after kills, cuts, half-open and slow connections and restarts of the broker', async () => {
    const random = Random.derive(5, 'ledger');
    const broker = await startMosquitto();
    closes.push(() => broker.stop());
    // The learner is slow to take what comes, all the time.
    const slow = await startProxy(broker.port);
    slow.trouble.delayMs = 40;
    closes.push(() => slow.close());
    const learnerEnd = await connect(slow.url, 'learner');
    const names = Array.from({ length: 10 }, (_, i) => `rover_${i}`);
    const ends = await Promise.all(
      names.map(async (name) => {
        const proxy = await startProxy(broker.port);
        closes.push(() => proxy.close());
        const robot = new Robot(name, root, new MqttTransport(await connect(proxy.url, name), name), 2000);
        closes.push(() => robot.close());
        return { proxy, robot, learner: new Learner(name, new MqttTransport(learnerEnd, name)) };
      }),
    );
    const counts = { kills: 0, cuts: 0, frozen: 0, delayed: 0, restarts: 0 };
    for (let step = 0; step < 80; step++) {
      for (const { robot, learner, proxy } of ends) {
        for (let i = 0; i < 10; i++) robot.write();
        if (random.uniform() < 0.05) learner.checkpoint();
        if (random.uniform() < 0.1) learner.announce();
        for (const end of [learner, robot])
          if (random.uniform() < 0.01) {
            end.kill();
            counts.kills++;
          }
        const { trouble } = proxy;
        if (trouble.frozen || trouble.closed) {
          if (random.uniform() > 0.1) continue;
          // Whoever was behind a half-open connection finds out when it ends.
          proxy.cut();
          Object.assign(trouble, { frozen: false, closed: false });
          continue;
        }
        const kind = random.uniform();
        if (kind < 0.01) {
          trouble.frozen = true;
          counts.frozen++;
        } else if (kind < 0.02) {
          trouble.closed = true;
          proxy.cut();
          counts.cuts++;
        } else if (kind < 0.04) {
          trouble.delayMs = trouble.delayMs === 0 ? random.integer(100) : 0;
          counts.delayed++;
        }
      }
      if (step === 25 || step === 55) {
        await broker.stop();
        await sleep(100);
        await broker.start();
        counts.restarts++;
      }
      await sleep(20);
    }
    for (const { proxy } of ends) {
      if (proxy.trouble.frozen || proxy.trouble.closed) proxy.cut();
      Object.assign(proxy.trouble, { frozen: false, closed: false, delayMs: 0 });
    }
    for (let i = 0; ends.some(({ robot }) => !robot.isDone); i++) {
      if (i > 1500) throw new Error('the streams do not come to their end');
      for (const { learner } of ends) learner.announce();
      await sleep(50);
    }
    for (const { robot, learner } of ends) {
      expect(robot.written).toHaveLength(800);
      expect(hash(learner.ledger)).toBe(hash(robot.written));
    }
    for (const [what, count] of Object.entries(counts)) expect(count, what).toBeGreaterThan(0);
  }, 240_000);
});
