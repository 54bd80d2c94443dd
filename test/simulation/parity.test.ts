import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTask, LocomotionTask } from '#src/simulation/index.js';

// Made by bench/parity/reference.py --states 8 --seed 7 from gymnasium itself; `npm run bench -- parity` does it at large.
interface Golden {
  readonly tasks: readonly {
    readonly name: string;
    readonly version: string;
    readonly model?: { joints: string[]; arrays: Record<string, number[]>; options: Record<string, number> };
    readonly cases: readonly {
      readonly state: number[];
      readonly action: number[];
      readonly observation: number[];
      readonly reward: number;
      readonly terminated: boolean;
    }[];
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/simulation/gymnasium.json', import.meta.url), 'utf8'),
) as Golden;
const TOLERANCE = 1e-9;

/** The largest difference of one step from each of the golden states. */
async function oneStep(task: Golden['tasks'][number], version = task.version): Promise<number> {
  const ours = await createTask(task.name, task.name === 'cartpole' ? {} : { version });
  let largest = 0;
  for (const { state, action, observation, reward, terminated } of task.cases) {
    ours.restore(Float64Array.of(0, ...state, ...(task.name === 'cartpole' ? [0] : [])));
    const step = ours.step(action);
    if (version === task.version) expect(step.terminated).toBe(terminated);
    expect(step.observation.length).toBe(observation.length);
    observation.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(step.observation[i]! - value));
    });
    largest = Math.max(largest, Math.abs(step.reward - reward));
  }
  ours.close();
  return largest;
}

describe.each(golden.tasks)('$name $version against gymnasium', (task) => {
  it('steps alike from the same full state', async () => {
    expect(task.cases.length).toBeGreaterThanOrEqual(8);
    expect(await oneStep(task)).toBeLessThan(TOLERANCE);
  });
});

describe.each(golden.tasks.filter(({ model }) => model !== undefined))('$name $version', (task) => {
  it('has a model of the same constants as gymnasium', async () => {
    const model = task.model!;
    const ours = await createTask(task.name, { version: task.version });
    if (!(ours instanceof LocomotionTask)) throw new Error('not a locomotion task');
    expect(ours.physics.jointNames()).toEqual(model.joints);
    for (const [name, value] of Object.entries(model.options)) expect(ours.physics.option(name), name).toBe(value);
    const arrays = Object.entries(model.arrays).filter(([key]) => /^[a-z]+_[a-z0-9]+$/.test(key));
    expect(arrays.length).toBeGreaterThan(30);
    for (const [name, values] of arrays) {
      const found = ours.physics.model(name);
      expect(found.length, name).toBe(values.length);
      const differences = values.map((value, i) => Math.abs(found[i]! - value));
      expect(Math.max(...differences), name).toBeLessThan(TOLERANCE);
    }
    ours.close();
  });
});

it('would notice a foot of another friction: Walker2d v5 is not v4', async () => {
  const v5 = golden.tasks.find(({ name, version }) => name === 'walker2d' && version === 'v5')!;
  expect(await oneStep(v5, 'v4')).toBeGreaterThan(1e-3);
});

it('pays for being alive as the version says: the golden rewards of a fall differ by 1', () => {
  const cases = (version: string) => golden.tasks.find((t) => t.name === 'hopper' && t.version === version)!.cases;
  const fallen = cases('v4').findIndex(({ terminated }) => terminated);
  expect(fallen).toBeGreaterThanOrEqual(0);
  expect(cases('v4')[fallen]!.state).toEqual(cases('v5')[fallen]!.state);
  expect(cases('v4')[fallen]!.reward - cases('v5')[fallen]!.reward).toBeCloseTo(1, 9);
});

interface Recorded {
  readonly qpos: readonly number[][];
  readonly qvel: readonly number[][];
  readonly action: readonly number[][];
  readonly reward: readonly number[];
}

describe('an ant of gymnasium that an agent drove', () => {
  const recorded = JSON.parse(
    readFileSync(new URL('../golden/simulation/ant-trpo.json', import.meta.url), 'utf8'),
  ) as Recorded;

  /** The differences of observations and of rewards, when our ant starts like the recorded one and gets its actions. */
  async function replay(actions: readonly number[][]): Promise<{ observation: number; reward: number }> {
    const task = await createTask('ant');
    const start = task.snapshot().fill(0);
    start.set([0, 0, ...recorded.qpos[0]!, ...recorded.qvel[0]!]);
    start[start.length - 1] = recorded.qpos[0]![0]!;
    task.restore(start);
    let [observation, reward] = [0, 0];
    actions.forEach((action, i) => {
      const step = task.step(action);
      const expected = [...recorded.qpos[i + 1]!.slice(2), ...recorded.qvel[i + 1]!];
      expect(step.observation.length).toBe(expected.length);
      for (const [j, value] of expected.entries())
        observation = Math.max(observation, Math.abs(step.observation[j]! - value));
      reward = Math.max(reward, Math.abs(step.reward - recorded.reward[i]!));
    });
    task.close();
    return { observation, reward };
  }

  it('does the same here under the same actions, one step after the other', async () => {
    const { observation, reward } = await replay(recorded.action);
    // Actions and rewards are recorded in single precision: gymnasium itself, given these actions, is 2.7e-7 off.
    expect(observation).toBeLessThan(5e-7);
    expect(reward).toBeLessThan(5e-7);
  });

  it('would do something else if the motors were in another order', async () => {
    const { observation } = await replay(recorded.action.map((action) => [...action.slice(2), ...action.slice(0, 2)]));
    expect(observation).toBeGreaterThan(0.1);
  });
});
