import type { InferenceSession } from 'onnxruntime-node';
import { createSession, type Ort, type OrtSession, type SessionThreads } from './session.js';
import { defaultThreads, SpinningChoice } from './threads.js';

export interface PaceOptions {
  readonly threads?: number | 'auto';
  readonly spinning?: boolean;
  readonly profilePrefix?: string;
}

/**
 * A model on onnxruntime that waits for its threads as the machine's load makes best: two sessions, one with spinning
 * threads and one without, of which {@link SpinningChoice} takes one for each run. One session where spinning is given
 * or there is one thread.
 */
export class PacedSession {
  readonly #threads: number;
  readonly #sessions: ReadonlyMap<boolean, OrtSession>;
  readonly #choice = new SpinningChoice();

  private constructor(threads: number, sessions: ReadonlyMap<boolean, OrtSession>) {
    this.#threads = threads;
    this.#sessions = sessions;
  }

  static async create(ort: Ort, model: Uint8Array, options: PaceOptions): Promise<PacedSession> {
    const { threads: wanted = 'auto', spinning, profilePrefix } = options;
    const threads = wanted === 'auto' ? defaultThreads() : wanted;
    // A single thread never waits for another.
    const kinds = spinning !== undefined ? [spinning] : threads === 1 ? [false] : [true, false];
    const sessions = new Map<boolean, OrtSession>();
    for (const kind of kinds)
      sessions.set(
        kind,
        await createSession(ort, model, {
          threads,
          spinning: kind,
          ...(profilePrefix === undefined ? {} : { profilePrefix }),
        }),
      );
    return new PacedSession(threads, sessions);
  }

  /** As the next run uses the machine. */
  get threads(): SessionThreads {
    const [only] = this.#sessions.keys();
    return { threads: this.#threads, spinning: this.#sessions.size === 1 ? only! : this.#choice.spinning };
  }

  async run(
    feeds: InferenceSession.FeedsType,
    fetches: InferenceSession.FetchesType,
  ): Promise<InferenceSession.ReturnType> {
    const session = this.#sessions.get(this.threads.spinning)!;
    const start = performance.now();
    const results = await session.run(feeds, fetches);
    this.#choice.took(performance.now() - start);
    return results;
  }

  async release(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
  }
}
