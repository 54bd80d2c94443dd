import { describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import { FairBuffers } from '#src/learning/data/fair-buffers.js';
import { type BatchTarget, type BufferRow, ReplayBuffer } from '#src/learning/data/replay-buffer.js';

const make = (capacity: number): ReplayBuffer => new ReplayBuffer(capacity, vectorObservation(1), 1);
const row = (robot: number, n: number): BufferRow => ({
  observation: [n],
  action: [robot],
  nextObservation: [n + 1],
  terminated: false,
  reward: 0,
});
const target = (rows: number) =>
  ({
    observations: new Float32Array(rows),
    actions: new Float32Array(rows),
    nextObservations: new Float32Array(rows),
    continues: new Float32Array(rows),
  }) satisfies BatchTarget;
/** How often each robot's transitions are among `count` draws. */
function drawn(buffers: FairBuffers, count: number, robots: number): number[] {
  const batch = target(count);
  buffers.sample(count, new Random(1), batch);
  const shares = new Array<number>(robots).fill(0);
  for (const robot of batch.actions) shares[robot]! += 1 / count;
  return shares;
}

describe('the buffers of a fleet', () => {
  it('give every robot the same share of a batch, whatever it has sent', () => {
    const fleet = new FairBuffers(3000, ['a', 'b', 'c'], make);
    for (let n = 0; n < 100_000; n++) fleet.add(row(0, n), 'a');
    for (let n = 0; n < 900; n++) fleet.add(row(1, n), 'b');
    for (let n = 0; n < 500; n++) fleet.add(row(2, n), 'c');
    for (const share of drawn(fleet, 30_000, 3)) expect(share).toBeCloseTo(1 / 3, 1.5);
    expect(fleet.counts).toEqual([
      { robot: 'a', added: 100_000, held: 1000 },
      { robot: 'b', added: 900, held: 900 },
      { robot: 'c', added: 500, held: 500 },
    ]);
    expect([fleet.size, fleet.added]).toEqual([2400, 101_400]);
  });

  it('draw the few transitions of a robot that has just begun at most 8 times as often as a common buffer would', () => {
    const fleet = new FairBuffers(20_000, ['old', 'new'], make);
    for (let n = 0; n < 10_000; n++) fleet.add(row(0, n), 'old');
    for (let n = 0; n < 100; n++) fleet.add(row(1, n), 'new');
    const [, share] = drawn(fleet, 100_000, 2) as [number, number];
    const common = 100 / 10_100;
    // Shares are 1/2 and 8 × 100/10100, made to sum to 1.
    expect(share).toBeCloseTo((8 * common) / (0.5 + 8 * common), 2);
  });

  it('of a thousand robots are as fair, with several transitions of each robot that is drawn', () => {
    const robots = Array.from({ length: 1000 }, (_, i) => `robot-${i}`);
    const fleet = new FairBuffers(50_000, robots, make);
    // Half of the robots have sent ten times as much as the others.
    for (const [i, robot] of robots.entries()) for (let n = 0; n < (i < 500 ? 50 : 5); n++) fleet.add(row(i, n), robot);
    const batch = target(130);
    fleet.sample(130, new Random(5), batch);
    const counts = new Map<number, number>();
    for (const robot of batch.actions) counts.set(robot, (counts.get(robot) ?? 0) + 1);
    expect([...counts.values()].reduce((sum, n) => sum + n, 0)).toBe(130);
    // 33 draws of four, the last one of two.
    expect(counts.size).toBeGreaterThan(25);
    expect(counts.size).toBeLessThanOrEqual(33);
    const shares = drawn(fleet, 400_000, 1000);
    const sum = (of: readonly number[]): number => of.reduce((total, share) => total + share, 0);
    expect(sum(shares.slice(0, 500))).toBeCloseTo(0.5, 2);
    expect(Math.min(...shares)).toBeGreaterThan(0.0005);
    expect(Math.max(...shares)).toBeLessThan(0.0015);
  });

  it('of no robot in particular sample exactly as one replay buffer', () => {
    const fleet = new FairBuffers(500, [], make);
    const one = make(500);
    for (let n = 0; n < 700; n++) {
      fleet.add(row(0, n), '');
      one.add(row(0, n));
    }
    const [a, b] = [target(64), target(64)];
    fleet.sample(64, new Random(3), a);
    one.sample(64, new Random(3), b);
    expect(a).toEqual(b);
  });

  it('keep the trajectories of robots that send at the same time in one row for each observation', () => {
    const fleet = new FairBuffers(200, ['a', 'b'], make);
    for (let n = 0; n < 100; n++) for (const [i, robot] of ['a', 'b'].entries()) fleet.add(row(i, n), robot);
    for (const { arrays } of fleet.contents()) expect(arrays['observations.state.0']).toHaveLength(101);
  });

  it('come back from their contents, also where the fleet has grown or a robot has left', () => {
    const fleet = new FairBuffers(300, ['a', 'b'], make);
    for (let n = 0; n < 400; n++) fleet.add(row(n % 2, n), n % 2 === 0 ? 'a' : 'b');
    const contents = structuredClone(fleet.contents());
    const grown = new FairBuffers(300, ['b', 'c', 'd'], make);
    grown.restore(contents);
    expect(grown.counts).toEqual([
      { robot: 'b', added: 200, held: 150 },
      { robot: 'c', added: 0, held: 0 },
      { robot: 'd', added: 0, held: 0 },
      { robot: 'a', added: 200, held: 150 },
    ]);
    const same = new FairBuffers(300, ['a', 'b'], make);
    same.restore(contents);
    const [x, y] = [target(64), target(64)];
    fleet.sample(64, new Random(5), x);
    same.sample(64, new Random(5), y);
    expect(y).toEqual(x);
  });

  it('draw the absorbing state as often as the robot that is drawn has terminal transitions', () => {
    const fleet = new FairBuffers(1000, ['falls', 'stands'], make);
    for (let n = 0; n < 100; n++) fleet.add({ ...row(0, n), terminated: true }, 'falls');
    for (let n = 0; n < 100; n++) fleet.add(row(1, n), 'stands');
    const random = new Random(2);
    const absorbing = Array.from({ length: 20_000 }, () => fleet.drawsAbsorbing(random)).filter(Boolean).length;
    expect(absorbing / 20_000).toBeCloseTo(1 / 4, 1.5);
  });
});
