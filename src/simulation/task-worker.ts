import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../common/index.js';
import { useMujocoModule } from './physics/mujoco.js';
import { webAssembly } from './physics/webassembly.js';
import { createTask } from './registry.js';
import type { Task } from './task.js';
import { type Reply, type Request, stripNames, type TaskFacts, type TaskWorkerData } from './worker-protocol.js';

const port = parentPort;
if (port === null) throw new Error('task-worker.js is the main file of a worker thread; use createTaskClient');

/**
 * Whether WebAssembly itself has stopped, or an error was caused by that. The memory may be damaged then, so the worker
 * ends, and its client rejects all calls.
 */
function isTrap(thrown: unknown): boolean {
  return thrown instanceof webAssembly.RuntimeError || (thrown instanceof Error && isTrap(thrown.cause));
}

/** Answers the client's calls one after the other, until `close`. */
function serve(task: Task): void {
  let lastNames: readonly string[] | undefined;
  const sense = () => {
    const readings = task.sense();
    const stripped = stripNames(readings, lastNames);
    lastNames = readings.joints?.names;
    return stripped;
  };
  const perform = ({ operation, argument }: Request): unknown => {
    switch (operation) {
      case 'reset': {
        const observation = task.reset(argument as number);
        return { observation, readings: sense() };
      }
      case 'step': {
        const result = task.step(argument as Float64Array) as object;
        return { ...result, readings: sense() };
      }
      case 'scene':
        return task.scene();
      case 'snapshot':
        return task.snapshot();
      case 'restore':
        return task.restore(argument as Float64Array);
      case 'close':
        return task.close();
    }
  };
  port?.on('message', (request: Request) => {
    let reply: Reply;
    try {
      reply = { id: request.id, result: perform(request) };
    } catch (thrown) {
      if (isTrap(thrown)) throw thrown;
      reply = { id: request.id, error: packError(thrown) };
    }
    port.postMessage(reply);
    if (request.operation === 'close') port.close();
  });
  const facts: TaskFacts = {
    name: task.name,
    observationSpace: task.observationSpace,
    actionSpace: task.actionSpace,
    stepSeconds: task.stepSeconds,
    maxSteps: task.maxSteps,
  };
  port?.postMessage({ id: 0, result: facts } satisfies Reply);
}

const { name, options, module } = workerData as TaskWorkerData;
if (module !== undefined) useMujocoModule(module);
try {
  serve(await createTask(name, options));
} catch (thrown) {
  port.postMessage({ id: 0, error: packError(thrown) } satisfies Reply);
  port.close();
}
