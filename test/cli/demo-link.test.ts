import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareLedgers, Ledger } from '#src/hosts/plain/ledger.js';
import { emptyMessage } from '#src/messages/index.js';
import { loadCheckpoint } from '#src/platform/index.js';
import { readBundle } from '#src/policy/index.js';
import { EmbeddedBroker } from '#src/transport/index.js';
import { cli, inNewFolder, start, tree } from './support.js';

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

/** The processes below one, by their ids. */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) \S+ (\d+) .*$/s, '$1');
        return [[Number(name), Number(parent)] as const];
      } catch {
        return []; // It has ended meanwhile.
      }
    });
  const below = (of: number): number[] =>
    parents.flatMap(([child, parent]) => (parent === of ? [child, ...below(child)] : []));
  return below(pid);
}

/** Whether something still takes connections at this port. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

test.each([
  ['recorded 1 demonstrations', 'begins'],
  ['robot and learner are joined', 'begins'],
  ['learning: ', 'has learned'],
  ['the policy after', 'has learned'],
])(
  'fault F32: Ctrl-C once demo --link says "%s" ends it with 130, its broker and its processes, and leaves nothing half-written',
  async (said, how) => {
    const name = said.split(/[ :]/).at(how === 'begins' ? -1 : 0)!;
    const args = `demo --link --robot rover --demonstrations 1 --steps 150 --episodes 1 --settings quick.yaml --name ${name}`;
    const { child, ended, seen } = start([...args.split(' '), '--headless'], { cwd: folder.path });
    await seen(said);
    const processes = descendants(child.pid!);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toMatch(/\nerror: interrupted[^\n]*; to do: [^\n]+\n$/);
    expect(processes.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    const port = /mqtts:\/\/127\.0\.0\.1:(\d+)/.exec(stderr)?.[1];
    if (port !== undefined) expect(await answers(Number(port))).toBe(false);
    const run = `${folder.path}/runs/${name}`;
    expect(tree(run).filter((file) => /\.(lock|part|tmp)$/.test(file))).toEqual([]);
    if (how === 'begins') return;
    expect(processes).not.toEqual([]); // the learning process
    await (await readBundle(`${run}/policy`)).dispose();
    const damaged: unknown[] = [];
    loadCheckpoint(`${run}/checkpoint`, (problem) => damaged.push(problem));
    expect(damaged).toEqual([]);
  },
  300_000,
);

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
