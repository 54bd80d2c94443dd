import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cancelled, IqLearnError, messageOf, throwIfCancelled, unpackError } from '../../common/index.js';
import type { Episode } from '../../learning/index.js';
import type { PolicyBundle } from '../../policy/index.js';
import type {
  LearnerReply,
  LearnerRequest,
  LearningOptions,
  LearningProgress,
  LearningStart,
  RecoveredRewards,
  Segment,
  SessionState,
} from './protocol.js';

/** How long the process may take to save and end before it is killed. */
const STOP_TIMEOUT_MS = 4000;

/** What the learning process tells while it learns. */
export interface LearningEvents {
  progress(progress: LearningProgress): void;
  warning(message: string): void;
  /** A checkpoint was written that holds so many segments. */
  saved?(segments: number): void;
  /** Learning has ended for good: it diverged and went back to the checkpoint `restored`, or its process died. */
  failure(error: IqLearnError, restored: number | null): void;
}

/** The learner node's side of learning, which runs in another process. */
export interface LearningClient {
  /** How far learning had come when it began, with its first policy. */
  readonly start: LearningProgress;
  /** Tells `events` what happens from now on. What happened before is told at once. */
  listen(events: LearningEvents): void;
  /** Hands over a segment, whose arrays belong to the client from then on. Checkpoints that hold the segment hold `session`, too. */
  learn(segment: Segment, session?: SessionState): void;
  /** Stops making updates, or goes on. Segments that are handed over meanwhile wait. */
  pause(paused: boolean): void;
  /** Gives the recovered reward of each step of an episode, whose observations are in the robot's units and whose actions are in [−1, 1]. */
  recoverRewards(episode: Episode): Promise<RecoveredRewards>;
  /** Gives the policy to deploy as it is now: the running average of the actor where the agent has one. */
  deployed(): Promise<PolicyBundle>;
  /** Writes a checkpoint and gives the number of its generation. */
  save(): Promise<number>;
  /** Ends learning, and writes a checkpoint where `save` is set. Gives its generation, or null without one. Never rejects. */
  stop(save: boolean): Promise<number | null>;
}

/**
 * Learning in a process of its own: it never delays control, and whatever happens to it (a crash of native code, no
 * memory, a kill) leaves the robot's process alone. A thread would not do: onnxruntime ends the whole process when
 * its thread is ended in the middle of a run.
 */
export class TrainingProcess implements LearningClient {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: IqLearnError): void }>();
  readonly #early: ((events: LearningEvents) => void)[] = [];
  #events: LearningEvents | undefined;
  #ready: ((outcome: LearningStart | IqLearnError) => void) | undefined;
  #start: LearningStart | undefined;
  #ended: IqLearnError | undefined;
  #dead = false;
  #stopping: Promise<number | null> | undefined;
  #stopped: ((generation: number | null) => void) | undefined;
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.on('message', (reply: LearnerReply) => this.#hear(reply));
    child.on('error', (error) => this.#die(messageOf(error)));
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#die(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`);
        resolve();
      });
    });
  }

  /**
   * Starts the process and waits for its first policy, which can take long where it is cloned from the demonstrations.
   * Rejects with the learner's own error, UNAVAILABLE, or CANCELLED as soon as `signal` is given: nothing is learned yet.
   */
  static async create(options: LearningOptions, signal?: AbortSignal): Promise<TrainingProcess> {
    throwIfCancelled(signal);
    const child = fork(fileURLToPath(new URL('./main.js', import.meta.url)), {
      serialization: 'advanced', // typed arrays
      stdio: ['ignore', 2, 2, 'ipc'], // the standard output is the program's own
      execArgv: [],
    });
    const client = new TrainingProcess(child);
    let cancel: () => void = () => undefined;
    const outcome = await new Promise<LearningStart | IqLearnError>((resolve) => {
      client.#ready = resolve;
      cancel = () => resolve(cancelled());
      signal?.addEventListener('abort', cancel, { once: true });
      client.#post({ kind: 'start', options });
    });
    client.#ready = undefined;
    signal?.removeEventListener('abort', cancel);
    if (outcome instanceof IqLearnError) {
      await client.kill();
      throw outcome;
    }
    client.#start = outcome;
    return client;
  }

  get start(): LearningStart {
    return this.#start!;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  listen(events: LearningEvents): void {
    this.#events = events;
    for (const tell of this.#early.splice(0)) tell(events);
  }

  learn(segment: Segment, session?: SessionState): void {
    if (this.#ended === undefined && this.#stopping === undefined) this.#post({ kind: 'segment', segment, session });
  }

  pause(paused: boolean): void {
    this.#post({ kind: 'pause', paused });
  }

  async recoverRewards(episode: Episode): Promise<RecoveredRewards> {
    return (await this.#ask((id) => ({ kind: 'recover', id, episode }))) as RecoveredRewards;
  }

  async deployed(): Promise<PolicyBundle> {
    return (await this.#ask((id) => ({ kind: 'deployed', id }))) as PolicyBundle;
  }

  async save(): Promise<number> {
    return (await this.#ask((id) => ({ kind: 'save', id }))) as number;
  }

  stop(save: boolean): Promise<number | null> {
    this.#stopping ??= this.#stop(save);
    return this.#stopping;
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  async #stop(save: boolean): Promise<number | null> {
    if (this.#dead) return null;
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const generation = await new Promise<number | null>((resolve) => {
      this.#stopped = resolve;
      this.#post({ kind: 'stop', save });
    });
    await this.#exited;
    clearTimeout(timer);
    return generation;
  }

  #ask(request: (id: number) => LearnerRequest): Promise<unknown> {
    if (this.#dead) return Promise.reject(this.#ended);
    if (this.#stopping !== undefined)
      return Promise.reject(new IqLearnError('UNAVAILABLE', 'the learner is being stopped'));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post(request(id));
    });
  }

  #post(request: LearnerRequest): void {
    // Where the channel has closed, the end of the process is about to be told.
    if (this.#process.connected) this.#process.send(request, () => {});
  }

  #hear(reply: LearnerReply): void {
    switch (reply.kind) {
      case 'ready':
        this.#ready?.(reply.start);
        break;
      case 'progress':
        this.#tell((events) => events.progress(reply.progress));
        break;
      case 'warning':
        this.#tell((events) => events.warning(reply.message));
        break;
      case 'saved':
        this.#tell((events) => events.saved?.(reply.segments));
        break;
      case 'answer':
        this.#settle(reply.id)?.resolve(reply.value);
        break;
      case 'refusal':
        this.#settle(reply.id)?.reject(unpackError(reply.error));
        break;
      case 'failed':
        this.#end(unpackError(reply.error), reply.restored);
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

  /** The first reason counts. */
  #end(error: IqLearnError, restored: number | null): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    if (this.#ready !== undefined) this.#ready(error);
    else this.#tell((events) => events.failure(error, restored));
  }

  /** The process has ended: everything that is still awaited is rejected. */
  #die(why: string): void {
    if (this.#dead) return;
    this.#dead = true;
    const error = new IqLearnError('UNAVAILABLE', 'the learning process died', {
      found: why,
      expected: 'a process that learns until it is stopped',
      remedy: 'start again with --resume: the last checkpoint is whole',
    });
    if (this.#stopping === undefined) this.#end(error, null);
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#stopped?.(null);
  }
}
