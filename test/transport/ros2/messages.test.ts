import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type MessageTypes, rosMessageTypeNames } from '#src/messages/index.js';
import { type Publisher, qos } from '#src/transport/index.js';
import { anyMessage } from '../../messages/arbitrary.js';
import { describeWithRos } from '../../support/ros.js';
import { Nodes, Peer } from './support.js';

type AnyMessage = MessageTypes[keyof MessageTypes];
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 5 });

describeWithRos('messages over ROS 2', () => {
  const nodes = new Nodes();
  let peer: Peer;
  beforeAll(async () => {
    peer = await Peer.start();
  });
  afterAll(() => nodes.close());

  describe('what rclpy takes apart and puts together again is what was sent', () => {
    test('every message type, any values', async () => {
      const node = await nodes.open({ nodeName: 'echoed' });
      // None of these packages is part of ROS 2's wheels.
      const inSight = (path: string) =>
        process.env.AMENT_PREFIX_PATH!.split(':').some((prefix) => existsSync(`${prefix}/share/${path}`));
      const apart: readonly string[] = ['ackermann_msgs', 'control_msgs', 'tf2_msgs'];
      const packageOf = (type: string): string => type.split('/')[0]!;
      const types = rosMessageTypeNames.filter((type) => !apart.includes(packageOf(type)) || inSight(packageOf(type)));
      const { transport } = node;
      const received = new Map<string, AnyMessage[]>();
      const publishers = new Map<string, Publisher<AnyMessage>>();
      for (const [i, type] of types.entries()) {
        await peer.do('echo', type, `there_${i}`, `back_${i}`, 'reliable volatile 100');
        const got: AnyMessage[] = [];
        received.set(type, got);
        publishers.set(type, transport.advertise(`/there_${i}`, type, qos.event) as Publisher<AnyMessage>);
        transport.subscribe(`/back_${i}`, type, (message) => got.push(message), qos.event);
      }
      node.start();
      for (const type of types) {
        const sent = fc.sample(anyMessage(type), { numRuns: 20, seed: 7 }) as AnyMessage[];
        const got = received.get(type)!;
        // until the echo has found both ends
        await vi.waitFor(
          () => {
            publishers.get(type)!.publish(sent[0]!);
            expect(got.length).toBeGreaterThan(0);
          },
          { timeout: 60_000, interval: 50 },
        );
        // Order is kept: once another one is back, so are all of those that were on their way.
        const other = sent.find((message) => !isDeepStrictEqual(message, sent[0]))!;
        publishers.get(type)!.publish(other);
        await until(() => expect(got.at(-1)).toEqual(other));
        got.length = 0;
        for (const message of sent) publishers.get(type)!.publish(message);
        await until(() => expect(got.length).toBe(sent.length));
        expect(got, type).toEqual(sent);
      }
      expect(nodes.errors).toEqual([]);
    });

    test('a policy of a megabyte and more', async () => {
      const node = await nodes.started({ nodeName: 'large' });
      const type = 'iq_learn/msg/PolicyBundle';
      await peer.do('echo', type, 'policy_there', 'policy_back', 'reliable transient_local 1');
      const got: MessageTypes[typeof type][] = [];
      node.transport.subscribe('/policy_back', type, (message) => got.push(message), qos.latched);
      const message = fc.sample(anyMessage(type), { numRuns: 1, seed: 3 })[0] as MessageTypes[typeof type];
      message.model = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7);
      message.manifest = '{"їжак": "🦔"}'.repeat(1000);
      node.transport.advertise('/policy_there', type, qos.latched).publish(message);
      await until(() => expect(got).toHaveLength(1));
      expect(got[0]!.manifest).toBe(message.manifest);
      expect(Buffer.compare(got[0]!.model, message.model)).toBe(0);
    });
  });
});
