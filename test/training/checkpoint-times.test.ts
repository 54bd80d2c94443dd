import { describe, expect, it } from 'vitest';
import { CheckpointTimes } from '#src/training/checkpoint-times.js';

describe('when checkpoints are due', () => {
  it('is after every so many segments, however many come at once', () => {
    const times = new CheckpointTimes({ folder: '', everySegments: 4 });
    expect([0, 3, 4].map((version) => times.dueInMs(version))).toEqual([undefined, undefined, 0]);
    expect(times.written(6, () => 'done')).toBe('done');
    expect([6, 7, 8, 9, 13].map((version) => times.dueInMs(version))).toEqual([undefined, undefined, 0, 0, 0]);
    expect(new CheckpointTimes(undefined).dueInMs(100)).toBeUndefined();
  });

  it('goes on from the checkpoint that was loaded', () => {
    const times = new CheckpointTimes({ folder: '', everySegments: 4 });
    times.restored(6);
    expect([7, 8].map((version) => times.dueInMs(version))).toEqual([undefined, 0]);
  });

  it('waits for the least time, and so long that writing takes a twentieth of the time at most', () => {
    let nowMs = 1000;
    const times = new CheckpointTimes({ folder: '', everySegments: 1, leastSeconds: 5 }, () => nowMs);
    const write = (ms: number): void =>
      times.written(1, () => {
        nowMs += ms;
      });
    expect(times.dueInMs(1)).toBe(5000);
    nowMs += 4999;
    expect(times.dueInMs(1)).toBe(1);
    write(100);
    expect(times.dueInMs(1)).toBeUndefined();
    expect(times.dueInMs(2)).toBe(5000);
    nowMs += 6000;
    expect(times.dueInMs(2)).toBe(-1000);
    write(1000);
    expect(times.dueInMs(2)).toBe(20_000);
  });
});
