import type { MessagePort } from 'node:worker_threads';
import { IqLearnError, type SteadyClock, steadyClock } from '../../common/index.js';
import type { Handler, ReportError } from '../shared.js';
import { type Closable, defaultQos, type Qos } from '../transport.js';
import { checkFaultPlan, type FaultPlan, fits } from './faults.js';
import { freezeMessage } from './freeze.js';
import { Participant, type ParticipantOptions } from './participant.js';
import { servePort } from './port-server.js';
import { Scheduler } from './scheduler.js';
import { Services } from './services.js';
import { Subscription } from './subscription.js';
import { Topic, type TopicCounters } from './topic.js';

export interface BrokerOptions {
  /** Of what goes wrong by `faults`; 0 if not given. */
  readonly seed?: number;
  readonly faults?: FaultPlan;
  /** What `receivedNs` is told by. */
  readonly clock?: SteadyClock;
  /** Freezes every message at `publish`, so that a publisher that changes one afterwards gets an error: for tests. */
  readonly freeze?: boolean;
}

/** @internal What a participant publishes through. */
export interface BrokerPublisher {
  publish(message: unknown): void;
  close(): void;
}

/** Topics and services in this process, shared by all transports that are connected to it. */
export class EmbeddedBroker {
  /** @internal */
  readonly services: Services;
  readonly #options: BrokerOptions;
  readonly #clock: SteadyClock;
  readonly #scheduler = new Scheduler();
  readonly #topics = new Map<string, Topic>();
  readonly #partitions = new Set<string>();
  readonly #participants = new Set<Participant>();

  constructor(options: BrokerOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? steadyClock;
    if (options.faults !== undefined) checkFaultPlan(options.faults);
    const { seed = 0 } = options;
    if (!(Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff))
      throw new IqLearnError('INVALID_ARGUMENT', 'the seed of the faults is wrong', {
        found: String(seed),
        expected: 'an integer in 0…4294967295',
      });
    this.services = new Services(this.#scheduler, (service) => this.#isPartitioned(service));
  }

  /** A transport on this broker: one for each node, so that nodes close apart. */
  connect(options: ParticipantOptions = {}): Participant {
    const participant = new Participant(this, options);
    this.#participants.add(participant);
    return participant;
  }

  /**
   * Lets the thread at the other end of the port take part (`connectEmbedded` there). When the port closes, for
   * instance because its worker died, everything it had here is closed.
   */
  attach(port: MessagePort, options: ParticipantOptions = {}): Closable {
    return servePort(this.connect(options), port);
  }

  /**
   * Cuts off (or heals) the topics and services that fit the pattern (* for any characters). Meanwhile best effort
   * messages are lost and reliable ones wait, the newest `depth` of each subscriber; calls are lost.
   */
  partition(pattern: string, on: boolean): void {
    if (on) this.#partitions.add(pattern);
    else this.#partitions.delete(pattern);
    for (const topic of this.#topics.values()) topic.partition(this.#isPartitioned(topic.name));
  }

  /** What became of each topic's messages so far. */
  counters(): ReadonlyMap<string, TopicCounters> {
    return new Map([...this.#topics].map(([name, topic]) => [name, topic.counters]));
  }

  /** Resolves when nothing is left to deliver (what waits for a partition, a delay or a slow thread aside). */
  idle(): Promise<void> {
    return this.#scheduler.idle();
  }

  /** Closes all transports; nothing is delivered afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.#participants].map((participant) => participant.close()));
    for (const topic of this.#topics.values()) topic.close();
  }

  /** @internal */
  forget(participant: Participant): void {
    this.#participants.delete(participant);
  }

  /** @internal */
  advertise(name: string, type: string, qos: Qos | undefined, report: ReportError): BrokerPublisher {
    const topic = this.#topic(name, type);
    const publication = topic.addPublication(qos ?? defaultQos, report);
    const { freeze = false } = this.#options;
    return {
      publish: (message) => {
        topic.publish(publication, {
          message: freeze ? freezeMessage(message) : message,
          receivedNs: this.#clock.nowNs(),
        });
      },
      close: () => topic.removePublication(publication),
    };
  }

  /** @internal */
  subscribe(
    name: string,
    type: string,
    handler: Handler,
    requested: Qos | undefined,
    report: ReportError,
    window = Number.POSITIVE_INFINITY,
  ): Closable & { grant(count: number): void } {
    const topic = this.#topic(name, type);
    const options = { topic: name, requested, handler, report, scheduler: this.#scheduler, window };
    const subscription = topic.addSubscription((index) => new Subscription(options, index));
    return {
      grant: (count) => subscription.grant(count),
      close: () => topic.removeSubscription(subscription),
    };
  }

  #topic(name: string, type: string): Topic {
    const known = this.#topics.get(name);
    if (known !== undefined && known.type === type) return known;
    if (known !== undefined && !known.isUnused)
      throw new IqLearnError('MISMATCH', `the topic ${name} has another type`, {
        found: type,
        expected: known.type,
        remedy: 'use that type, or another topic',
      });
    const rule = this.#options.faults?.rules.find(({ topics }) => fits(topics, name));
    const topic = new Topic(name, type, { seed: this.#options.seed ?? 0, rule });
    topic.partition(this.#isPartitioned(name));
    this.#topics.set(name, topic);
    return topic;
  }

  #isPartitioned(name: string): boolean {
    return [...this.#partitions].some((pattern) => fits(pattern, name));
  }
}
