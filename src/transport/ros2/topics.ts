import { IqLearnError, messageOf, steadyClock } from '../../common/index.js';
import { decode, encode, type MessageTypeName, type MessageTypes } from '../../messages/index.js';
import {
  type Closable,
  incompatibility,
  type Qos,
  type ReportError,
  type RequestedQos,
  type SubscriptionRequest,
} from '../index.js';
import { mostOffered, qosOf, sameQos, toRclQos } from './qos.js';
import type { Rcl, RclEndpoint, RclNode, RclPublisher, RclSubscription, RclTypeClass } from './rclnodejs.js';

/** What a publisher or subscription of a topic needs to know. */
export interface TopicContext {
  readonly rcl: Rcl;
  readonly node: RclNode;
  readonly report: ReportError;
  /** Our name of the topic, for error messages: '/cmd_vel'. */
  readonly topic: string;
  /** The name given to ROS, relative to the node's namespace: 'cmd_vel'. */
  readonly name: string;
  readonly type: MessageTypeName;
}

/** The least that rclnodejs takes for a message class: messages are sent and received as bytes. */
function typeClass(type: string): RclTypeClass {
  const [pkgName, subFolder, interfaceName] = type.split('/') as [string, string, string];
  return Object.assign(() => {}, { type: () => ({ pkgName, subFolder, interfaceName }) });
}

function otherType({ topic, type }: TopicContext, found: string): IqLearnError {
  return new IqLearnError('MISMATCH', `the topic ${topic} has another type`, {
    found,
    expected: type,
    remedy: 'use one type a topic: remap one of them',
  });
}

/** Makes an endpoint. Throws UNAVAILABLE where ROS refuses. */
function create<Entity>({ topic, type }: TopicContext, make: () => Entity): Entity {
  try {
    return make();
  } catch (cause) {
    throw new IqLearnError('UNAVAILABLE', `ROS 2 refuses the topic ${topic}`, {
      found: messageOf(cause),
      expected: `the type support of ${type} on LD_LIBRARY_PATH, and an open node`,
      remedy: `install the package ${type.split('/')[0]} where it is missing, and source its ROS 2`,
      cause,
    });
  }
}

/** Throws MISMATCH where the graph shows another type for a topic. */
function checkType(context: TopicContext): void {
  const { node, name, type } = context;
  const endpoints = [...node.getPublishersInfoByTopic(name), ...node.getSubscriptionsInfoByTopic(name)];
  const other = endpoints.find(({ topic_type }) => topic_type !== type);
  if (other !== undefined) throw otherType(context, `${other.topic_type} of ${nodeOf(other)}`);
}

function nodeOf({ node_namespace, node_name }: RclEndpoint): string {
  return `${node_namespace === '/' ? '' : node_namespace}/${node_name}`;
}

/** Remembers what was reported already. */
class Once {
  readonly #seen = new Set<string>();

  /** True the first time. */
  first(what: string): boolean {
    if (this.#seen.has(what)) return false;
    this.#seen.add(what);
    return true;
  }
}

/** A subscriber may be about to follow what is offered: what does not match is reported once it has lasted so long. */
const LASTS_MS = 1500;

/** A publisher of a topic, whose messages leave as CDR bytes. */
export class Publication {
  readonly #context: TopicContext;
  readonly #qos: Qos;
  readonly #publisher: RclPublisher;
  readonly #reported = new Once();
  /** Subscribers that get nothing, and since when, by the steady clock in milliseconds. */
  #deaf = new Map<string, number>();
  #published = false;

  constructor(context: TopicContext, qos: Qos) {
    const { rcl, node, name, type } = context;
    this.#context = context;
    this.#qos = qos;
    const options = { qos: toRclQos(rcl, qos) };
    checkType(context);
    this.#publisher = create(context, () => node.createPublisher(typeClass(type), name, options));
  }

