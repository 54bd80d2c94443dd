import { IqLearnError, messageOf } from '../../common/index.js';
import type { MessageTypeName, MessageTypes, ServiceTypeName, ServiceTypes } from '../../messages/index.js';
import {
  type Closable,
  checkMessageType,
  checkName,
  checkQos,
  checkServiceType,
  checkTimeout,
  closedError,
  defaultQos,
  type Handler,
  type MessageInfo,
  type Publisher,
  type Qos,
  type ReportError,
  type Transport,
} from '../index.js';
import { GraphWatch } from './graph-watch.js';
import { rosService, rosTopic } from './names.js';
import type { Rcl, RclNode } from './rclnodejs.js';
import { Calls, otherServers, refusal } from './services.js';
import { Publication, Subscriber, type TopicContext } from './topics.js';

/** Longest that closing waits until subscribers have what was published, in all. */
const SETTLE_MS = 300;

export interface Ros2TransportOptions {
  readonly rcl: Rcl;
  readonly node: RclNode;
  /** As it is called here, before remaps. */
  readonly nodeName: string;
  readonly report: ReportError;
  /** The quality of service that options and parameters make of `qos`. */
  readonly override: (kind: 'publisher' | 'subscription', topic: string, qos: Qos | undefined) => Qos | undefined;
}

/** The port over rclnodejs. */
export class Ros2Transport implements Transport {
  readonly name = 'ros2';
  readonly #options: Ros2TransportOptions;
  readonly #calls: Calls;
  readonly #graph = new GraphWatch();
  readonly #owned = new Set<Closable>();
  readonly #publications = new Set<Publication>();
  readonly #served = new Set<string>();
  #closed = false;

  constructor(options: Ros2TransportOptions) {
    this.#options = options;
    this.#calls = new Calls(options.node);
  }

  advertise<Name extends MessageTypeName>(topic: string, type: Name, qos?: Qos): Publisher<MessageTypes[Name]> {
    const context = this.#topic(topic, type, qos);
    const offered = this.#options.override('publisher', topic, qos ?? defaultQos)!;
    const publication = new Publication(context, offered);
    this.#publications.add(publication);
    const owned = this.#own(this.#graph.add(this.#looking(() => publication.look())), {
      close: () => {
        this.#publications.delete(publication);
        publication.close();
      },
    });
    let open = true;
    return {
      topic,
      publish: (message) => {
        if (!open || this.#closed) throw closedError();
        publication.publish(message);
      },
      close: () => {
        if (!open) return;
        open = false;
        publication.settle(SETTLE_MS);
        owned.close();
      },
    };
  }

  subscribe<Name extends MessageTypeName>(
    topic: string,
    type: Name,
    handler: (message: MessageTypes[Name], info: MessageInfo) => void,
    qos?: Qos,
  ): Closable {
    const context = this.#topic(topic, type, qos);
    const requested = this.#options.override('subscription', topic, qos);
    const subscriber = new Subscriber(context, handler as Handler, requested);
    return this.#own(this.#graph.add(this.#looking(() => subscriber.look())), subscriber);
  }

  serve<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    handler: (request: ServiceTypes[Name]['request']) => Promise<ServiceTypes[Name]['response']>,
  ): Closable {
    this.#check('service', service);
    checkServiceType(type);
    const { node, report } = this.#options;
    const name = this.#serviceName(service);
    const resolved = node.resolveServiceName(name);
    const conflict = (servers: readonly string[]): IqLearnError =>
      new IqLearnError('CONFLICT', `the service ${service} has a server already`, {
        found: `${resolved} of ${servers.join(', ')}`,
        expected: 'one server a service',
        remedy: 'close the other one first, or give this node another name or namespace',
      });
    const servers = this.#served.has(resolved) ? ['this node'] : otherServers(node, resolved);
    if (servers.length > 0) throw conflict(servers);
    let open = true;
    const server = node.createService(type, name, {}, (request, response) => {
      const answer = async (): Promise<void> => {
        let answered: object;
        try {
          answered = await handler(request as ServiceTypes[Name]['request']);
        } catch (cause) {
          if (!('message' in response.template)) throw cause; // the caller's time will pass
          answered = { ...response.template, ...refusal(service, cause) };
        }
        if (open) response.send(answered);
      };
      answer().catch((cause) =>
        report(
          new IqLearnError('INTERNAL', `the service ${service} cannot answer`, { found: messageOf(cause), cause }),
        ),
      );
    });
    this.#served.add(resolved);
    let reported = false;
    const looking = this.#looking(() => {
      if (reported || node.countServices(resolved) <= 1) return;
      const others = otherServers(node, resolved);
      reported = others.length > 0;
      if (reported) report(conflict(others));
    });
    return this.#own(this.#graph.add(looking), {
      close: () => {
        open = false;
        this.#served.delete(resolved);
        node.destroyService(server);
      },
    });
  }

  async call<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    request: ServiceTypes[Name]['request'],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<ServiceTypes[Name]['response']> {
    this.#check('service', service);
    checkServiceType(type);
    checkTimeout(timeoutMs);
    const response = await this.#calls.call(service, this.#serviceName(service), type, request, timeoutMs);
    return response as ServiceTypes[Name]['response'];
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#graph.close();
    this.#calls.close();
    const until = performance.now() + SETTLE_MS;
    for (const publication of this.#publications) publication.settle(Math.max(0, until - performance.now()));
    for (const owned of [...this.#owned]) owned.close();
  }

  #topic(topic: string, type: MessageTypeName, qos: Qos | undefined): TopicContext {
    this.#check('topic', topic);
    checkMessageType(type);
    if (qos !== undefined) checkQos(qos);
    const { rcl, node, report } = this.#options;
    return { rcl, node, report, topic, name: rosTopic(topic), type };
  }

  #serviceName(service: string): string {
    return rosService(service, this.#options.nodeName);
  }

  #check(kind: 'topic' | 'service', name: string): void {
    if (this.#closed) throw closedError();
    checkName(kind, name);
  }

  /** A look at the graph whose failure is reported and not thrown into a timer. */
  #looking(look: () => void): () => void {
    return () => {
      try {
        look();
      } catch (cause) {
        this.#options.report(
          new IqLearnError('INTERNAL', 'a look at the ROS 2 graph failed', { found: messageOf(cause), cause }),
        );
      }
    };
  }

  #own(...parts: Closable[]): Closable {
    const owned: Closable = {
      close: () => {
        if (!this.#owned.delete(owned)) return;
        for (const part of parts) part.close();
      },
    };
    this.#owned.add(owned);
    return owned;
  }
}
