import { describe, expect, it } from 'vitest';
import { Buttons } from '#src/nodes/supervisor/buttons.js';
import { EpisodeMachine, type EpisodeRules, keptOf } from '#src/nodes/supervisor/episode-machine.js';

const S = 1_000_000_000n;
const rules: EpisodeRules = {
  episodes: 2,
  episodeNs: 0n,
  resetNs: 0n,
  timeUp: 'unknown',
  terminal: { success: true, failure: false },
};

describe('the episodes of a session', () => {
  it('begin and end as a person says, count, and end with the number that was wanted', () => {
    const machine = new EpisodeMachine(rules);
    expect(machine.phase).toBe('waiting');
    expect(machine.start(1n * S)).toBe(1);
    expect(() => machine.start(2n * S)).toThrow(/episode 1 is running/);
    expect(machine.end('success', 'seen', 4n * S)).toEqual({
      number: 1,
      verdict: 'success',
      terminated: true,
      seconds: 3,
      reason: 'seen',
    });
    expect(() => machine.end('failure', '', 5n * S)).toThrow(/no episode is running/);
    machine.start(6n * S);
    expect(machine.end('failure', '', 7n * S).terminated).toBe(false);
    expect(machine.phase).toBe('done');
    expect(() => machine.start(8n * S)).toThrow(/all 2 episodes are there/);
    expect(machine.counts).toEqual({ success: 1, failure: 1, unknown: 0, discarded: 0 });
  });

  it('are thrown away while they run and afterwards, once, and done again', () => {
    const machine = new EpisodeMachine(rules);
    expect(() => machine.discard(0n)).toThrow(/no episode to throw away/);
    machine.start(0n);
    expect(machine.discard(1n)).toEqual({ number: 1, wasRunning: true });
    expect(() => machine.discard(2n)).toThrow(/thrown away already/);
    machine.start(3n);
    machine.end('unknown', '', 4n);
    machine.start(5n);
    machine.end('success', '', 6n);
    expect(machine.phase).toBe('done');
    expect(machine.discard(7n)).toEqual({ number: 3, wasRunning: false });
    expect(machine.phase).toBe('waiting');
    expect(machine.counts).toEqual({ success: 0, failure: 0, unknown: 1, discarded: 2 });
    // The one before was kept for good when another began.
    expect(() => machine.discard(8n)).toThrow(/thrown away already/);
  });

  it('end and begin by the time where that is wanted', () => {
    const machine = new EpisodeMachine({ ...rules, episodes: 0, episodeNs: 10n * S, resetNs: 3n * S });
    machine.start(0n);
    expect(machine.due(9n * S)).toBeUndefined();
    expect(machine.secondsLeft(4n * S)).toBe(6);
    expect(machine.due(10n * S)).toBe('end');
    machine.end(machine.timeUp, 'time', 10n * S);
    expect(machine.phase).toBe('resetting');
    expect(machine.due(12n * S)).toBeUndefined();
    expect(machine.due(13n * S)).toBe('start');
    // A start that is refused is not tried again and again.
    machine.wait();
    expect(machine.due(99n * S)).toBeUndefined();
    machine.start(100n * S);
  });

  it('go on from what an earlier part of the session has brought', () => {
    const before = { success: 1, failure: 0, unknown: 0, discarded: 4 };
    const machine = new EpisodeMachine(rules, before);
    expect(keptOf(before)).toBe(1);
    expect(machine.start(0n)).toBe(6);
    machine.end('success', '', 1n);
    expect(machine.phase).toBe('done');
    expect(new EpisodeMachine(rules, machine.counts).phase).toBe('done');
  });
});

describe('buttons', () => {
  const joy = (...pressed: number[]) => ({
    header: { stamp: { sec: 0, nanosec: 0 }, frame_id: '' },
    axes: new Float32Array(0),
    buttons: Int32Array.from({ length: 8 }, (_, i) => Number(pressed.includes(i))),
  });

  it('are one request a press, and none for a button that was held from the start', () => {
    const buttons = new Buttons({ start: 7, stop: 6, success: 0, failure: 1, discard: -1 });
    expect(buttons.take(joy(7))).toEqual([]);
    expect(buttons.take(joy(7))).toEqual([]);
    expect(buttons.take(joy())).toEqual([]);
    expect(buttons.take(joy(7))).toEqual(['start']);
    expect(buttons.take(joy(7, 0))).toEqual(['success']);
    expect(buttons.take(joy(7, 0, 1))).toEqual(['failure']);
  });
});
