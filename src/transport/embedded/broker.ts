import { IqLearnError, type SteadyClock, steadyClock } from '../../common/index.js';
import type { PublisherEndpoint, SubscriptionRequest } from '../base/base-transport.js';
import type { ReportError } from '../base/delivery.js';
import type { Closable, Qos } from '../transport.js';
import { EmbeddedTransport, type EmbeddedTransportOptions, type Hub } from './embedded-transport.js';
import { checkFaultPlan, type FaultPlan, fits } from './faults.js';
import { freezeMessage } from './freeze.js';
import { Scheduler } from './scheduler.js';
import { Services } from './services.js';
import { Subscription } from './subscription.js';
import { Topic, type TopicCounters } from './topic.js';

export interface BrokerOptions {
  /** Seed of the faults; 0 if not given. */
  readonly seed?: number;
  /** Faults to inject: an ideal link hides what a node does when a message is lost, late, or arrives twice. */
  readonly faults?: FaultPlan;
  /** The clock of `receivedNs`; the steady clock of this process if not given. */
  readonly clock?: SteadyClock;
  /** Freezes every message at `publish`, so that a node that changes a published message gets an error. For tests. */
  readonly freeze?: boolean;
}

/** Topics and services within this thread, shared by all transports that are connected to it. */
export class EmbeddedBroker {
  readonly #options: BrokerOptions;
  readonly #clock: SteadyClock;
  readonly #scheduler = new Scheduler();
  readonly #services = new Services(this.#scheduler, (service) => this.#isPartitioned(service));
  readonly #topics = new Map<string, Topic>();
  readonly #partitions = new Set<string>();
  readonly #transports = new Set<EmbeddedTransport>();
  readonly #hub: Hub = {
    services: this.#services,
    advertise: (topic, type, qos, report) => this.#advertise(topic, type, qos, report),
    subscribe: (request, report) => this.#subscribe(request, report),
    publishersOf: (topic) => this.#topics.get(topic)?.publishers ?? 0,
    left: (transport) => {
      this.#transports.delete(transport);
      return this.idle();
    },
  };

  /** Throws INVALID_ARGUMENT for a wrong fault plan or seed. */
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
  }

  /** A transport on this broker. Each node has its own, so that one closes without the others. */
  connect(options: EmbeddedTransportOptions = {}): EmbeddedTransport {
    const transport = new EmbeddedTransport(this.#hub, options);
    this.#transports.add(transport);
    return transport;
  }

  /**
   * Cuts off (or heals) the topics and services whose names fit the pattern (* stands for any characters). Meanwhile
   * best-effort messages are lost, reliable ones wait (the newest `depth` of each subscriber), and calls are lost.
   */
  partition(pattern: string, on: boolean): void {
    if (on) this.#partitions.add(pattern);
    else this.#partitions.delete(pattern);
    for (const topic of this.#topics.values()) topic.partition(this.#isPartitioned(topic.name));
  }

  /** Counts of each topic's messages so far. */
  counters(): ReadonlyMap<string, TopicCounters> {
    return new Map([...this.#topics].map(([name, topic]) => [name, topic.counters]));
  }

  /** Resolves when nothing is left to deliver, except what a partition or a delay holds back. */
  idle(): Promise<void> {
    return this.#scheduler.idle();
  }

  /** Closes all transports; nothing is delivered afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.#transports].map((transport) => transport.close()));
    for (const topic of this.#topics.values()) topic.close();
  }

  #advertise(name: string, type: string, qos: Qos, report: ReportError): PublisherEndpoint {
    const topic = this.#topic(name, type);
    const publication = topic.addPublication(qos, report);
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

  #subscribe({ topic: name, type, qos, deliver }: SubscriptionRequest, report: ReportError): Closable {
    const topic = this.#topic(name, type);
    const subscription = topic.addSubscription(
      (index) => new Subscription(qos, deliver, this.#scheduler, index),
      report,
    );
    return { close: () => topic.removeSubscription(subscription) };
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
