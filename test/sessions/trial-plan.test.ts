import { describe, expect, it } from 'vitest';
import { policyLabels, trialOrder } from '#src/sessions/trial-plan.js';

describe('the order of an evaluation', () => {
  it('has every policy once in each round, in an order that the seed alone determines', () => {
    const order = trialOrder(['a', 'b', 'c'], 200, 7);
    expect(order).toHaveLength(600);
    for (let i = 0; i < order.length; i += 3) expect(order.slice(i, i + 3).sort()).toEqual(['a', 'b', 'c']);
    expect(trialOrder(['a', 'b', 'c'], 200, 7)).toEqual(order);
    expect(trialOrder(['a', 'b', 'c'], 200, 8)).not.toEqual(order);
    // Each of the six orders is as likely: 200 rounds, 33 expected, standard deviation 5.3.
    const rounds = new Map<string, number>();
    for (let i = 0; i < order.length; i += 3) {
      const round = order.slice(i, i + 3).join('');
      rounds.set(round, (rounds.get(round) ?? 0) + 1);
    }
    expect(rounds.size).toBe(6);
    for (const count of rounds.values()) expect(Math.abs(count - 33)).toBeLessThan(27);
  });
});

describe('the names of policies', () => {
  it.each([
    [
      ['runs/a/policy', 'runs/b/policy/'],
      ['a', 'b'],
    ],
    [
      ['runs/a', 'runs/b'],
      ['a', 'b'],
    ],
    [
      ['x/one/policy', 'y/one/policy'],
      ['x/one', 'y/one'],
    ],
    [['runs/mine/policy'], ['mine']],
    [['policy'], ['policy']],
    [
      ['policy', 'old/policy'],
      ['policy', 'old/policy'],
    ],
  ])('%j are %j', (folders, labels) => {
    expect(policyLabels(folders)).toEqual(labels);
  });

  it('are not there for a policy that is given twice', () => {
    expect(() => policyLabels(['runs/a', './runs/a'])).toThrow(/given twice/);
  });
});
