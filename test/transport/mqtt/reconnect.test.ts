import { createServer, type Server } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { openMqtt } from '#src/transport/index.js';

const LONGEST_MS = 600;
let closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
});

/** A broker that ends every connection at once, and when each came. */
async function refusing(): Promise<{ readonly url: string; readonly attemptsMs: number[] }> {
  const attemptsMs: number[] = [];
  const server: Server = createServer((socket) => {
    attemptsMs.push(performance.now());
    socket.on('error', () => {});
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closes.push(() => server.close());
  const { port } = server.address() as { port: number };
  return { url: `mqtt://127.0.0.1:${port}`, attemptsMs };
}

/** The waits between the first five attempts of a client with this random number, in milliseconds. */
async function waits(random: number): Promise<number[]> {
  const { url, attemptsMs } = await refusing();
  const connection = await openMqtt({
    broker: url,
    fleet: 'fleet',
    clientId: `robot-${random}`,
    plaintext: true,
    random: () => random,
    longestWaitMs: LONGEST_MS,
    onError: () => {},
  });
  closes.push(() => connection.end());
  await vi.waitFor(() => expect(attemptsMs.length).toBeGreaterThanOrEqual(5), { timeout: 30_000, interval: 10 });
  return attemptsMs.slice(1, 5).map((ms, i) => ms - attemptsMs[i]!);
}

test('the waits between attempts to connect grow to the longest, and differ between robots by chance', async () => {
  const [early, late] = await Promise.all([waits(0), waits(1)]);
  // Timers are never early, but for the rounding of a millisecond.
  for (const [found, least] of [
    [early, [125, 250, 300, 300]],
    [late, [250, 500, 600, 600]],
  ] as const)
    found.forEach((ms, i) => {
      expect(ms).toBeGreaterThan(least[i]! - 2);
    });
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  expect(sum(early)).toBeLessThan(sum(late));
});
