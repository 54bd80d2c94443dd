import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareLedgers, Ledger } from '#src/hosts/plain/ledger.js';
import { emptyMessage } from '#src/messages/index.js';
import { EmbeddedBroker } from '#src/transport/index.js';
import { cli, inNewFolder } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

test('demo --link joins both ends over a broker, and says at the end that they have the same transitions', async () => {
  const args =
    '--link --robot rover --demonstrations 1 --steps 130 --episodes 1 --settings quick.yaml --seed 3 --name linked';
  const { code, stdout, stderr } = await cli('demo', ...args.split(' '));
  expect(stderr).toMatch(/joined by mqtts:\S+ only/);
  expect(stderr).toMatch(/robot and learner have the same \d+ transitions: SHA-256 [0-9a-f]{64}$/m);
  expect(stderr).toMatch(/over the link \(MQTT 3\.1\.1\): \d+ records, \d+ came again, 0 refused/);
  expect(stdout).toMatch(/^again: .*demo .*--link/m);
  expect(code).toBe(0);
}, 300_000);

test('ledgers that differ are an error: one missing, one twice, one changed, two that have changed places', async () => {
  const broker = new EmbeddedBroker();
  const ledger = (...numbers: number[]): Ledger => {
    const made = new Ledger(broker.connect());
    for (const number of numbers)
      made.add({ ...emptyMessage('iq_learn/msg/Transition'), observation: Float32Array.of(number) });
    return made;
  };
  await expect(compareLedgers(ledger(1, 2, 3), ledger(1, 2, 3), 50)).resolves.toMatch(/the same 3 transitions/);
  for (const other of [ledger(1, 2), ledger(1, 2, 2, 3), ledger(1, 2, 4), ledger(1, 3, 2), ledger()])
    await expect(compareLedgers(ledger(1, 2, 3), other, 50)).rejects.toThrow(
      expect.objectContaining({ code: 'MISMATCH' }),
    );
  await broker.close();
});
