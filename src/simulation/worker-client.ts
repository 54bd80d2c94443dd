import { Worker } from 'node:worker_threads';
import { IqLearnError, messageOf, unpackError } from '../common/index.js';
import type { TaskOptions } from './definition.js';
import { taskDefinition } from './registry.js';
import type { SceneGeometry, SensorReadings, StepResult, TaskClient } from './task.js';
import {
  type Operation,
  type Reply,
  type Request,
  restoreNames,
  type TaskFacts,
  type TaskWorkerData,
} from './worker-protocol.js';

/** How long a worker may take to say goodbye before it is terminated. */
const CLOSE_TIMEOUT_MS = 2000;

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: IqLearnError) => void;
}

/** A {@link TaskClient} over a worker thread. Calls are answered in the order they are made. */
export class WorkerTaskClient implements TaskClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  readonly #exited: Promise<void>;
  #facts: TaskFacts | undefined;
  #nextId = 1;
  #jointNames: readonly string[] | undefined;
  #dead: IqLearnError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('messageerror', (error) => this.#die(`a message could not be read: ${messageOf(error)}`));
    worker.on('error', (error) => this.#die(messageOf(error)));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#die(`it ended with code ${code}`);
        resolve();
      });
    });
  }

  /** Waits until the worker has made its task. Rejects with the task's own error, or UNAVAILABLE. */
  static async connect(worker: Worker): Promise<WorkerTaskClient> {
    const client = new WorkerTaskClient(worker);
    try {
      client.#facts = (await client.#wait(0)) as TaskFacts;
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    return client;
  }

  get name(): string {
    return this.#task.name;
  }

  get observationSpace(): TaskFacts['observationSpace'] {
    return this.#task.observationSpace;
  }

  get actionSpace(): TaskFacts['actionSpace'] {
    return this.#task.actionSpace;
  }

  get stepSeconds(): number {
    return this.#task.stepSeconds;
  }

  get maxSteps(): number {
    return this.#task.maxSteps;
  }

  async reset(seed: number): Promise<{ observation: Float64Array; readings: SensorReadings }> {
    return this.#named((await this.#call('reset', seed)) as { observation: Float64Array; readings: SensorReadings });
  }

  async step(action: ArrayLike<number>): Promise<StepResult & { readings: SensorReadings }> {
    // A plain copy: an action may be a view of a large buffer, which structured clone would carry whole.
    const plain = Float64Array.from(action);
    return this.#named((await this.#call('step', plain)) as StepResult & { readings: SensorReadings });
  }

  async scene(): Promise<readonly SceneGeometry[]> {
    return (await this.#call('scene')) as readonly SceneGeometry[];
  }

  async snapshot(): Promise<Float64Array> {
    return (await this.#call('snapshot')) as Float64Array;
  }

  async restore(state: Float64Array): Promise<void> {
    await this.#call('restore', state.slice());
  }

  /** Ends the worker after the calls that are under way. Never rejects; a second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends the worker at once, as a crash would: pending and later calls reject with UNAVAILABLE. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.#exited;
  }

  get #task(): TaskFacts {
    return this.#facts!;
  }

  async #close(): Promise<void> {
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_TIMEOUT_MS);
    // A worker that is dead already, or dies meanwhile, is as closed as it can be.
    const farewell = this.#call('close').catch(() => undefined);
    this.#dead ??= new IqLearnError('UNAVAILABLE', `the task '${this.name}' is closed`);
    await farewell;
    await this.#exited;
    clearTimeout(timer);
  }

  #call(operation: Operation, argument?: unknown): Promise<unknown> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const id = this.#nextId++;
    const answer = this.#wait(id);
    try {
      this.#worker.postMessage({ id, operation, argument } satisfies Request);
    } catch (cause) {
      this.#waiting.delete(id);
      return Promise.reject(
        new IqLearnError('INVALID_ARGUMENT', `cannot send '${operation}' to the task`, {
          found: messageOf(cause),
          cause,
        }),
      );
    }
    return answer;
  }

  #wait(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #settle(reply: Reply): void {
    const waiter = this.#waiting.get(reply.id);
    if (waiter === undefined) return;
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiter.reject(unpackError(reply.error));
    else waiter.resolve(reply.result);
  }

  #die(why: string): void {
    this.#dead ??= new IqLearnError('UNAVAILABLE', `the worker of the task '${this.#facts?.name ?? ''}' died`, {
      found: why,
      remedy: 'make a new one with createTaskClient, and reset',
    });
    for (const waiter of this.#waiting.values()) waiter.reject(this.#dead);
    this.#waiting.clear();
  }

  #named<T extends { readonly readings: SensorReadings }>(answer: T): T {
    const readings = restoreNames(answer.readings, this.#jointNames);
    this.#jointNames = readings.joints?.names;
    return { ...answer, readings };
  }
}

/**
 * Makes a task in a worker thread of its own, so that simulating never delays the caller. Options as for `createTask`.
 * Rejects as `createTask` does, and with UNAVAILABLE when the worker dies on the way.
 */
export async function createTaskClient(name: string, options: TaskOptions = {}): Promise<WorkerTaskClient> {
  const { mujoco } = taskDefinition(name);
  const module = mujoco ? await (await import('./physics/mujoco.js')).mujocoModule() : undefined;
  const data: TaskWorkerData = { name, options, module };
  let worker: Worker;
  try {
    worker = new Worker(new URL('./task-worker.js', import.meta.url), { workerData: data, name: `task ${name}` });
  } catch (cause) {
    throw new IqLearnError('INVALID_ARGUMENT', `cannot start the task '${name}'`, {
      found: messageOf(cause),
      expected: 'options of plain values',
      cause,
    });
  }
  return await WorkerTaskClient.connect(worker);
}
