import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import { identityNormalisation, Learner, learnerConfig } from '#src/learning/index.js';
import { createExpert, Gymnasium, type GymnasiumOptions, gymnasiumEnvironment } from '#src/simulation/index.js';
import { EnvironmentTrainer } from '#src/training/index.js';

const python = `${process.env.IQ_LEARN_PYTHON_VENV ?? '.venv-test'}/bin/python`;
const available = (() => {
  try {
    execFileSync(python, ['-c', 'import gymnasium'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const open: Gymnasium[] = [];
const connect = async (id: string, options: GymnasiumOptions = {}): Promise<Gymnasium> => {
  const gymnasium = await Gymnasium.connect(id, { python, ...options });
  open.push(gymnasium);
  return gymnasium;
};
afterEach(async () => {
  for (const gymnasium of open.splice(0)) await gymnasium.close();
});

const folder = mkdtempSync(join(tmpdir(), 'gymnasium-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Whether a process is there; a zombie is. */
const lives = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** A module that registers environments made for these tests, for `gymnasium.make('module:Name-v0')`. */
function ownEnvironments(): void {
  writeFileSync(
    join(folder, 'own_environments.py'),
    `
import os, time
import gymnasium as gym
import numpy as np

class Camera(gym.Env):
    observation_space = gym.spaces.Dict({
        "camera": gym.spaces.Box(0, 255, (3, 4, 3), np.uint8),
        "speed": gym.spaces.Box(-np.inf, np.inf, (2,), np.float64),
    })
    action_space = gym.spaces.Discrete(3, start=5)
    def look(self, value):
        return {"camera": np.full((3, 4, 3), value, np.uint8), "speed": np.array([value, -value], np.float64)}
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        print("an environment that prints", flush=True)
        return self.look(seed), {}
    def step(self, action):
        return self.look(200 + int(action)), float("nan"), False, True, {}

class Bad(gym.Env):
    observation_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {}
    def step(self, action):
        if action[0] > 0.5: os._exit(7)
        if action[0] > 0: raise ValueError("a step that fails")
        time.sleep(1000)

gym.register("Camera-v0", Camera, disable_env_checker=True, order_enforce=False)
gym.register("Bad-v0", Bad, disable_env_checker=True, order_enforce=False)
`,
  );
  process.env.PYTHONPATH = folder;
}

describe.skipIf(!available)('gymnasium in a Python process', () => {
  it('plays CartPole-v1 as cartpole is played here: the expert of one balances the other', async () => {
    const gymnasium = await connect('CartPole-v1');
    expect(gymnasium).toMatchObject({ actions: { kind: 'discrete', n: 2 }, maxSteps: 500, actionSize: 1 });
    const environment = gymnasiumEnvironment(gymnasium);
    const expert = createExpert('cartpole');
    let observation = (await environment.reset(3)) as Float32Array;
    expect(observation).toEqual(await environment.reset(3));
    let steps = 0;
    for (let ended = false; !ended; steps++) {
      const [action] = expert.act(observation);
      const step = await environment.step(action === 0 ? [1, 0] : [0, 1]);
      expect(step.reward).toBe(1);
      observation = step.observation as Float32Array;
      ended = step.terminated || step.truncated;
    }
    expect(steps).toBe(500);
  }, 60_000);

  it('steps several environments together, each with its own episode', async () => {
    const [both, one] = [await connect('Pendulum-v1', { environments: 2 }), await connect('Pendulum-v1')];
    expect(both.actions).toEqual({ kind: 'box', low: [-2], high: [2] });
    const [first, second] = [await both.reset(0, 1), await both.reset(1, 2)];
    expect(first).not.toEqual(second);
    expect(await one.reset(0, 2)).toEqual(second);
    for (let t = 0; t < 5; t++) expect((await both.step([[0.5], [-1]]))[1]).toEqual((await one.step([[-1]]))[0]);
    await expect(both.step([[1]])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }, 60_000);

  it('carries images as bytes beside vectors, discrete actions with an offset, and survives what is printed', async () => {
    ownEnvironments();
    const gymnasium = await connect('own_environments:Camera-v0');
    expect(gymnasium.observation).toMatchObject([
      { name: 'camera', shape: [3, 4, 3], dtype: 'uint8', normalise: 'unit' },
      { name: 'speed', shape: [2], dtype: 'float32', normalise: 'standard' },
    ]);
    expect(await gymnasium.reset(0, 9)).toEqual({ camera: new Uint8Array(36).fill(9), speed: Float32Array.of(9, -9) });
    const [step] = await gymnasium.step([[2]]);
    expect(step).toEqual({
      observation: { camera: new Uint8Array(36).fill(207), speed: Float32Array.of(207, -207) },
      reward: Number.NaN,
      terminated: false,
      truncated: true,
    });
    const environment = gymnasiumEnvironment(gymnasium);
    expect(environment.observation).toBe(gymnasium.observation);
    expect((await environment.step([0, 0, 1])).observation).toEqual(step!.observation);
  }, 60_000);

  it('reports a step that fails, and lives; reports a child that dies, once for all calls', async () => {
    ownEnvironments();
    const gymnasium = await connect('own_environments:Bad-v0');
    await gymnasium.reset(0, 0);
    await expect(gymnasium.step([[0.2]])).rejects.toThrow(/a step that fails/);
    await gymnasium.reset(0, 0);
    const died = { code: 'UNAVAILABLE', message: expect.stringContaining('ended with code 7') };
    await expect(gymnasium.step([[1]])).rejects.toMatchObject(died);
    await expect(gymnasium.reset(0, 0)).rejects.toMatchObject(died);
  }, 60_000);

  it('ends a child that hangs with one clear error, and leaves no process', async () => {
    ownEnvironments();
    const gymnasium = await connect('own_environments:Bad-v0', { timeoutMs: 500 });
    const pid = gymnasium.pid!;
    await gymnasium.reset(0, 0);
    await expect(gymnasium.step([[-1]])).rejects.toMatchObject({ code: 'TIMEOUT' });
    await gymnasium.close();
    expect(lives(pid)).toBe(false);
  }, 60_000);

  it('leaves no process when it is closed', async () => {
    const gymnasium = await connect('CartPole-v1');
    const pid = gymnasium.pid!;
    expect(lives(pid)).toBe(true);
    await gymnasium.close();
    expect(lives(pid)).toBe(false);
    await sleep(0);
    await expect(gymnasium.reset(0, 0)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  }, 60_000);

  it('names an environment that does not exist, spaces that cannot be learned, and wrong options', async () => {
    await expect(connect('CartPoel-v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(connect('Blackjack-v1')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(connect('CartPole-v1', { options: { foo: 1 } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }, 60_000);

  it('is trained in by the environment trainer, and resumed in the middle of an episode bit for bit', async () => {
    const environment = async () => gymnasiumEnvironment(await connect('Pendulum-v1'));
    const whole = await EnvironmentTrainer.create({
      learner: await Learner.create({
        config: learnerConfig({ agent: 'sac', hiddenSizes: [8], batchSize: 8, bufferSize: 500 }),
        observation: vectorObservation(3),
        actionSize: 1,
        normalisation: identityNormalisation(3),
        seed: 1,
        threads: 1,
      }),
      environment: await environment(),
      seed: 2,
      randomSteps: 20,
      updateAfter: 20,
      updatesPerStep: 1,
    });
    for (let i = 0; i < 230; i++) await whole.step();
    const resumed = await EnvironmentTrainer.resume(structuredClone(await whole.checkpoint()), await environment(), {
      threads: 1,
    });
    for (let i = 0; i < 30; i++) expect(await resumed.step()).toEqual(await whole.step());
    await whole.dispose();
    await resumed.dispose();
  }, 120_000);
});

it('says how to install what is missing: Python, or the package', async () => {
  await expect(Gymnasium.connect('CartPole-v1', { python: 'no-such-python' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    remedy: expect.stringContaining('PYTHON='),
  });
  const bare = join(folder, 'bare-python');
  // A Python without any packages of its own.
  writeFileSync(bare, '#!/bin/sh\nexec python3 -S -E "$@"\n', { mode: 0o755 });
  await expect(Gymnasium.connect('CartPole-v1', { python: bare })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    found: expect.stringContaining('No module named'),
    remedy: expect.stringMatching(/-m pip install "gymnasium\[classic-control\]"$/),
  });
}, 60_000);

const installed = (modules: string): boolean => {
  try {
    execFileSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(!installed('gymnasium, mujoco'))('an environment of MuJoCo', () => {
  it('goes on from a snapshot as it went on before', async () => {
    const environment = gymnasiumEnvironment(await connect('Hopper-v5'));
    const action = [0.3, -0.5, 0.2];
    await environment.reset(3);
    for (let t = 0; t < 5; t++) await environment.step(action);
    const state = await environment.snapshot!();
    const drive = async (): Promise<unknown[]> => {
      const steps: unknown[] = [];
      for (let t = 0; t < 6; t++) steps.push(await environment.step(action));
      return steps;
    };
    const before = await drive();
    await environment.reset(9);
    await environment.restore!(state);
    expect(await drive()).toEqual(before);
  }, 60_000);
});
