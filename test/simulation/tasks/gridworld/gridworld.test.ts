import { describe, expect, it } from 'vitest';
import { createTask } from '#src/simulation/index.js';
import { GRID_SIDE, gridworldMdp } from '#src/simulation/tasks/gridworld/mdp.js';

describe('gridworld', () => {
  it.each([0, 0.3])('is a proper Markov decision process (slip %d)', (slip) => {
    const { states, actions, transition, reward, initial } = gridworldMdp(slip);
    expect([states, actions, transition.length, reward.length]).toEqual([25, 5, 25 * 5 * 25, 25 * 5]);
    for (let row = 0; row < states * actions; row++) {
      const probabilities = transition.subarray(row * states, (row + 1) * states);
      expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      expect(Math.min(...probabilities)).toBeGreaterThanOrEqual(0);
    }
    expect(initial.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(Array.from(reward).flatMap((r, i) => (r > 0 ? [Math.floor(i / actions)] : []))).toEqual([
      ...Array(5).fill(0),
      ...Array(5).fill(GRID_SIDE * GRID_SIDE - 1),
    ]);
  });

  it('acts as its matrix says, with slips as often as told', async () => {
    const slip = 0.4;
    const { states, actions, transition, reward } = gridworldMdp(slip);
    const task = await createTask('gridworld', { slip, maxSteps: 1e9 });
    const counts = new Float64Array(transition.length);
    const visits = new Float64Array(states * actions);
    let cell = task.reset(1).indexOf(1);
    let wrong = 0;
    for (let i = 0; i < 60_000; i++) {
      const action = (i * 7 + (i >> 3)) % actions;
      const step = task.step([action]);
      const row = cell * actions + action;
      if (step.reward !== reward[row] || step.terminated || step.truncated) wrong += 1;
      cell = step.observation.indexOf(1);
      counts[row * states + cell]! += 1;
      visits[row]! += 1;
    }
    expect(wrong).toBe(0);
    let furthest = 0;
    for (let i = 0; i < counts.length; i++) {
      const n = visits[Math.floor(i / states)]!;
      const p = transition[i]!;
      // In standard deviations; an impossible move or a certain one leaves no room at all.
      const deviation = Math.sqrt(n * p * (1 - p));
      furthest = Math.max(furthest, Math.abs(counts[i]! - n * p) / (deviation > 1e-6 ? deviation : 1e-9));
    }
    expect(Math.min(...visits)).toBeGreaterThan(50);
    expect(furthest).toBeLessThan(5);
  });

  it('starts everywhere alike', async () => {
    const task = await createTask('gridworld');
    const counts = new Float64Array(25);
    for (let seed = 0; seed < 2500; seed++) counts[task.reset(seed).indexOf(1)]! += 1;
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(50);
  });

  it('refuses a slip that is not a probability', async () => {
    await expect(createTask('gridworld', { slip: 1.5 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
