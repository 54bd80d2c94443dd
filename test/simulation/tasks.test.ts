import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { createTask, type Task, taskNames } from '#src/simulation/index.js';

const OWN = ['hopper', 'halfcheetah', 'walker2d', 'ant', 'cartpole', 'gridworld'] as const;

const actions = (task: Task, seed: number, count: number): Float64Array[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () =>
    task.actionSpace.kind === 'box'
      ? Float64Array.from(task.actionSpace.dimensions, ({ low, high }) => random.uniform(low, high))
      : Float64Array.of(random.integer(task.actionSpace.n)),
  );
};

describe.each([...OWN, 'rover'])('%s keeps the contract of a task', (name) => {
  let task: Task;
  beforeAll(async () => {
    task = await createTask(name);
  });
  afterAll(() => task.close());

  it('describes itself: unique names, units, finite times', () => {
    const names = task.observationSpace.dimensions.map((d) => d.name);
    expect(new Set(names).size).toBe(names.length);
    expect(task.observationSpace.dimensions.every((d) => d.unit !== '' && d.low < d.high)).toBe(true);
    expect(task.reset(0).length).toBe(names.length);
    expect(task.stepSeconds).toBeGreaterThan(0);
    expect(task.scene().length).toBeGreaterThan(1);
  });

  it('is the same bit for bit in two instances', async () => {
    const other = await createTask(name);
    expect(other.reset(3)).toEqual(task.reset(3));
    for (const action of actions(task, 1, 120)) {
      const step = task.step(action);
      expect(other.step(action)).toEqual(step);
    }
    expect(other.snapshot()).toEqual(task.snapshot());
    expect(other.sense()).toEqual(task.sense());
    other.close();
  });

  it('starts as the seed says, whatever came before', () => {
    const first = task.reset(5);
    task.step(actions(task, 2, 1)[0]!);
    expect(task.reset(5)).toEqual(first);
    const starts = new Set(Array.from({ length: 40 }, (_, seed) => task.reset(seed).join()));
    expect(starts.size).toBeGreaterThan(name === 'gridworld' ? 10 : 39);
  });

  it('replays exactly from a snapshot', () => {
    task.reset(7);
    const [lead, tail] = [actions(task, 3, 30), actions(task, 4, 40)];
    for (const action of lead) task.step(action);
    const state = task.snapshot();
    const first = tail.map((action) => task.step(action));
    task.reset(8);
    task.restore(state);
    expect(task.snapshot()).toEqual(state);
    expect(tail.map((action) => task.step(action))).toEqual(first);
  });

  it('refuses an action or snapshot that is none, and changes nothing', () => {
    task.reset(9);
    const before = task.snapshot();
    const good = actions(task, 5, 1)[0]!;
    const bad = [good.map(() => Number.NaN), good.map(() => Number.POSITIVE_INFINITY), Float64Array.of(...good, 0), []];
    for (const action of bad)
      expect(() => task.step(action)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => task.restore(before.subarray(1))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => task.restore(before.map(() => Number.NaN))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(task.snapshot()).toEqual(before);
  });
});

describe.each([...OWN, 'rover'])('%s', (name) => {
  it('refuses options and seeds that are none', async () => {
    const task = await createTask(name);
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 32])
      expect(() => task.reset(seed)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    task.close();
    await expect(createTask(name, { maxStep: 3 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      remedy: "did you mean 'maxSteps'?",
    });
    await expect(createTask(name, { maxSteps: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('terminated and truncated', () => {
  it('a falling hopper and a tipping pole terminate and are not truncated', async () => {
    for (const [name, action] of [
      ['hopper', [1, 1, 1]],
      ['walker2d', [1, -1, 1, -1, 1, -1]],
      ['cartpole', [1]],
    ] as const) {
      const task = await createTask(name);
      task.reset(0);
      let step = task.step(action);
      for (let i = 1; i < 400 && !step.terminated; i++) step = task.step(action);
      expect(step).toMatchObject({ terminated: true, truncated: false, success: false });
      task.close();
    }
  });

  it('a cheetah never terminates; the time limit truncates it, after a restore too', async () => {
    const task = await createTask('halfcheetah', { maxSteps: 20 });
    const flags = () => {
      const { terminated, truncated } = task.step([1, -1, 1, -1, 1, -1]);
      return [terminated, truncated];
    };
    task.reset(0);
    for (let i = 1; i < 20; i++) expect(flags()).toEqual([false, false]);
    const last = task.snapshot();
    expect(flags()).toEqual([false, true]);
    task.reset(1);
    expect(flags()).toEqual([false, false]);
    task.restore(last);
    expect(flags()).toEqual([false, true]);
    task.close();
    expect((await createTask('walker2d')).maxSteps).toBe(1000);
    expect((await createTask('cartpole')).maxSteps).toBe(500);
  });

  it('can be both at once', async () => {
    const task = await createTask('cartpole', { maxSteps: 1 });
    task.restore(Float64Array.of(0, 2.399, 3, 0, 0, 0));
    expect(task.step([1])).toMatchObject({ terminated: true, truncated: true });
  });
});

describe('locomotion', () => {
  it('reads the joints from which the observation can be made again', async () => {
    for (const name of ['hopper', 'halfcheetah', 'walker2d']) {
      const task = await createTask(name);
      task.reset(1);
      const { observation } = actions(task, 6, 25)
        .map((action) => task.step(action))
        .at(-1)!;
      const { names, position, velocity } = task.sense().joints!;
      const rebuilt = task.observationSpace.dimensions.map(({ name: dimension, low, high }) => {
        const [, joint, what] = /^(.*)_(position|velocity)$/.exec(dimension)!;
        const value = (what === 'position' ? position : velocity)[names.indexOf(joint!)]!;
        return Math.min(high, Math.max(low, value));
      });
      expect(Float64Array.from(rebuilt)).toEqual(observation);
      expect(names.slice(0, 3)).toEqual(['rootx', 'rootz', 'rooty']);
      task.close();
    }
  });

  it('clamps the motors and not the cost', async () => {
    const task = await createTask('halfcheetah');
    task.reset(2);
    const state = task.snapshot();
    const full = task.step([1, 1, 1, 1, 1, 1]);
    task.restore(state);
    const beyond = task.step([2, 2, 2, 2, 2, 2]);
    expect(beyond.observation).toEqual(full.observation);
    expect(full.reward - beyond.reward).toBeCloseTo(0.1 * 6 * 3, 12);
    task.close();
  });

  it('starts with noise of the published size', async () => {
    for (const [name, scale, uniform] of [
      ['hopper', 0.005, true],
      ['halfcheetah', 0.1, false],
      ['ant', 0.1, false],
    ] as const) {
      const task = await createTask(name);
      const velocities = Array.from({ length: 200 }, (_, seed) => {
        task.reset(seed);
        return Array.from(task.sense().joints!.velocity);
      }).flat();
      const deviation = Math.sqrt(velocities.reduce((sum, v) => sum + v * v, 0) / velocities.length);
      expect(deviation / (uniform ? scale / Math.sqrt(3) : scale)).toBeCloseTo(1, 1);
      expect(velocities.every((v) => Math.abs(v) <= scale)).toBe(uniform);
      task.close();
    }
  });

  it('does not know a version of its own making', async () => {
    await expect(createTask('hopper', { version: 'v6' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(createTask('ant', { version: 'v5' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

it('proposes the nearest task for an unknown name', async () => {
  expect(taskNames()).toEqual(expect.arrayContaining([...OWN, 'rover', 'arm']));
  await expect(createTask('hoper')).rejects.toMatchObject({ code: 'NOT_FOUND', remedy: "did you mean 'hopper'?" });
  await expect(createTask('constructor')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('200 tasks made and closed leave the memory as it was', async () => {
  for (let i = 0; i < 20; i++) (await createTask('hopper')).close();
  const before = process.memoryUsage();
  for (let i = 0; i < 200; i++) {
    const task = await createTask('hopper');
    task.step([0, 0, 0]);
    task.close();
  }
  const after = process.memoryUsage();
  // One hopper's arena alone is 1 MB.
  expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(20e6);
  expect(after.rss - before.rss).toBeLessThan(100e6);
});
