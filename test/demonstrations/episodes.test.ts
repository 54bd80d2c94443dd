import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import {
  type DemonstrationEpisode,
  type DemonstrationReport,
  describeLoss,
  RecordingWriter,
  readDemonstrations,
} from '#src/demonstrations/index.js';
import type { RobotSpec } from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import {
  baseNs,
  command,
  expectTrue,
  joints,
  periodNs,
  rejection,
  stampAt,
  stateTopic,
  teleopTopic,
  temporaryFolder,
  toy,
  writeCommand,
  writeEpisode,
  writeState,
} from './toy.js';

type Read = { episodes: DemonstrationEpisode[]; report: DemonstrationReport };

async function recorded(write: (writer: RecordingWriter) => void, spec: RobotSpec = toy): Promise<Read> {
  const folder = join(temporaryFolder(), 'demo');
  const writer = await RecordingWriter.create(folder, { spec: toy, session: 's' });
  write(writer);
  await writer.close();
  return await readDemonstrations([folder], spec);
}

/** Steps 0…length of episode 0, each written by `step`, between markers. */
function between(length: number, step: (writer: RecordingWriter, k: number) => void) {
  return (writer: RecordingWriter): void => {
    writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0, seed: 7n });
    for (let k = 0; k <= length; k++) step(writer, k);
    writer.endEpisode({ stampNs: stampAt(0, length), terminated: true, truncated: false, success: true });
  };
}
const both = (writer: RecordingWriter, k: number, stampNs = stampAt(0, k)): void => {
  writeState(writer, stampNs, 0, k);
  writeCommand(writer, stampNs, 0, k);
};
const runs = ({ episodes }: Read): [number, number][] =>
  episodes.map(({ observations, length }) => [stateOf(observations)[0]!, length]);

describe('transitions', () => {
  it('are exactly the recorded ones: true next observation, action of the step, flags of the end', async () => {
    const { episodes, report } = await recorded((writer) => {
      writeEpisode(writer, 0, 25);
      writeEpisode(writer, 1, 40);
    });
    expectTrue(episodes);
    expect(episodes).toMatchObject([
      { length: 25, terminated: true, truncated: false, success: true, seed: 100n, rewards: null },
      { length: 40, terminated: true, truncated: false, success: true, seed: 101n },
    ]);
    expect(episodes[1]!.stamps).toEqual(BigInt64Array.from({ length: 41 }, (_, k) => stampAt(1, k)));
    expect(report).toMatchObject({ episodes: 2, transitions: 65 });
    expect(report.recordings.flatMap(describeLoss)).toEqual([]);
  });

  it('a truncated end bootstraps, an unknown success stays unknown', async () => {
    const { episodes } = await recorded((writer) => {
      writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0 });
      for (let k = 0; k <= 10; k++) both(writer, k);
      writer.endEpisode({ stampNs: stampAt(0, 10), terminated: false, truncated: true });
    });
    expect(episodes).toMatchObject([{ length: 10, terminated: false, truncated: true, success: null, seed: null }]);
  });

  it('stamps that are off by any jitter below half a period move nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const random = new Random(seed);
        const jitter = (): bigint => BigInt(Math.round(random.uniform(-1, 1) * 0.2 * Number(periodNs)));
        const read = await recorded(
          between(30, (writer, k) => {
            const offset = k === 0 ? 0n : jitter();
            writeState(writer, stampAt(0, k) + offset, 0, k);
            writeCommand(writer, stampAt(0, k) + (k === 0 ? 0n : jitter()), 0, k);
          }),
        );
        expectTrue(read.episodes);
        expect(runs(read)).toEqual([[0, 30]]);
      }),
      { numRuns: 15, seed: 11 },
    );
  });

  it('rounded stamps of a rate that has no whole period', async () => {
    const spec = { ...toy, rateHz: 30 };
    const at = (k: number): bigint => baseNs + BigInt(Math.floor((k * 1e9) / 30));
    const { episodes } = await recorded((writer) => {
      writer.startEpisode({ stampNs: at(0), episode: 0 });
      for (let k = 0; k <= 900; k++) both(writer, k, at(k));
      writer.endEpisode({ stampNs: at(900), terminated: false, truncated: true });
    }, spec);
    expectTrue(episodes);
    expect(episodes.map(({ length }) => length)).toEqual([900]);
  });

  it('a fast sensor gives the newest state of each tick', async () => {
    const { episodes, report } = await recorded((writer) => {
      writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0 });
      for (let k = 0; k <= 20; k++) {
        // 200 Hz: the state of tick k, then three in between whose step says so
        for (let i = 0; i < 4; i++) writeState(writer, stampAt(0, k) + BigInt(i) * 5_000_000n, 0, k);
        writeCommand(writer, stampAt(0, k), 0, k);
      }
      writer.endEpisode({ stampNs: stampAt(0, 20), terminated: true, truncated: false });
    });
    expectTrue(episodes);
    expect(episodes.map(({ length }) => length)).toEqual([20]);
    expect(report.recordings[0]!.splits).toBe(0);
  });
});

