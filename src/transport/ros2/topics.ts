import { IqLearnError, messageOf, steadyClock } from '../../common/index.js';
import { decode, encode, type MessageTypeName, type MessageTypes } from '../../messages/index.js';
import type { Closable, Qos } from '../index.js';
import { callHandler, type Handler, incompatibility, type ReportError } from '../index.js';
import { mostOffered, qosOf, sameQos, toRclQos } from './qos.js';
import type { Rcl, RclEndpoint, RclNode, RclPublisher, RclSubscription, RclTypeClass } from './rclnodejs.js';

/** Where a topic's publisher or subscription lives. */
export interface TopicContext {
  readonly rcl: Rcl;
  readonly node: RclNode;
  readonly report: ReportError;
  /** Ours, for people: '/cmd_vel'. */
  readonly topic: string;
  /** For ROS: 'cmd_vel'. */
  readonly name: string;
  readonly type: MessageTypeName;
}

/** All that rclnodejs needs of a message class for messages that travel as bytes. */
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

/** Makes an endpoint; where the graph shows another type for its topic, that is the error. */
function create<Entity>(context: TopicContext, make: () => Entity): Entity {
  const { node, name, type, topic } = context;
  const endpoints = [...node.getPublishersInfoByTopic(name), ...node.getSubscriptionsInfoByTopic(name)];
  const other = endpoints.find(({ topic_type }) => topic_type !== type);
  if (other !== undefined) throw otherType(context, `${other.topic_type} of ${nodeOf(other)}`);
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

function nodeOf({ node_namespace, node_name }: RclEndpoint): string {
  return `${node_namespace === '/' ? '' : node_namespace}/${node_name}`;
}

/** Reports each of something once. */
class Once {
  readonly #seen = new Set<string>();

  first(what: string): boolean {
    if (this.#seen.has(what)) return false;
    this.#seen.add(what);
    return true;
  }
}

export class Publication {
  readonly #context: TopicContext;
  readonly #qos: Qos;
  readonly #publisher: RclPublisher;
  readonly #reported = new Once();
  #published = false;

  constructor(context: TopicContext, qos: Qos) {
    const { rcl, node, name, type } = context;
    this.#context = context;
    this.#qos = qos;
    const options = { qos: toRclQos(rcl, qos) };
    this.#publisher = create(context, () => node.createPublisher(typeClass(type), name, options));
  }

  publish<Name extends MessageTypeName>(message: MessageTypes[Name]): void {
    const bytes = encode(this.#context.type as Name, message);
    this.#publisher.publish(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#published = true;
  }

  /** Waits until reliable subscribers have what was published: it would be lost with the publisher. */
  settle(timeoutMs: number): void {
    if (this.#published && this.#qos.reliability === 'reliable')
      this.#publisher.waitForAllAcked(BigInt(Math.round(timeoutMs * 1e6)));
  }

  /** Reports subscribers that cannot get anything from here. */
  look(): void {
    const { node, name, topic, type, report } = this.#context;
    for (const subscriber of node.getSubscriptionsInfoByTopic(name)) {
      const who = `${subscriber.endpoint_gid}`;
      if (subscriber.topic_type !== type) {
        if (this.#reported.first(who))
          report(otherType(this.#context, `${subscriber.topic_type} of ${nodeOf(subscriber)}`));
        continue;
      }
      const reason = incompatibility(this.#qos, qosOf(subscriber));
      if (reason !== null && this.#reported.first(who))
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

/** How many of the last messages are compared with what a subscription brings that replaces another. */
const REMEMBERED = 10;

export class Subscriber implements Closable {
  readonly #context: TopicContext;
  readonly #handler: Handler;
  /** Undefined takes what is offered. */
  readonly #requested: Qos | undefined;
  readonly #reported = new Once();
  #qos: Qos;
  #subscription: RclSubscription;
  #closed = false;
  /** Of a subscription that may be replaced: what it has brought already. */
  #recent: Buffer[] = [];
  /** Of one that replaced another: what it may bring again. */
  #repeated: Buffer[] = [];

  constructor(context: TopicContext, handler: Handler, requested: Qos | undefined) {
    this.#context = context;
    this.#handler = handler;
    this.#requested = requested;
    this.#qos = requested ?? this.#offered();
    this.#subscription = create(context, () => this.#subscribe());
  }

  /** Reports publishers that cannot bring anything; takes what is offered now where nothing was requested. */
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
    if (this.#requested === undefined) this.#adapt();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#context.node.destroySubscription(this.#subscription);
  }

  #offered(): Qos {
    const { node, name, type } = this.#context;
    const publishers = node.getPublishersInfoByTopic(name).filter(({ topic_type }) => topic_type === type);
    return mostOffered(publishers.map(qosOf));
  }

  #adapt(): void {
    const { node, name } = this.#context;
    if (node.getPublishersInfoByTopic(name).length === 0) return; // nothing to gain; those that return are as before
    const offered = this.#offered();
    if (sameQos(offered, this.#qos)) return;
    node.destroySubscription(this.#subscription);
    this.#qos = offered;
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
    const { topic, type, report } = this.#context;
    if (this.#requested === undefined && this.#isRepeated(bytes)) return;
    let message: unknown;
    try {
      message = decode(type, bytes);
    } catch (error) {
      report(error as IqLearnError);
      return;
    }
    callHandler(this.#handler, { message, receivedNs }, topic, report);
  }

  /** A transient_local publisher gives a subscription that replaced another its last messages again. */
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
