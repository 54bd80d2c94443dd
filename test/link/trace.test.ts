import { connectAsync } from 'mqtt';
import { afterEach, expect, test, vi } from 'vitest';
import { createSigningKeys, linkLimits, PolicySigner, PolicyVerifier } from '#src/link/index.js';
import { emptyMessage } from '#src/messages/index.js';
import { LearnerGateway, RobotGateway } from '#src/nodes/index.js';
import { MqttTransport, openMqtt } from '#src/transport/index.js';
import { traceOf, traceProperties } from '#src/transport/mqtt/trace.js';
import { Rig } from '../nodes/toy.js';
import { describeWithMosquitto, startMosquitto } from '../support/brokers.js';

let closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
});

test('a trace goes on with a span of its own; what is none is left alone', () => {
  const [one, two] = [traceProperties(), traceProperties()];
  expect(one.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  const trace = traceOf({ userProperties: one })!;
  expect(traceOf({ userProperties: two })).not.toBe(trace);
  const next = traceProperties(trace);
  expect(traceOf({ userProperties: next })).toBe(trace);
  expect(next.traceparent).not.toBe(one.traceparent);
  const span = '0123456789abcdef';
  for (const value of ['', 'x', `00-${'0'.repeat(32)}-${span}-01`, `00-${'A'.repeat(32)}-${span}-01`, ['a', 'b'], 3])
    expect(traceOf({ userProperties: { traceparent: value } }), String(value)).toBeUndefined();
  expect(traceOf(undefined)).toBeUndefined();
  expect(traceOf({ userProperties: traceProperties('no trace') })).toMatch(/^[0-9a-f]{32}$/);
});

describeWithMosquitto('traces over mosquitto', () => {
  test("go from a robot's batch to the learner's log, and with the policy back to the robot's", async () => {
    const broker = await startMosquitto();
    closes.push(() => broker.stop());
    // Somebody in between, who knows MQTT and nothing of this project.
    const seen = new Map<string, string[]>();
    const listener = await connectAsync(broker.url, { protocolVersion: 5 });
    closes.push(() => listener.endAsync());
    listener.on('message', (topic, _, { properties }) => {
      const name = topic.slice(topic.lastIndexOf('/'));
      seen.set(name, [...(seen.get(name) ?? []), String(properties?.userProperties?.traceparent)]);
    });
    await listener.subscribeAsync('iq_learn/#');

    const link = async (clientId: string): Promise<MqttTransport> => {
      const options = { broker: broker.url, fleet: 'fleet', plaintext: true, clientId, limits: linkLimits };
      const connection = await openMqtt(options);
      const transport = new MqttTransport(connection, 'rover-1');
      closes.push(
        () => connection.end(),
        () => transport.close(),
      );
      return transport;
    };
    const keys = createSigningKeys();
    const [robotSide, learnerSide] = [new Rig(), new Rig()];
    closes.push(
      () => robotSide.close(),
      () => learnerSide.close(),
    );
    // One record that is none: the learner's side says so.
    const records = [{ sequence: 1n, topic: '/transitions', payload: Uint8Array.of(255), class: 'state' as const }];
    robotSide.start(
      new RobotGateway(robotSide.context('gateway'), {
        robot: 'rover-1',
        link: await link('rover-1'),
        verifier: new PolicyVerifier('fleet', [keys.publicKey]),
        spool: {
          epoch: 1n,
          last: 1n,
          read: (after) => ({ previous: after, records: records.slice(Number(after)) }),
          confirm: () => {},
          append: () => {},
          figures: { waiting: 0, bytes: 0, dropped: { state: 0, demonstration: 0 } },
        },
      }),
    );
    const host = learnerSide.start(
      new LearnerGateway(learnerSide.context('gateway'), {
        robot: 'rover-1',
        link: await link('learner'),
        signer: new PolicySigner('fleet', keys.privateKey),
      }),
    );
    await vi.waitFor(() => expect(host.view.refused).toBe(1), 30_000);
    const refused = learnerSide.records.find(({ message }) => /a record of rover-1 is refused/.test(message));
    const policy = { ...emptyMessage('iq_learn/msg/PolicyBundle'), robot: 'trolley', version: 4n, manifest: '{}' };
    learnerSide.say('/policy', 'iq_learn/msg/PolicyBundle', policy, true);
    const come = () => robotSide.records.find(({ message }) => message === 'a policy has come');
    await vi.waitFor(() => expect(come()).toBeDefined(), 30_000);
    await vi.waitFor(() => expect(seen.get('/signed_policy')).toHaveLength(1), 30_000);

    const { trace } = refused!.fields;
    expect(trace).toMatch(/^[0-9a-f]{32}$/);
    const parents = seen.get('/stream')!.filter((parent) => parent.startsWith(`00-${trace}-`));
    expect(parents).toHaveLength(1);
    expect(seen.get('/signed_policy')![0]).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(seen.get('/signed_policy')![0]).not.toBe(parents[0]);
    expect(come()!.fields).toMatchObject({ version: 4n, trace });
    expect(host.view.trace).toBe(trace);
  });
});
