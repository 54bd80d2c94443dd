import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSigningKeys, linkLimits, PolicySigner } from '#src/link/index.js';
import { emptyMessage } from '#src/messages/index.js';
import { LearnerGateway } from '#src/nodes/index.js';
import { MqttTransport, openMqtt } from '#src/transport/index.js';
import { Rig } from '../nodes/toy.js';
import { describeWithMosquitto, startMosquitto } from '../support/brokers.js';
import { descriptors } from '../support/descriptors.js';
import { describeWithPython, runPython } from '../support/python.js';

const COUNT = 1000;

describeWithMosquitto('over mosquitto', () =>
  describeWithPython('a robot in Python (paho-mqtt, protobuf)', () => {
    test('teaches our learner, each transition once, and reads its policy', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'peer-'));
      const broker = await startMosquitto();
      const side = new Rig();
      const connection = await openMqtt({
        broker: broker.url,
        fleet: 'fleet',
        clientId: randomUUID(),
        plaintext: true,
        limits: linkLimits,
      });
      const link = new MqttTransport(connection, 'rover-1');
      try {
        const signer = new PolicySigner('fleet', createSigningKeys().privateKey);
        const gateway = side.start(new LearnerGateway(side.context('gateway'), { robot: 'rover-1', link, signer }));
        const got = side.listen('/transitions', 'iq_learn/msg/Transition');
        const policy = { robot: 'trolley', version: 12n, model: Uint8Array.of(0, 1, 255), manifest: '{"a": "ї"}' };
        const message = { ...emptyMessage('iq_learn/msg/PolicyBundle'), ...policy };
        side.say('/policy', 'iq_learn/msg/PolicyBundle', message, true);
        writeFileSync(join(folder, 'descriptors.bin'), await descriptors());
        const printed = await runPython(
          'test/link/peer.py',
          join(folder, 'descriptors.bin'),
          String(broker.port),
          String(COUNT),
        );
        expect(JSON.parse(printed)).toEqual({ ...policy, version: 12, model: [0, 1, 255] });
        expect(got.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: COUNT }, (_, i) => i));
        expect(got[41]).toMatchObject({ observation: Float32Array.of(42, 0.5), action: Float32Array.of(-0.25) });
        expect(gateway.view).toMatchObject({ records: COUNT, repeated: COUNT, refused: 0 });
      } finally {
        await side.close();
        await link.close();
        await connection.end();
        await broker.stop();
        rmSync(folder, { recursive: true });
      }
    });
  }),
);
