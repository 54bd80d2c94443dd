import { IqLearnError, Random } from '../../common/index.js';
import { incompatibility } from '../base/checks.js';
import type { Delivery, ReportError } from '../base/delivery.js';
import type { Qos } from '../transport.js';
import { type FaultCounters, type FaultRule, FaultyLink } from './faults.js';
import { KeepLast } from './keep-last.js';
import type { Subscription } from './subscription.js';

/** Counts of what happened to a topic's messages. */
export interface TopicCounters {
  readonly published: number;
  readonly delivered: number;
  /** Dropped because a subscriber was behind by more than its depth. */
  readonly overflowed: number;
  /** Best-effort messages lost in a partition; reliable ones wait, the newest `depth` of them. */
  readonly lost: number;
  readonly faults: Readonly<FaultCounters>;
}

/** One publisher of a topic: its links to the subscribers, and the last messages for late subscribers. */
export class Publication {
  readonly qos: Qos;
  readonly index: number;
  readonly report: ReportError;
  readonly history: KeepLast<Delivery> | null;
  readonly links = new Map<Subscription, (delivery: Delivery) => void>();
  readonly faulty: FaultyLink<Delivery>[] = [];

  constructor(qos: Qos, index: number, report: ReportError) {
    this.qos = qos;
    this.index = index;
    this.report = report;
    this.history = qos.durability === 'transient_local' ? new KeepLast(qos.depth) : null;
  }
}

export interface TopicOptions {
  readonly seed: number;
  readonly rule: FaultRule | undefined;
}

/** A topic: its type, its publishers and subscribers, and the links between them. */
export class Topic {
  readonly name: string;
  readonly type: string;
  readonly #options: TopicOptions;
  readonly #publications = new Set<Publication>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #faults: FaultCounters = { dropped: 0, duplicated: 0, delayed: 0, reordered: 0 };
  #advertised = 0;
  #subscribers = 0;
  #published = 0;
  #lost = 0;
  #delivered = 0;
  #overflowed = 0;
  #partitioned = false;

  constructor(name: string, type: string, options: TopicOptions) {
    this.name = name;
    this.type = type;
    this.#options = options;
  }

  get isUnused(): boolean {
    return this.#publications.size === 0 && this.#subscriptions.size === 0;
  }

  get publishers(): number {
    return this.#publications.size;
  }

  get counters(): TopicCounters {
    let [delivered, overflowed] = [this.#delivered, this.#overflowed];
    for (const subscription of this.#subscriptions) {
      delivered += subscription.delivered;
      overflowed += subscription.overflowed;
    }
    return { published: this.#published, delivered, overflowed, lost: this.#lost, faults: { ...this.#faults } };
  }

  addPublication(qos: Qos, report: ReportError): Publication {
    const publication = new Publication(qos, this.#advertised++, report);
    this.#publications.add(publication);
    for (const subscription of this.#subscriptions) this.#link(publication, subscription, publication.report);
    return publication;
  }

  removePublication(publication: Publication): void {
    this.#publications.delete(publication);
  }

  addSubscription(make: (index: number) => Subscription, report: ReportError): Subscription {
    const subscription = make(this.#subscribers++);
    this.#subscriptions.add(subscription);
    if (this.#partitioned) subscription.pause(true);
    for (const publication of this.#publications) {
      const linked = this.#link(publication, subscription, report);
      const wantsHistory = (subscription.requested ?? publication.qos).durability === 'transient_local';
      if (linked && wantsHistory) for (const delivery of publication.history ?? []) subscription.push(delivery);
    }
    return subscription;
  }

  removeSubscription(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription)) return;
    subscription.close();
    this.#delivered += subscription.delivered;
    this.#overflowed += subscription.overflowed;
    for (const publication of this.#publications) publication.links.delete(subscription);
  }

  publish(publication: Publication, delivery: Delivery): void {
    this.#published += 1;
    publication.history?.push(delivery);
    if (this.#partitioned && publication.qos.reliability === 'best_effort') {
      this.#lost += publication.links.size;
      return;
    }
    for (const send of publication.links.values()) send(delivery);
  }

  partition(on: boolean): void {
    this.#partitioned = on;
    for (const subscription of this.#subscriptions) subscription.pause(on);
  }

  close(): void {
    for (const { faulty } of this.#publications) for (const link of faulty) link.close();
    for (const subscription of this.#subscriptions) subscription.close();
  }

  #link(publication: Publication, subscription: Subscription, report: ReportError): boolean {
    const reason = incompatibility(publication.qos, subscription.requested ?? publication.qos);
    if (reason !== null) {
      report(
        new IqLearnError('MISMATCH', `a subscriber of ${this.name} gets nothing from a publisher`, {
          found: reason,
          expected: 'a subscriber that requests no more than is offered',
          remedy: 'subscribe with the quality of service the publisher has, or with none',
        }),
      );
      return false;
    }
    const { rule, seed } = this.#options;
    if (rule === undefined) {
      publication.links.set(subscription, (delivery) => subscription.push(delivery));
      return true;
    }
    const random = Random.derive(seed, `${this.name} ${publication.index} ${subscription.index}`);
    const link = new FaultyLink<Delivery>(rule, random, this.#faults, (delivery) => subscription.push(delivery));
    publication.faulty.push(link);
    publication.links.set(subscription, (delivery) => link.send(delivery));
    return true;
  }
}
