import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import type { IqLearnError } from '#src/common/index.js';
import { type MqttConnection, MqttTransport, openMqtt, type Transport } from '#src/transport/index.js';
import { describeWithMosquitto, startAedes, startMosquitto, type TestBroker } from '../../support/brokers.js';
import { transportContract } from './contract.js';

function contractOn(name: string, start: () => Promise<TestBroker>): void {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await start();
  });
  afterAll(() => broker.stop());

  transportContract(name, async () => {
    const errors: IqLearnError[] = [];
    const fleet = `fleet-${randomUUID()}`;
    const connections: MqttConnection[] = [];
    const transports: Transport[] = [];
    /** Resolves when what this transport's connection has sent has come back to it: so has everything before it. */
    const roundTrip = async (transport: Transport, connection: MqttConnection): Promise<void> => {
      let back = 0;
      const topic = `/barrier_${transports.indexOf(transport)}`;
      const subscription = transport.subscribe(topic, 'std_msgs/msg/Bool', () => back++);
      const publisher = transport.advertise(topic, 'std_msgs/msg/Bool');
      await vi.waitFor(() => {
        if (!connection.isSubscribed) throw new Error('not subscribed yet');
      }, 10_000);
      publisher.publish({ data: true });
      await vi.waitFor(() => {
        if (back === 0) throw new Error('not back yet');
      }, 10_000);
      subscription.close();
      publisher.close();
    };
    const closed = new Set<Transport>();
    return {
      errors,
      connect: async () => {
        const connection = await openMqtt({
          broker: broker.url,
          fleet,
          clientId: randomUUID(),
          plaintext: true,
          // That a broker has MQTT 3.1.1 only is said once a connection.
          onError: (error) => error.code !== 'UNSUPPORTED' && errors.push(error),
        });
        await connection.connected(10_000);
        const transport = new MqttTransport(connection, 'robot');
        const close = transport.close.bind(transport);
        transport.close = () => {
          closed.add(transport);
          return close();
        };
        connections.push(connection);
        transports.push(transport);
        return transport;
      },
      ready: async () => {
        for (let i = 0; i < 2; i++)
          for (const [j, transport] of transports.entries())
            if (!closed.has(transport)) await roundTrip(transport, connections[j]!);
      },
      close: async () => {
        await Promise.all(transports.map((transport) => transport.close()));
        await Promise.all(connections.map((connection) => connection.end()));
      },
    };
  });
}

describe('over aedes, MQTT 3.1.1', () => contractOn('mqtt (aedes)', startAedes));
describeWithMosquitto('over mosquitto, MQTT 5', () => contractOn('mqtt (mosquitto)', () => startMosquitto()));
