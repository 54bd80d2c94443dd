import { setPriority } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { IqLearnError, messageOf, type PackedError, packError } from '../../common/index.js';
import { SegmentTrainer } from '../segment-trainer.js';
import type { LearnerReply, LearnerRequest, LearningOptions, Segment, SessionState } from './protocol.js';

// The process that learns. Segments are worked off in order; requests are answered between small batches of updates.

const UPDATES_A_TURN = 8;
/** A fleet's segments are larger than what is read in one turn. */
const UPDATES_A_FLEETS_TURN = 2;

function say(reply: LearnerReply, then: () => void = () => {}): void {
  if (process.connected) process.send!(reply, then);
}
const warn = (message: string): void => say({ kind: 'warning', message });

const packed = (error: unknown): PackedError => packError(error, 'the learning process failed');

class TrainingProcessMain {
  readonly #loop: SegmentTrainer;
  readonly #segments: { readonly segment: Segment; readonly session: SessionState | undefined }[] = [];
  readonly #requests: (() => Promise<void>)[] = [];
  #failed = false;
  #stopping = false;
  #working = false;
  #paused = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(loop: SegmentTrainer) {
    this.#loop = loop;
  }

  take(request: Exclude<LearnerRequest, { kind: 'start' }>): void {
    if (request.kind === 'segment') {
      if (!this.#failed) this.#segments.push(request);
    } else if (request.kind === 'pause') {
      this.#paused = request.paused;
    } else if (request.kind === 'recover') {
      this.#answer(request.id, () => this.#loop.recoverRewards(request.episode));
    } else if (request.kind === 'deployed') {
      this.#answer(request.id, () => this.#loop.deployed());
    } else if (request.kind === 'save') {
      this.#answer(request.id, async () => this.#save());
    } else {
      this.#requests.push(() => this.#stop(request.save));
    }
    void this.work();
  }

  async work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (!this.#stopping) {
      const request = this.#requests.shift();
      if (request !== undefined) await request();
      else if (!this.#failed && !this.#paused && this.#hasWork) await this.#learn();
      else break;
      await nextTurn(); // hear what has arrived
    }
    this.#working = false;
    this.#saveLater();
  }

  get #hasWork(): boolean {
    return this.#loop.open || this.#loop.due > 0 || this.#segments.length > 0;
  }

  /** Where nothing more comes, what was learned from is still to be saved in time. */
  #saveLater(): void {
    const dueInMs = this.#failed || this.#stopping ? undefined : this.#loop.checkpointDueInMs;
    if (dueInMs === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if ((this.#loop.checkpointDueInMs ?? 1) <= 0) this.#requests.push(() => this.#saveNow());
      void this.work();
    }, dueInMs);
  }

  async #saveNow(): Promise<void> {
    try {
      this.#save();
    } catch (error) {
      warn(messageOf(error));
    }
  }

  #save(): number {
    const generation = this.#loop.save();
    say({ kind: 'saved', segments: this.#loop.version });
    return generation;
  }

  async #learn(): Promise<void> {
    try {
      while (this.#segments.length > 0 && (this.#loop.ofFleet || !this.#loop.open)) {
        const { segment, session } = this.#segments.shift()!;
        this.#loop.add(segment, session);
      }
      await this.#loop.update(this.#loop.ofFleet ? UPDATES_A_FLEETS_TURN : UPDATES_A_TURN);
      if (!this.#loop.hasLearned) return;
      if ((this.#loop.checkpointDueInMs ?? 1) <= 0) this.#save();
      say({ kind: 'progress', progress: await this.#loop.progress() });
    } catch (error) {
      this.#failed = true;
      this.#segments.length = 0;
      const diverged = error instanceof IqLearnError && error.code === 'DIVERGED';
      say({ kind: 'failed', error: packed(error), restored: diverged ? await this.#restore() : null });
    }
  }

  async #restore(): Promise<number | null> {
    try {
      return await this.#loop.restore(warn);
    } catch (error) {
      warn(messageOf(error));
      return null;
    }
  }

  #answer(id: number, work: () => Promise<unknown>): void {
    this.#requests.push(async () => {
      try {
        say({ kind: 'answer', id, value: await work() });
      } catch (error) {
        say({ kind: 'refusal', id, error: packed(error) });
      }
    });
  }

  async #stop(save: boolean): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    let generation: number | null = null;
    try {
      if (save && !this.#failed) generation = this.#loop.save();
      await this.#loop.dispose();
    } catch (error) {
      warn(messageOf(error));
    }
    say({ kind: 'stopped', generation }, () => process.disconnect());
  }
}

// Ctrl-C reaches the whole group of processes; who started this one decides when it ends. Without them it ends at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit());

let learner: Promise<TrainingProcessMain | undefined> | undefined;

async function start(options: LearningOptions): Promise<TrainingProcessMain | undefined> {
  try {
    // Here, and before the first run: threads that are started later inherit it.
    if (options.nice !== undefined) setPriority(options.nice);
    const loop = await SegmentTrainer.create(options, warn);
    say({ kind: 'ready', start: await loop.start() });
    const started = new TrainingProcessMain(loop);
    void started.work();
    return started;
  } catch (error) {
    say({ kind: 'failed', error: packed(error), restored: null });
    return undefined;
  }
}

process.on('message', (request: LearnerRequest) => {
  if (request.kind === 'start') learner = start(request.options);
  else void learner?.then((started) => started?.take(request));
});
