import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { MqttConnection } from '#src/transport/mqtt/connection.js';
import { signsOfLife } from '#src/transport/mqtt/signs-of-life.js';

const CONNECT = 1;
const PINGREQ = 12;
const CONNACK = Buffer.from([0x20, 3, 0, 0, 0]);
const PUBLISH = Buffer.concat([Buffer.from([0x30, 5, 0, 1]), Buffer.from('t'), Buffer.from([0, 7])]);

/** A broker whose answers to pings never come, behind messages that come all the time, or behind none. */
async function brokerWithoutPong(publishes: boolean) {
  const pings: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const timer = setInterval(() => publishes && socket.write(PUBLISH), 50);
    socket.on('error', () => {}).on('close', () => clearInterval(timer));
    socket.on('data', (bytes) => {
      if (bytes[0]! >> 4 === CONNECT) socket.write(CONNACK);
      if (bytes[0]! >> 4 === PINGREQ) pings.push(Date.now());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as { port: number }).port, pings, close };
}

test.each([
  [true, 1],
  [false, 2],
])(
  'a connection on which messages come is kept, though the answer to a ping is late: %s',
  async (publishes, least) => {
    const broker = await brokerWithoutPong(publishes);
    const connection = new MqttConnection(
      {
        broker: `mqtt://127.0.0.1:${broker.port}`,
        fleet: 'fleet',
        plaintext: true,
        clientId: 'learner',
        longestWaitMs: 50,
        onError: () => {},
      },
      (url, options) => mqtt.connect(url, { ...options, keepalive: 3 }),
    );
    await connection.connected(5000);
    await sleep(6500);
    if (publishes) expect(connection.state).toMatchObject({ connected: true, connections: 1 });
    else expect(connection.state.connections).toBeGreaterThanOrEqual(least);
    // The broker hears of this end, too.
    expect(broker.pings.length).toBeGreaterThanOrEqual(1);
    await connection.end();
    broker.close();
  },
  30_000,
);

test('is noted now and then, and each time this end is heard of as well', () => {
  let nowMs = 0;
  const calls: string[] = [];
  const note = signsOfLife(
    { sendPing: () => calls.push('ping'), reschedulePing: (force: boolean) => calls.push(`alive ${force}`) } as never,
    () => nowMs,
  );
  for (; nowMs <= 5000; nowMs += 10) note();
  expect(calls).toEqual(['ping', 'alive true', 'ping', 'alive true']);
});
