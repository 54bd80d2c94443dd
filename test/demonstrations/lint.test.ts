import { describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import type { Finding } from '#src/demonstrations/index.js';
import {
  type DemonstrationEpisode,
  describeFinding,
  lintDemonstrations,
  refusePoorDemonstrations,
} from '#src/demonstrations/index.js';
import { toy as wide } from './toy.js';

const spec = { ...wide, action: wide.action.map((feature) => ({ ...feature, low: -1, high: 1 })) };

function episode(
  length: number,
  action: (t: number) => [number, number],
  observation: (t: number) => [number, number] = (t) => [t, Math.cos(t / 7)],
  stepNs = 50_000_000,
): DemonstrationEpisode {
  return {
    source: `demo#${length}`,
    length,
    observation: vectorObservation(2),
    actionSize: 2,
    observations: Float32Array.from(Array.from({ length: length + 1 }, (_, t) => observation(t)).flat()),
    actions: Float32Array.from(Array.from({ length }, (_, t) => action(t)).flat()),
    terminated: false,
    truncated: true,
    success: null,
    seed: null,
    stamps: BigInt64Array.from({ length: length + 1 }, (_, t) => BigInt(t * stepNs)),
    rewards: null,
  };
}
const good = (length = 200): DemonstrationEpisode => episode(length, (t) => [Math.sin(t), 0.5 * Math.cos(t)]);
const found = (findings: readonly Finding[]): [string, string][] => findings.map(({ level, check }) => [level, check]);

describe('fault F31: lint', () => {
  it('has nothing to say about good demonstrations', () => {
    expect(lintDemonstrations([good(), good(120)], spec)).toEqual([]);
  });

  it.each<[string, DemonstrationEpisode[], [string, string][]]>([
    ['no episode at all', [], [['error', 'none']]],
    [
      'a constant action everywhere',
      [episode(200, () => [0.2, 0.1])],
      [
        ['error', 'constant action'],
        ['warn', 'unused action'],
        ['warn', 'unused action'],
      ],
    ],
    ['a constant action in one of two', [good(), episode(150, () => [0.2, 0.1])], [['warn', 'constant action']]],
    [
      'failures among successes',
      [
        { ...good(), success: true },
        { ...good(150), success: false },
      ],
      [['warn', 'failures']],
    ],
    ['a task that has no success', [{ ...good(), success: false }], []],
    ['an action nobody used', [episode(200, (t) => [Math.sin(t), 0])], [['warn', 'unused action']]],
    ['an episode without transitions', [good(), episode(0, () => [0, 0])], [['error', 'empty']]],
    [
      'a robot that never moves',
      [
        episode(
          200,
          (t) => [Math.sin(t), Math.cos(t) / 2],
          () => [3, 3],
        ),
      ],
      [['error', 'never moving']],
    ],
    [
      'another rate',
      [
        good(),
        episode(
          200,
          (t) => [Math.sin(t), Math.cos(t) / 2],
          (t) => [t, 0],
          25_000_000,
        ),
      ],
      [['error', 'mixed rates']],
    ],
    [
      'a few actions beyond the limits',
      [episode(200, (t) => [t === 3 ? 1.5 : Math.sin(t), Math.cos(t) / 2])],
      [['warn', 'beyond limits']],
    ],
    [
      'many actions beyond the limits',
      [episode(200, (t) => [1.5 * Math.sin(t), Math.cos(t) / 2])],
      [['error', 'beyond limits']],
    ],
    ['actions always at a limit', [episode(200, (t) => [t % 2 ? 1 : -1, Math.cos(t) / 2])], [['warn', 'saturated']]],
    ['few transitions', [good(50)], [['warn', 'too few']]],
    ['hardly any transition', [good(5)], [['error', 'too few']]],
    ['NaN', [episode(200, (t) => [t === 3 ? Number.NaN : 0, 0])], [['error', 'not finite']]],
    ['another shape', [{ ...good(), actionSize: 1 }], [['error', 'shape']]],
  ])('finds %s', (_, episodes, expected) => {
    const findings = lintDemonstrations(episodes, spec);
    expect(found(findings)).toEqual(expected);
    for (const finding of findings)
      for (const part of [finding.found, finding.expected, finding.remedy]) expect(part).not.toBe('');
    const refuse = (): void => refusePoorDemonstrations(findings);
    if (expected.some(([level]) => level === 'error')) expect(refuse).toThrow(/cannot be learnt from; found: /);
    else expect(refuse).not.toThrow();
  });

  it.each<[string, DemonstrationEpisode[], [string, string][], RegExp]>([
    [
      'numbers that a float32 cannot tell apart (UTM coordinates)',
      [
        episode(
          200,
          (t) => [Math.sin(t), 0.5 * Math.cos(t)],
          (t) => [5_412_345 + 0.02 * t, Math.cos(t / 7)],
        ),
      ],
      [['warn', 'coarse numbers']],
      /step_position \(steps of 0\.5 rad\)/,
    ],
    [
      'a feature that never changes',
      [
        episode(
          200,
          (t) => [Math.sin(t), 0.5 * Math.cos(t)],
          (t) => [t, 3],
        ),
      ],
      [['note', 'unchanging features']],
      /episode_position \(3\) never changes/,
    ],
    [
      'a feature that is the command of the step before',
      [
        episode(
          200,
          (t) => [Math.sin(t), 0.5 * Math.cos(3 * t)],
          (t) => [t, Math.sin(t - 1)],
        ),
      ],
      [['note', 'echo of the command']],
      /episode_position follows forward/,
    ],
    [
      'a beginning that stands still',
      [episode(200, (t) => (t < 60 ? [0, 0] : [Math.sin(t), 0.5 * Math.cos(t)])), good()],
      [['warn', 'idle beginning']],
      /1 of 2 episodes begin with up to 3 s of standing still/,
    ],
    [
      'two people who do it differently',
      [-0.8, 0.8].map((side) =>
        episode(
          200,
          (t) => [Math.sin(t / 9), side * Math.cos(t / 90)],
          (t) => [t, Math.cos(t / 7)],
        ),
      ),
      [['warn', 'contradicting demonstrations']],
      /differ by \d+ % of their range/,
    ],
  ])('%s', (_, episodes, expected, text) => {
    const findings = lintDemonstrations(episodes, spec);
    expect(found(findings)).toEqual(expected);
    expect(findings[0]!.found).toMatch(text);
    expect(findings[0]!.remedy).not.toBe('');
  });

  it('tells the parts of an episode that was cut as one', () => {
    const parts = [20, 24, 32].map((length) => ({ ...episode(length, () => [0.2, 0.1]), source: 'demo#0' }));
    const findings = lintDemonstrations([...parts, good()], spec).filter(({ check }) => check === 'constant action');
    expect(findings.map(({ found }) => found)).toEqual([
      'the same action 20 times (0.200, 0.100), and 2 other parts of it with an action of their own',
    ]);
  });

  it('finds recordings of which most is missing', () => {
    const recording = {
      path: 'demo',
      problems: [],
      episodes: 1,
      transitions: 100,
      discarded: 0,
      clockJumps: 0,
      undecodable: 0,
      actionTopic: '/teleop',
      splits: 20,
      duplicates: 0,
      contradictions: 0,
    };
    const lint = (missing: number): [string, string][] => {
      const ticks = { 'state missing': missing, 'state refused': 0, 'command missing': 0, 'command refused': 0 };
      return found(
        lintDemonstrations([good()], spec, { episodes: 1, transitions: 100, recordings: [{ ...recording, ticks }] }),
      );
    };
    expect([lint(5), lint(30), lint(300)]).toEqual([[], [['warn', 'mostly missing']], [['error', 'mostly missing']]]);
  });

  it('says what, where, what was expected and what to do', () => {
    const [finding] = lintDemonstrations([episode(200, () => [0.2, 0.1])], spec);
    expect(describeFinding(finding!)).toBe(
      'error: constant action in demo#200; found: the same action 200 times (0.200, 0.100); ' +
        'expected: actions that answer what is observed; to do: check that the teleoperation was on, and record the episode again',
    );
  });
});
