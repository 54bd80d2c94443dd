import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createTask, createTaskClient, WorkerTaskClient } from '#src/simulation/index.js';

const UNAVAILABLE = { code: 'UNAVAILABLE' };

/** A worker that speaks the protocol until it is stepped, and then does `deed`. */
const saboteur = (deed: string): Worker =>
  new Worker(
    `const { parentPort } = require('node:worker_threads');
     parentPort.postMessage({ id: 0, result: { name: 'saboteur', stepSeconds: 1, maxSteps: 1 } });
     parentPort.on('message', ({ id, operation }) => { if (operation === 'step') { ${deed} } });`,
    { eval: true, stderr: true },
  );

describe('a task in a worker', () => {
  it.each(['hopper', 'cartpole'])('does what %s does here, bit for bit', async (name) => {
    const task = await createTask(name, { maxSteps: 60 });
    const client = await createTaskClient(name, { maxSteps: 60 });
    expect(client.name).toBe(name);
    expect(client.observationSpace).toEqual(task.observationSpace);
    expect(client.actionSpace).toEqual(task.actionSpace);
    expect([client.stepSeconds, client.maxSteps]).toEqual([task.stepSeconds, 60]);
    const start = await client.reset(4);
    expect(start).toEqual({ observation: task.reset(4), readings: task.sense() });
    const length = task.actionSpace.kind === 'box' ? task.actionSpace.dimensions.length : 1;
    let state: Float64Array = new Float64Array();
    for (let i = 0; i < 60; i++) {
      const action = Float64Array.from({ length }, (_, j) => (name === 'cartpole' ? i % 2 : Math.sin(i + j)));
      const here = task.step(action);
      expect(await client.step(action)).toEqual({ ...here, readings: task.sense() });
      if (i === 30) {
        state = task.snapshot();
        expect(await client.snapshot()).toEqual(state);
      }
    }
    await client.restore(state);
    expect(await client.snapshot()).toEqual(state);
    expect(await client.scene()).toHaveLength(task.scene().length);
    await client.close();
    task.close();
  });

  it('passes the task’s own errors on, whole, and lives', async () => {
    const client = await createTaskClient('hopper');
    const here = await createTask('hopper');
    const first = await client.reset(0);
    let thrown: unknown;
    try {
      here.step([0, Number.NaN, 0]);
    } catch (error) {
      thrown = error;
    }
    const { code, message, found, expected } = thrown as Record<string, string>;
    await expect(client.step([0, Number.NaN, 0])).rejects.toMatchObject({ code, message, found, expected });
    expect(await client.reset(0)).toEqual(first);
    await client.close();
    here.close();
  });

  it('answers calls in the order they are made', async () => {
    const client = await createTaskClient('gridworld');
    const [reset, ...steps] = await Promise.all([
      client.reset(1),
      client.step([1]),
      client.step([3]),
      client.step([2]),
    ]);
    const task = await createTask('gridworld');
    expect(reset.observation).toEqual(task.reset(1));
    expect(steps.map((s) => s.observation)).toEqual([[1], [3], [2]].map((a) => task.step(a).observation));
    await client.close();
  });

  it('refuses what it cannot make', async () => {
    await expect(createTaskClient('walker')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      remedy: "did you mean 'walker2d'?",
    });
    await expect(createTaskClient('hopper', { version: 'v3' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(createTaskClient('hopper', { version: () => 'v4' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('a worker that dies', () => {
  it('rejects pending and later calls, in the middle of work', async () => {
    const client = await createTaskClient('hopper');
    await client.reset(0);
    const pending = [...Array(2000)].map(() => client.step([0, 0, 0]));
    const settled = Promise.allSettled(pending);
    await client.terminate();
    const outcomes = await settled;
    expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
    await expect(client.step([0, 0, 0])).rejects.toMatchObject(UNAVAILABLE);
    await expect(client.reset(0)).rejects.toMatchObject(UNAVAILABLE);
    await client.close();
  });

  it.each([
    ['of a WebAssembly trap', "throw new WebAssembly.RuntimeError('unreachable')", 'unreachable'],
    ['by process.exit', 'process.exit(3)', 'code 3'],
  ])('%s, with the reason', async (_, deed, reason) => {
    const client = await WorkerTaskClient.connect(saboteur(deed));
    const first = client.step([0]);
    const second = client.snapshot();
    await expect(first).rejects.toMatchObject({ ...UNAVAILABLE, found: expect.stringContaining(reason) });
    await expect(second).rejects.toMatchObject(UNAVAILABLE);
    await expect(client.step([0])).rejects.toMatchObject(UNAVAILABLE);
    await client.close();
  });

  it('before it has made its task', async () => {
    const worker = new Worker('process.exit(1)', { eval: true });
    await expect(WorkerTaskClient.connect(worker)).rejects.toMatchObject(UNAVAILABLE);
  });

  it('is not waited for when it hangs: close ends it', async () => {
    const client = await WorkerTaskClient.connect(saboteur('for (;;);'));
    const pending = expect(client.step([0])).rejects.toMatchObject(UNAVAILABLE);
    await client.close();
    await pending;
  });

  it('after close, calls say so; a second close does nothing', async () => {
    const client = await createTaskClient('cartpole');
    const last = client.step([1]);
    const closing = client.close();
    expect((await last).reward).toBe(1);
    await closing;
    await client.close();
    await expect(client.step([1])).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining('closed'),
    });
  });
});
