import { describe, expect, it } from 'vitest';
import { ActionRange, vectorObservation } from '#src/common/index.js';
import { createExpert, createTask, environmentOf } from '#src/simulation/index.js';
import { gridworldMdp } from '#src/simulation/tasks/gridworld/mdp.js';
import { softSolution } from '#src/simulation/tasks/gridworld/solution.js';

describe('the environment of a task', () => {
  it('takes a discrete action as a one-hot vector: as many limits as actions', async () => {
    const [task, other] = [await createTask('cartpole'), await createTask('cartpole')];
    const environment = environmentOf(task);
    expect(environment).toMatchObject({
      observation: vectorObservation(4),
      actionRange: new ActionRange([0, 0], [1, 1]),
      discrete: true,
    });
    expect(await environment.reset(3)).toEqual(other.reset(3));
    for (const action of [0, 1, 1, 0])
      expect(await environment.step(action === 0 ? [1, 0] : [0, 1])).toEqual(other.step([action]));
  });

  it('takes a continuous action as it is', async () => {
    const task = await createTask('hopper');
    expect(environmentOf(task)).toMatchObject({
      observation: vectorObservation(11),
      actionRange: new ActionRange([-1, -1, -1], [1, 1, 1]),
      discrete: false,
    });
    task.close();
  });

  it('refuses an action without limits with a code, not with a bare RangeError', async () => {
    const task = await createTask('cartpole');
    const dimensions = [{ name: 'force', unit: 'N', low: Number.NEGATIVE_INFINITY, high: 1 }];
    const unlimited = { ...task, actionSpace: { kind: 'box', dimensions } } as never;
    expect(() => environmentOf(unlimited)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

describe('experts of discrete tasks', () => {
  it('the controller of the cart balances the pole for all 500 steps from 50 starts', async () => {
    const task = await createTask('cartpole');
    const expert = createExpert('cartpole');
    for (let seed = 0; seed < 50; seed++) {
      let observation = task.reset(seed);
      let steps = 0;
      for (let ended = false; !ended; steps++) {
        const step = task.step(expert.act(observation));
        observation = step.observation;
        ended = step.terminated || step.truncated;
      }
      expect(steps).toBe(500);
    }
  });

  it('the gridworld is solved exactly: soft Bellman equation, probabilities that add up, a way to a corner', () => {
    const mdp = gridworldMdp(0.2);
    const [gamma, temperature] = [0.9, 0.3];
    const { q, v, policy } = softSolution(mdp, { gamma, temperature });
    for (let s = 0; s < mdp.states; s++) {
      const own = Array.from({ length: mdp.actions }, (_, a) => s * mdp.actions + a);
      expect(own.reduce((sum, row) => sum + policy[row]!, 0)).toBeCloseTo(1, 9);
      expect(temperature * Math.log(own.reduce((sum, row) => sum + Math.exp(q[row]! / temperature), 0))).toBeCloseTo(
        v[s]!,
        9,
      );
      for (const row of own) {
        let next = 0;
        for (let to = 0; to < mdp.states; to++) next += mdp.transition[row * mdp.states + to]! * v[to]!;
        expect(q[row]).toBeCloseTo(mdp.reward[row]! + gamma * next, 8);
      }
    }
    expect(v.indexOf(Math.max(...v)) % 24).toBe(0);
  });

  it('draws from the exact policy, the same way for the same seed', async () => {
    const task = await createTask('gridworld');
    const returns = (first: number): number[] =>
      Array.from({ length: 20 }, (_, i) => {
        const expert = createExpert('gridworld');
        let observation = task.reset(first + i);
        expert.reset(first + i);
        let total = 0;
        for (let t = 0; t < 50; t++) {
          const step = task.step(expert.act(observation));
          observation = step.observation;
          total += step.reward;
        }
        return total;
      });
    expect(returns(5)).toEqual(returns(5));
    expect(Math.min(...returns(100))).toBeGreaterThan(40);
  });
});
