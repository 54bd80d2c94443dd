import { describe, expect, it } from 'vitest';
import { renderTrials, summariseTrials, type TrialResult, type TrialsData, trialTable } from '#src/report/index.js';
import { meanInterval } from '#src/report/statistics.js';

const trial = (number: number, policy: string, verdict: TrialResult['verdict'], interventions = 0): TrialResult => ({
  trial: number,
  policy,
  verdict,
  interventions,
  seconds: number,
  reason: 'the person says so',
  date: '2026-01-02T03:04:05.000Z',
});

const data: TrialsData = {
  format: 'iq_learn trials 1',
  robot: 'courier',
  description: 'Drives <parcels>.',
  trials: 3,
  seed: 5,
  policies: [
    { label: 'a', folder: 'runs/a', id: 'courier/1/aa' },
    { label: 'b', folder: 'runs/b', id: 'courier/2/bb' },
    { label: 'c', folder: 'runs/c', id: 'courier/3/cc' },
  ],
  results: [trial(1, 'a', 'success'), trial(2, 'b', 'success', 1), trial(3, 'a', 'success'), trial(4, 'b', 'failure')],
};

describe('trials on a robot', () => {
  it('are summed up by policy: one that a person helped to is not its success', () => {
    const [a, b, c] = summariseTrials(data);
    expect(a).toMatchObject({ label: 'a', trials: 2, successes: 2, rate: 1, assisted: 0, seconds: 2 });
    expect(b).toMatchObject({ trials: 2, successes: 0, rate: 0, assisted: 1, seconds: Number.NaN });
    // Wilson's interval of 2 of 2: 1 / (1 + z² / 2) … 1.
    expect(a!.interval[0]).toBeCloseTo(1 / (1 + 1.959964 ** 2 / 2), 6);
    expect(a!.interval[1]).toBe(1);
    expect(c).toMatchObject({ trials: 0, successes: 0, interval: [0, 1] });
  });

  it('are a table', () => {
    const lines = trialTable(data).split('\n');
    expect(lines[0]).toMatch(/^policy +success +95 % interval +trials +assisted +time to success$/);
    expect(lines[1]).toMatch(/^a +2 of 2 \(100 %\) +34 % … 100 % +2 +0 +2\.0 s$/);
    expect(lines[2]).toMatch(/^b +0 of 2 \(0 %\) +0 % … 66 % +2 +1 +–$/);
    expect(lines[3]).toMatch(/^c +– +– +0 +0 +–$/);
  });

  it('are a report that loads nothing, escapes what it is given, and says that it is not complete', () => {
    const page = renderTrials(data, new Date('2026-01-02T03:04:05Z'));
    expect(page).toContain('Drives &lt;parcels&gt;.');
    expect(page).not.toMatch(/<script|https?:\/\//);
    expect(page).toContain('4 of 9 trials');
    expect(page).toContain('The evaluation is not complete');
    expect(page).toContain('courier/2/bb');
    expect(page.match(/<tr><td>\d/g)).toHaveLength(4);
  });
});

describe('trials in the simulation', () => {
  const episode = (seed: number, total: number, success: boolean) => ({
    ...{ seed, return: total, length: 20, success, terminated: false },
  });
  const simulated: TrialsData = {
    ...data,
    simulation: { hasSuccess: true },
    results: [
      { ...trial(1, 'a', 'success'), episode: episode(1, 4, true) },
      { ...trial(2, 'b', 'failure'), episode: episode(1, 1, false) },
      { ...trial(3, 'a', 'failure'), episode: episode(2, 2, false) },
    ],
  };

  it('have returns with the interval of their mean, and nobody who helps', () => {
    const [head, a, b, c] = trialTable(simulated).split('\n');
    expect(head).toMatch(/success +95 % interval +time to success +return .* +95 % interval of the mean +trials$/);
    // Mean 3, deviation √2, of two: 3 ± 12.706.
    expect(a).toMatch(/^a +1 of 2 \(50 %\) +9 % … 91 % +1\.0 s +3\.00 ± 1\.41 +−9\.71 … 15\.7 +2$/);
    expect(b).toMatch(/^b +0 of 1 \(0 %\) .* +– +1$/);
    expect(c).toMatch(/^c +– +– +– +– +– +0$/);
    const page = renderTrials(simulated, new Date('2026-01-02T03:04:05Z'));
    expect(page).toContain('3 policies in the simulation');
    expect(page).not.toMatch(/took over|Took over|on the robot/);
    expect(page).toContain('class="dot"');
  });

  it('are judged by their return where the task knows no success', () => {
    const [head, a] = trialTable({ ...simulated, simulation: { hasSuccess: false } }).split('\n');
    expect(head).not.toContain('success');
    expect(head).toMatch(/lowest +ended early +trials$/);
    expect(a).toMatch(/ 2\.00 +0 +2$/);
  });

  it.each([
    [2, 12.7062],
    [3, 4.30265],
    [4, 3.18245],
    [6, 2.57058],
    [20, 2.09302],
    [101, 1.98397],
  ])('the interval of the mean of %i returns is that of Student', (episodes, quantile) => {
    const [low, high] = meanInterval({ episodes, mean: 5, deviation: Math.sqrt(episodes) });
    expect(Math.abs((high - 5) / quantile - 1)).toBeLessThan(0.003);
    expect(low + high).toBeCloseTo(10, 9);
  });
});
