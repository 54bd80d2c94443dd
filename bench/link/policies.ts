import { createSigningKeys, linkLimits, linkTopics, PolicySigner, PolicyVerifier } from '../../src/link/index.js';
import { emptyMessage } from '../../src/messages/index.js';
import { type MqttConnection, MqttTransport, openMqtt, qos } from '../../src/transport/index.js';
import type { Figure } from '../harness.js';
import { quantile } from '../harness.js';

/** A policy of two layers of 256 with its manifest. */
const BYTES = 300_000;

/** Sends a policy to many robots, each with a connection of its own, and measures when each has it and has checked it. */
export async function policyToRobots(port: number, robots: number): Promise<Figure[]> {
  if (robots === 0) return [];
  const keys = createSigningKeys();
  const signer = new PolicySigner('fleet', keys.privateKey);
  const verifier = new PolicyVerifier('fleet', [keys.publicKey]);
  const open = (clientId: string): Promise<MqttConnection> =>
    openMqtt({ broker: `mqtt://127.0.0.1:${port}`, fleet: 'fleet', plaintext: true, clientId, limits: linkLimits });
  const learner = await open('learner-policies');
  const names = Array.from({ length: robots }, (_, i) => `bench-${i}`);
  const ends = await Promise.all(names.map(open));
  const arrived: number[] = [];
  let began = 0;
  let last: (() => void) | undefined;
  const all = new Promise<void>((resolve) => {
    last = resolve;
  });
  ends.forEach((end, i) => {
    new MqttTransport(end, names[i]!).subscribe(
      linkTopics.policy.topic,
      'iq_learn_link/msg/SignedPolicy',
      (signed) => {
        verifier.open(signed);
        arrived.push((performance.now() - began) / 1000);
        if (arrived.length === robots) last!();
      },
      qos.latched,
    );
  });
  for (const end of [learner, ...ends]) await end.connected(300_000);
  while (!ends.every(({ isSubscribed }) => isSubscribed)) await new Promise((resolve) => setTimeout(resolve, 20));
  const policy = { ...emptyMessage('iq_learn/msg/PolicyBundle'), version: 1n, model: new Uint8Array(BYTES).fill(7) };
  const publishers = names.map((name) =>
    new MqttTransport(learner, name).advertise(linkTopics.policy.topic, 'iq_learn_link/msg/SignedPolicy', qos.latched),
  );
  began = performance.now();
  for (const publisher of publishers) publisher.publish(signer.sign(policy));
  await all;
  await Promise.all([learner, ...ends].map((end) => end.end()));
  const note = `${BYTES / 1000} kB, signed once, checked by each; all of it and the broker on this machine`;
  return [
    { name: `policy to ${robots} robots: median`, value: quantile(arrived, 0.5), unit: 's', note },
    { name: `policy to ${robots} robots: last`, value: Math.max(...arrived), unit: 's', note },
  ];
}
