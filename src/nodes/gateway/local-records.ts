import { InTurn } from '../../common/index.js';
import { type StreamTopic, streamTopics } from '../../link/index.js';
import { type Closable, type Publisher, qos, type Transport } from '../../transport/index.js';

/** The longest that is waited until a record that was published comes back on its topic, in milliseconds. */
const ECHO_MS = 10_000;

/**
 * The topics of the learner's own process on which records of robots are published. The transport is an embedded one: when
 * the same object has come back on its topic, everybody there has taken it. All gateways of a process share one of these,
 * and publish one after the other: so no subscription is asked to hold more than one of them publishes at once, and each
 * record comes back once, however many robots there are.
 */
export class LocalRecords {
  readonly #publishers = new Map<StreamTopic, Publisher<never>>();
  readonly #owned: Closable[] = [];
  /** Messages that have not come back. */
  readonly #underWay = new Set<object>();
  #allBack: (() => void) | undefined;
  readonly #turns = new InTurn();

  constructor(transport: Transport) {
    for (const topic of Object.keys(streamTopics) as StreamTopic[]) {
      const publisher = transport.advertise(topic, streamTopics[topic], qos.event);
      this.#publishers.set(topic, publisher as never);
      const subscription = transport.subscribe(topic, streamTopics[topic], (message) => this.#back(message), qos.event);
      this.#owned.push(publisher, subscription);
    }
  }

  publish(topic: StreamTopic, message: object): void {
    this.#underWay.add(message);
    this.#publishers.get(topic)!.publish(message as never);
  }

  /** Runs `work` in its turn, and resolves when everything that it has published was taken. Rejects as `work` does. */
  take(work: () => void): Promise<void> {
    return this.#turns.run(async () => {
      work();
      await this.#taken();
    });
  }

  close(): void {
    for (const owned of this.#owned.splice(0)) owned.close();
  }

  async #taken(): Promise<void> {
    if (this.#underWay.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#allBack = resolve;
      timer = setTimeout(resolve, ECHO_MS);
    });
    clearTimeout(timer);
    this.#underWay.clear();
  }

  #back(message: object): void {
    if (this.#underWay.delete(message) && this.#underWay.size === 0) this.#allBack?.();
  }
}
