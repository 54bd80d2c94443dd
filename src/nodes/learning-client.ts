import { Worker } from 'node:worker_threads';
import { IqLearnError, messageOf } from '../common/index.js';
import type { Episode } from '../learning/index.js';
import type {
  LearnerReply,
  LearnerRequest,
  LearningOptions,
  LearningProgress,
  PackedError,
  Segment,
} from './learner-protocol.js';

/** How long a worker may take to save and end before it is terminated. */
const STOP_TIMEOUT_MS = 4000;

export interface LearningEvents {
  progress(progress: LearningProgress): void;
  warning(message: string): void;
  /** Learning has ended for good: it diverged (`restored`: the checkpoint it went back to), or its worker died. */
  failure(error: IqLearnError, restored: number | null): void;
}

/** Learning somewhere else: what the learner node sees of it. */
export interface LearningClient {
  /** Where learning stood when it began: the first policy. */
  readonly start: LearningProgress;
  /** Events from now on; what happened before is told at once. */
  listen(events: LearningEvents): void;
  /** Hands over a segment; its arrays are the client's from then on. */
  learn(segment: Segment): void;
  /** The recovered reward along an episode (robot's units, actions in [−1, 1]), one a step. */
  recoverRewards(episode: Episode): Promise<Float32Array>;
  /** Writes a checkpoint and gives its generation. */
  save(): Promise<number>;
  /** Ends learning, with a checkpoint where a folder is set; its generation or null. Never rejects. */
  stop(save: boolean): Promise<number | null>;
}

function unpacked({ code, message }: PackedError): IqLearnError {
  return new IqLearnError(code, message);
}

/** Learning in a worker thread, so that it never delays control. */
export class LearningWorker implements LearningClient {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: IqLearnError): void }>();
  readonly #early: ((events: LearningEvents) => void)[] = [];
  #events: LearningEvents | undefined;
  #ready: ((outcome: LearningProgress | IqLearnError) => void) | undefined;
  #start: LearningProgress | undefined;
  #ended: IqLearnError | undefined;
  #stopping: Promise<number | null> | undefined;
  #stopped: ((generation: number | null) => void) | undefined;
  #lastId = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: LearnerReply) => this.#hear(reply));
    worker.on('error', (error) => this.#end(died(messageOf(error)), null));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#end(died(`it ended with code ${code}`), null);
        resolve();
      });
    });
  }

  /** Starts the worker and waits for its first policy. Rejects with the learner's own error, or UNAVAILABLE. */
  static async create(options: LearningOptions): Promise<LearningWorker> {
    const worker = new Worker(new URL('./learner-worker.js', import.meta.url), {
      workerData: options,
      name: 'learner',
    });
    const client = new LearningWorker(worker);
    const outcome = await new Promise<LearningProgress | IqLearnError>((resolve) => {
      client.#ready = resolve;
    });
    client.#ready = undefined;
    if (outcome instanceof IqLearnError) {
      await worker.terminate();
      throw outcome;
    }
    client.#start = outcome;
    return client;
  }

  get start(): LearningProgress {
    return this.#start!;
  }

  listen(events: LearningEvents): void {
    this.#events = events;
    for (const tell of this.#early.splice(0)) tell(events);
  }

  learn(segment: Segment): void {
    if (this.#ended !== undefined || this.#stopping !== undefined) return;
    this.#post({ kind: 'segment', segment }, [
      segment.observations.buffer as ArrayBuffer,
      segment.actions.buffer as ArrayBuffer,
      segment.nextObservations.buffer as ArrayBuffer,
      segment.terminated.buffer as ArrayBuffer,
    ]);
  }

  async recoverRewards(episode: Episode): Promise<Float32Array> {
    return (await this.#ask((id) => ({ kind: 'recover', id, episode }))) as Float32Array;
  }

  async save(): Promise<number> {
    return (await this.#ask((id) => ({ kind: 'save', id }))) as number;
  }

  stop(save: boolean): Promise<number | null> {
    this.#stopping ??= this.#stop(save);
    return this.#stopping;
  }

  /** Ends the thread at once, as a crash would. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.#exited;
  }

  async #stop(save: boolean): Promise<number | null> {
    if (this.#ended?.code === 'UNAVAILABLE') return null;
    const timer = setTimeout(() => void this.#worker.terminate(), STOP_TIMEOUT_MS);
    const generation = await new Promise<number | null>((resolve) => {
      this.#stopped = resolve;
      this.#post({ kind: 'stop', save });
    });
    await this.#exited;
    clearTimeout(timer);
    return generation;
  }

  #ask(request: (id: number) => LearnerRequest): Promise<unknown> {
    if (this.#ended?.code === 'UNAVAILABLE') return Promise.reject(this.#ended);
    if (this.#stopping !== undefined)
      return Promise.reject(new IqLearnError('UNAVAILABLE', 'the learner is being stopped'));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post(request(id));
    });
  }

  #post(request: LearnerRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #hear(reply: LearnerReply): void {
    switch (reply.kind) {
      case 'ready':
        this.#ready?.(reply.progress);
        break;
      case 'progress':
        this.#tell((events) => events.progress(reply.progress));
        break;
      case 'warning':
        this.#tell((events) => events.warning(reply.message));
        break;
      case 'answer':
        this.#settle(reply.id)?.resolve(reply.value);
        break;
      case 'refusal':
        this.#settle(reply.id)?.reject(unpacked(reply.error));
        break;
      case 'failed':
        this.#end(unpacked(reply.error), reply.restored);
        break;
      case 'stopped':
        this.#stopped?.(reply.generation);
        break;
    }
  }

  #settle(id: number): { resolve(value: unknown): void; reject(error: IqLearnError): void } | undefined {
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiter;
  }

  #tell(event: (events: LearningEvents) => void): void {
    if (this.#events === undefined) this.#early.push(event);
    else event(this.#events);
  }

  /** The first reason counts; a death always frees whoever waits. */
  #end(error: IqLearnError, restored: number | null): void {
    const dead = error.code === 'UNAVAILABLE';
    const asked = this.#stopping !== undefined && dead;
    if (this.#ended === undefined && !asked) this.#tell((events) => events.failure(error, restored));
    if (this.#ended === undefined || dead) this.#ended = error;
    this.#ready?.(error);
    if (!dead) return;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#stopped?.(null);
  }
}

function died(why: string): IqLearnError {
  return new IqLearnError('UNAVAILABLE', 'the learning worker died', {
    found: why,
    expected: 'a worker that learns until it is stopped',
    remedy: 'start again with --resume: the last checkpoint is whole',
  });
}
