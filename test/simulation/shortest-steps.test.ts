import { describe, expect, it } from 'vitest';
import { createTask } from '#src/simulation/index.js';

/** The half-cheetah: no fall ends its episodes. */
const create = (options: Record<string, unknown>) => createTask('halfcheetah', options);

type Cheetah = Awaited<ReturnType<typeof create>>;

/** Steps until the episode is truncated. */
function stepsOf(task: Cheetah): number {
  for (let steps = 1; ; steps++) if (task.step(new Array(6).fill(0)).truncated) return steps;
}

describe('episodes whose number of steps is drawn', () => {
  it('have between shortestSteps and maxSteps, the same for the same seed, half of them below the geometric mean', async () => {
    const task = await create({ shortestSteps: 4, maxSteps: 64 });
    try {
      const lengths = Array.from({ length: 60 }, (_, seed) => {
        task.reset(seed);
        return stepsOf(task);
      });
      expect(Math.min(...lengths)).toBeGreaterThanOrEqual(4);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(64);
      expect(Math.max(...lengths)).toBeGreaterThan(48);
      const short = lengths.filter((length) => length < 16).length;
      expect(short).toBeGreaterThan(20);
      expect(short).toBeLessThan(40);
      task.reset(7);
      expect(stepsOf(task)).toBe(lengths[7]);
    } finally {
      task.close();
    }
  });

  it('go on from a snapshot in another task to the same end', async () => {
    const [one, other] = [
      await create({ shortestSteps: 4, maxSteps: 64 }),
      await create({ shortestSteps: 4, maxSteps: 64 }),
    ];
    try {
      for (let seed = 0; seed < 10; seed++) {
        one.reset(seed);
        one.step(new Array(6).fill(0.1));
        other.reset(seed + 100);
        other.restore(one.snapshot());
        expect(stepsOf(other)).toBe(stepsOf(one));
      }
    } finally {
      one.close();
      other.close();
    }
  });

  it('have maxSteps where nothing else is asked for, or where that is less', async () => {
    for (const options of [{ maxSteps: 9 }, { maxSteps: 9, shortestSteps: 12 }]) {
      const task = await create(options);
      try {
        for (const seed of [1, 2, 3]) {
          task.reset(seed);
          expect(stepsOf(task)).toBe(9);
        }
      } finally {
        task.close();
      }
    }
  });
});
