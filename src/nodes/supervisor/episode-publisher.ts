import { type EpisodeEvent, episodeEvent, header, type TaskState } from '../../messages/index.js';
import { type Publisher, qos, type Transport } from '../../transport/index.js';
import { topics } from '../kit/topics.js';
import type { EndedEpisode, Verdict } from './episode-machine.js';

const successOf: Readonly<Record<Verdict, number>> = {
  success: episodeEvent.SUCCESS,
  failure: episodeEvent.FAILURE,
  unknown: episodeEvent.UNKNOWN,
};

/** Tells everybody about episodes: `/task_state` says whether one is under way, `/episode_events` when it begins and ends. */
export class EpisodePublisher {
  readonly #events: Publisher<EpisodeEvent>;
  readonly #tasks: Publisher<TaskState>;
  readonly #stampNs: () => bigint;
  #task: Omit<TaskState, 'header'>;

  /** `episode`: the number of the last one; `stampNs` gives the time of a message. */
  constructor(transport: Transport, episode: number, stampNs: () => bigint) {
    this.#events = transport.advertise(topics.episodeEvents, 'iq_learn/msg/EpisodeEvent', qos.event);
    this.#tasks = transport.advertise(topics.taskState, 'iq_learn/msg/TaskState', qos.event);
    this.#stampNs = stampNs;
    this.#task = { episode, step: 0, reward: Number.NaN, terminated: false, truncated: true, success: false };
  }

  /** Says again how things are. */
  tell(): void {
    this.#tasks.publish({ header: header(this.#stampNs()), ...this.#task });
  }

  /** Another control period of the episode has passed. */
  step(): void {
    this.#task = { ...this.#task, step: this.#task.step + 1 };
  }

  began(episode: number): void {
    this.#publish({ kind: episodeEvent.START, episode });
    // Steps count from 1: it is START that opens the episode of a recording.
    this.#become({ episode, step: 1, terminated: false, truncated: false, success: false });
  }

  /** The robot first, then the records. */
  ended({ number, verdict, terminated, reason }: EndedEpisode): void {
    this.#become({ terminated, truncated: !terminated, success: verdict === 'success' });
    const end = { terminated, truncated: !terminated, success: successOf[verdict], reason };
    this.#publish({ kind: episodeEvent.END, episode: number, ...end });
  }

  discarded(episode: number): void {
    this.#become({ terminated: false, truncated: true, success: false });
    this.#publish({ kind: episodeEvent.DISCARD, episode, reason: 'thrown away by the person' });
  }

  close(): void {
    this.#events.close();
    this.#tasks.close();
  }

  #become(change: Partial<TaskState>): void {
    this.#task = { ...this.#task, ...change };
    this.tell();
  }

  #publish(event: Partial<EpisodeEvent>): void {
    this.#events.publish({
      header: header(this.#stampNs()),
      kind: episodeEvent.START,
      episode: 0,
      terminated: false,
      truncated: false,
      success: episodeEvent.UNKNOWN,
      seed: -1n,
      reason: '',
      ...event,
    });
  }
}