  publish(message: unknown): void {
    const bytes = encode(this.#context.type, message as MessageTypes[MessageTypeName]);
    this.#publisher.publish(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#published = true;
  }

  /** Blocks until reliable subscribers have what was published, which would be lost with the publisher. */
  settle(timeoutMs: number): void {
    if (this.#published && this.#qos.reliability === 'reliable')
      this.#publisher.waitForAllAcked(BigInt(Math.round(timeoutMs * 1e6)));
  }

  /** Reports subscribers that get nothing from this publisher. */
  look(): void {
    const { node, name, topic, type, report } = this.#context;
    const before = this.#deaf;
    this.#deaf = new Map();
    for (const subscriber of node.getSubscriptionsInfoByTopic(name)) {
      const who = `${subscriber.endpoint_gid}`;
      if (subscriber.topic_type !== type) {
        if (this.#reported.first(who))
          report(otherType(this.#context, `${subscriber.topic_type} of ${nodeOf(subscriber)}`));
        continue;
      }
      const reason = incompatibility(this.#qos, qosOf(subscriber));
      if (reason === null) continue;
      const since = before.get(who) ?? performance.now();
      this.#deaf.set(who, since);
      if (performance.now() - since >= LASTS_MS && this.#reported.first(who))
        report(
          new IqLearnError('MISMATCH', `a subscriber of ${topic} gets nothing from here`, {
            found: `${nodeOf(subscriber)}: ${reason}`,
            expected: 'at most what is offered',
            remedy: 'change its quality of service, or override ours with qos_overrides parameters',
          }),
        );
    }
  }

  close(): void {
    this.#context.node.destroyPublisher(this.#publisher);
  }
}

/** Number of messages remembered to recognise those that a replacing subscription receives a second time. */
const REMEMBERED = 10;

/**
 * A subscription of a topic. Where nothing was requested, or the best reliability that there is, it follows what the
 * publishers offer, by replacing the ROS subscription: the quality of service of an existing one cannot change.
 */
export class Subscriber implements Closable {
  readonly #context: TopicContext;
  readonly #deliver: SubscriptionRequest['deliver'];
  /** Undefined: takes what is offered. */
  readonly #requested: RequestedQos | undefined;
  readonly #reported = new Once();
  #qos: Qos;
  #subscription: RclSubscription;
  #closed = false;
  /** The last messages that this subscription received, while it may be replaced by another. */
  #recent: Buffer[] = [];
  /** Messages that the subscription before this one received, and this one may receive again. */
  #repeated: Buffer[] = [];

  constructor(
    context: TopicContext,
    { deliver, waits }: Pick<SubscriptionRequest, 'deliver' | 'waits'>,
    requested: RequestedQos | undefined,
  ) {
    this.#context = context;
    this.#deliver = deliver;
    this.#requested = requested;
    this.#qos = this.#wanted();
    if (!waits) checkType(context);
    this.#subscription = create(context, () => this.#subscribe());
  }

  /** Reports publishers of which nothing arrives, and follows what is offered where nothing was requested. */
  look(): void {
    if (this.#closed) return;
    const { node, name, topic, type, report } = this.#context;
    for (const publisher of node.getPublishersInfoByTopic(name)) {
      const who = `${publisher.endpoint_gid}`;
      if (publisher.topic_type !== type) {
        if (this.#reported.first(who))
          report(otherType(this.#context, `${publisher.topic_type} of ${nodeOf(publisher)}`));
        continue;
      }
      const reason = this.#requested && incompatibility(qosOf(publisher), this.#requested);
      if (reason && this.#reported.first(who))
        report(
          new IqLearnError('MISMATCH', `nothing of a publisher of ${topic} arrives here`, {
            found: `${nodeOf(publisher)}: ${reason}`,
            expected: 'at least what is requested',
            remedy: 'change its quality of service, or override ours with qos_overrides parameters',
          }),
        );
    }
    this.#adapt();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#context.node.destroySubscription(this.#subscription);
  }

  /** What is requested, of the publishers that there are. */
  #wanted(): Qos {
    const requested = this.#requested;
    const { node, name, type } = this.#context;
    const offered = (): Qos => {
      const publishers = node.getPublishersInfoByTopic(name).filter(({ topic_type }) => topic_type === type);
      return mostOffered(publishers.map(qosOf));
    };
    if (requested === undefined) return offered();
    const { reliability, ...others } = requested;
    return { ...others, reliability: reliability === 'best_available' ? offered().reliability : reliability };
  }

  #adapt(): void {
    const { node, name } = this.#context;
    if (node.getPublishersInfoByTopic(name).length === 0) return; // nothing is offered: stay as it is
    const wanted = this.#wanted();
    if (sameQos(wanted, this.#qos)) return;
    node.destroySubscription(this.#subscription);
    this.#qos = wanted;
    this.#repeated = this.#recent;
    this.#recent = [];
    this.#subscription = this.#subscribe();
  }

  #subscribe(): RclSubscription {
    const { rcl, node, name, type } = this.#context;
    const options = { qos: toRclQos(rcl, this.#qos), isRaw: true };
    return node.createSubscription(typeClass(type), name, options, (bytes) => this.#receive(bytes));
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return;
    const receivedNs = steadyClock.nowNs();
    const { type, report } = this.#context;
    if (this.#requested === undefined && this.#isRepeated(bytes)) return;
    let message: unknown;
    try {
      message = decode(type, bytes);
    } catch (error) {
      report(error as IqLearnError);
      return;
    }
    this.#deliver({ message, receivedNs });
  }

  /** Whether the subscription before this one received it: a transient_local publisher sends its last messages again. */
  #isRepeated(bytes: Buffer): boolean {
    if (this.#qos.durability === 'volatile') {
      this.#recent.push(bytes);
      if (this.#recent.length > REMEMBERED) this.#recent.shift();
      return false;
    }
    const at = this.#repeated.findIndex((known) => known.equals(bytes));
    this.#repeated = at === -1 ? [] : this.#repeated.slice(at + 1);
    return at !== -1;
  }
}