describe('no transition across', () => {
  it('a lost state', async () => {
    const read = await recorded(
      between(30, (writer, k) => {
        if (k !== 12) writeState(writer, stampAt(0, k), 0, k);
        writeCommand(writer, stampAt(0, k), 0, k);
      }),
    );
    expectTrue(read.episodes);
    expect(runs(read)).toEqual([
      [0, 11],
      [13, 17],
    ]);
    expect(read.episodes.map(({ terminated, seed }) => [terminated, seed])).toEqual([
      [false, 7n],
      [true, null],
    ]);
    expect(read.report.recordings[0]).toMatchObject({ splits: 1, ticks: { 'state missing': 1, 'command missing': 0 } });
  });

  it('a lost command', async () => {
    const read = await recorded(
      between(30, (writer, k) => {
        writeState(writer, stampAt(0, k), 0, k);
        if (k !== 12) writeCommand(writer, stampAt(0, k), 0, k);
      }),
    );
    expectTrue(read.episodes);
    expect(runs(read)).toEqual([
      [0, 12],
      [13, 17],
    ]);
    expect(read.report.recordings[0]).toMatchObject({ splits: 1, ticks: { 'command missing': 1 } });
  });

  it('any pattern of loss, repetition and reordering', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        async (seed, loss) => {
          const random = new Random(seed);
          const steps = Array.from({ length: 60 }, (_, k) => k).flatMap((k) => [
            { k, state: true },
            { k, state: false },
          ]);
          const sent = steps.filter(({ k }) => k === 0 || k >= 59 || random.uniform() >= loss);
          const repeated = sent.flatMap((step) => (random.uniform() < 0.1 ? [step, step] : [step]));
          // neighbours change places: the log has them in another order than their stamps
          for (let i = 6; i + 2 < repeated.length; i += 2)
            if (random.uniform() < 0.2) [repeated[i], repeated[i + 1]] = [repeated[i + 1]!, repeated[i]!];
          const read = await recorded((writer) => {
            writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0 });
            for (const { k, state } of repeated) (state ? writeState : writeCommand)(writer, stampAt(0, k), 0, k);
            writer.endEpisode({ stampNs: stampAt(0, 59), terminated: true, truncated: false });
          });
          expectTrue(read.episodes);
          const has = (k: number, state: boolean): boolean => sent.some((s) => s.k === k && s.state === state);
          let possible = 0;
          for (let k = 0; k < 59; k++) if (has(k, true) && has(k, false) && has(k + 1, true)) possible++;
          expect(read.report.transitions).toBe(possible);
        },
      ),
      { numRuns: 40, seed: 12 },
    );
  });

  it('a silence of a topic', async () => {
    const read = await recorded(
      between(40, (writer, k) => {
        if (k < 15 || k > 20) writeState(writer, stampAt(0, k), 0, k);
        writeCommand(writer, stampAt(0, k), 0, k);
      }),
    );
    expectTrue(read.episodes);
    expect(runs(read)).toEqual([
      [0, 14],
      [21, 19],
    ]);
  });

  it.each([
    ['NaN in a state', { ...joints(stampAt(0, 9), 0, 9), position: [0, Number.NaN] }],
    ['a missing joint', { ...joints(stampAt(0, 9), 0, 9), name: ['step'], position: [9] }],
  ])('%s', async (_, bad) => {
    const read = await recorded(
      between(20, (writer, k) => {
        if (k === 9) writer.write(stateTopic, 'sensor_msgs/msg/JointState', bad, stampAt(0, 9));
        else writeState(writer, stampAt(0, k), 0, k);
        writeCommand(writer, stampAt(0, k), 0, k);
      }),
    );
    expectTrue(read.episodes);
    expect(runs(read)).toEqual([
      [0, 8],
      [10, 10],
    ]);
    expect(read.report.recordings[0]!.ticks['state refused']).toBe(1);
  });

  it('a command that is not finite', async () => {
    const read = await recorded(
      between(20, (writer, k) => {
        writeState(writer, stampAt(0, k), 0, k);
        const message = command(stampAt(0, k), 0, k);
        if (k === 9) message.twist.linear.x = Number.POSITIVE_INFINITY;
        writer.write(teleopTopic, 'geometry_msgs/msg/TwistStamped', message, stampAt(0, k));
      }),
    );
    expectTrue(read.episodes);
    expect(runs(read)).toEqual([
      [0, 9],
      [10, 10],
    ]);
    expect(read.report.recordings[0]!.ticks['command refused']).toBe(1);
  });

  it('two states that contradict each other', async () => {
    const read = await recorded(
      between(20, (writer, k) => {
        both(writer, k);
        if (k === 9) writeState(writer, stampAt(0, k), 0, 99);
      }),
    );
    expectTrue(read.episodes);
    expect(runs(read)).toEqual([
      [0, 8],
      [10, 10],
    ]);
    expect(read.report.recordings[0]!.contradictions).toBe(1);
  });

  it.each([
    ['forward by an hour', 3_600_000_000_000n],
    ['back by an hour', -3_600_000_000_000n],
    ['forward by two seconds', 2_000_000_000n],
    ['back by two seconds', -2_000_000_000n],
    ['back by a quarter of a second', -250_000_000n],
  ])('a clock that jumps %s', async (_, jumpNs) => {
    const at = (k: number): bigint => stampAt(0, k) + (k >= 15 ? jumpNs : 0n);
    const read = await recorded((writer) => {
      writer.startEpisode({ stampNs: at(0), episode: 0, seed: 7n });
      for (let k = 0; k <= 30; k++) both(writer, k, at(k));
      writer.endEpisode({ stampNs: at(30), terminated: true, truncated: false });
    });
    expectTrue(read.episodes);
    for (const { stamps } of read.episodes)
      for (let k = 1; k < stamps!.length; k++) expect(stamps![k]! - stamps![k - 1]!).toBe(periodNs);
    expect(runs(read)).toEqual([
      [0, 14],
      [15, 15],
    ]);
    expect(read.episodes.map(({ terminated }) => terminated)).toEqual([false, true]);
    expect(read.report.recordings[0]!.clockJumps).toBe(1);
  });

  it('an episode whose end was never told, and the next one', async () => {
    const read = await recorded((writer) => {
      writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0 });
      for (let k = 0; k <= 10; k++) both(writer, k);
      for (let k = 11; k <= 13; k++) writeState(writer, stampAt(0, k), 0, k); // nobody commands any more
      writeEpisode(writer, 1, 10);
    });
    expectTrue(read.episodes);
    expect(read.episodes).toMatchObject([
      { length: 11, terminated: false, truncated: true },
      { length: 10, terminated: true },
    ]);
  });

  it('a state that was lost at the very end: then it is no terminal one', async () => {
    const read = await recorded(
      between(10, (writer, k) => {
        if (k < 10) both(writer, k);
      }),
    );
    expect(read.episodes).toMatchObject([{ length: 9, terminated: false, truncated: true }]);
  });
});

describe('nothing to learn from', () => {
  it('one clear error with what was found', async () => {
    expect(
      await rejection(recorded(between(10, (writer, k) => writeState(writer, stampAt(0, k), 0, k)))),
    ).toMatchObject({
      code: 'MISMATCH',
      expected: expect.stringContaining(teleopTopic),
    });
    const nan = between(10, (writer, k) => {
      const state = { ...joints(stampAt(0, k), 0, k), position: [Number.NaN, Number.NaN] };
      writer.write(stateTopic, 'sensor_msgs/msg/JointState', state, stampAt(0, k));
      writeCommand(writer, stampAt(0, k), 0, k);
    });
    expect(await rejection(recorded(nan))).toMatchObject({
      code: 'CORRUPT_DATA',
      found: expect.stringContaining('11 control periods left out: state refused'),
    });
    expect(await rejection(readDemonstrations([], toy))).toMatchObject({ code: 'CORRUPT_DATA' });
  });
});
