import { IqLearnError, messageOf } from '../../common/index.js';
import type { MessageTypeName, ServiceTypeName } from '../../messages/index.js';
import {
  BaseTransport,
  type Closable,
  type PendingCall,
  type PublisherEndpoint,
  type Qos,
  type ReportError,
  type RequestedQos,
  type ServiceHandler,
  type SubscriptionRequest,
  secondServer,
} from '../index.js';
import { GraphWatch } from './graph-watch.js';
import { rosService, rosTopic } from './names.js';
import type { Rcl, RclNode, RclResponse } from './rclnodejs.js';
import { Clients, otherServers, refusal } from './services.js';
import { Publication, Subscriber, type TopicContext } from './topics.js';

/**
 * Longest time, in milliseconds, until a subscription that asks for the best reliability follows a new publisher: what
 * is said while it changes over is lost, so that should be before the publisher says much.
 */
const FOLLOW_MS = 500;
/** Longest time, in milliseconds, that closing waits until reliable subscribers have what was published. */
const SETTLE_MS = 300;

export interface Ros2TransportOptions {
  readonly rcl: Rcl;
  readonly node: RclNode;
  /** The node's name here, before remaps. */
  readonly nodeName: string;
  readonly report: ReportError;
  /** The quality of service after the overrides of options and parameters. */
  readonly override: <Given extends RequestedQos>(
    kind: 'publisher' | 'subscription',
    topic: string,
    qos: Given | undefined,
  ) => Given | undefined;
}

/** The port over rclnodejs. */
export class Ros2Transport extends BaseTransport {
  readonly name = 'ros2';
  readonly capabilities = {
    latchedDepth: Number.POSITIVE_INFINITY,
    matchesQos: true,
    noticesClosedServers: true,
    refusesSecondServers: true,
    knowsPublishers: true,
  } as const;
  readonly #options: Ros2TransportOptions;
  readonly #clients: Clients;
  readonly #graph = new GraphWatch();
  readonly #publications = new Set<Publication>();
  readonly #served = new Set<string>();

  constructor(options: Ros2TransportOptions) {
    super(options.report);
    this.#options = options;
    this.#clients = new Clients(options.node);
  }

  protected override openPublisher(topic: string, type: MessageTypeName, qos: Qos): PublisherEndpoint {
    const offered = this.#options.override('publisher', topic, qos)!;
    const publication = new Publication(this.#context(topic, type), offered);
    this.#publications.add(publication);
    const watching = this.#watch(() => publication.look());
    return {
      publish: (message) => publication.publish(message),
      close: () => {
        watching.close();
        // When the transport closes, all its publications have settled together (`beforeClose`).
        if (this.#publications.delete(publication)) publication.settle(SETTLE_MS);
        publication.close();
      },
    };
  }

  override publishersOf(topic: string): number {
    return this.#options.node.getPublishersInfoByTopic(rosTopic(topic)).length;
  }

  protected override openSubscription(request: SubscriptionRequest): Closable {
    const { topic, type, qos } = request;
    const requested = this.#options.override('subscription', topic, qos);
    const report = (reason: IqLearnError): void => {
      this.report(reason);
      request.unheard(reason);
    };
    const context = { ...this.#context(topic, type), report };
    const subscriber = new Subscriber(context, request, requested);
    const follows = requested?.reliability === 'best_available';
    const watching = this.#watch(() => subscriber.look(), follows ? FOLLOW_MS : undefined);
    return {
      close: () => {
        watching.close();
        subscriber.close();
      },
    };
  }

  protected override openServer(service: string, type: ServiceTypeName, handler: ServiceHandler): Closable {
    const { node, report } = this.#options;
    const name = this.#serviceName(service);
    const resolved = node.resolveServiceName(name);
    const conflict = (servers: readonly string[]): IqLearnError =>
      secondServer(service, `${resolved} of ${servers.join(', ')}`);
    const servers = this.#served.has(resolved) ? ['this node'] : otherServers(node, resolved);
    if (servers.length > 0) throw conflict(servers);
    let open = true;
    const server = node.createService(type, name, {}, (request, response) => {
      void this.#answer(service, handler, request, response, () => open);
    });
    this.#served.add(resolved);
    let reported = false;
    const watching = this.#watch(() => {
      if (reported || node.countServices(resolved) <= 1) return;
      const others = otherServers(node, resolved);
      reported = others.length > 0;
      if (reported) report(conflict(others));
    });
    return {
      close: () => {
        open = false;
        watching.close();
        this.#served.delete(resolved);
        node.destroyService(server);
      },
    };
  }

  protected override send(call: PendingCall): void {
    this.#clients.send(call, this.#serviceName(call.service));
  }

  protected override beforeClose(): void {
    this.#graph.close();
    this.#clients.close();
    const until = performance.now() + SETTLE_MS;
    for (const publication of this.#publications) publication.settle(Math.max(0, until - performance.now()));
    this.#publications.clear();
  }

  async #answer(
    service: string,
    handler: ServiceHandler,
    request: object,
    response: RclResponse,
    isOpen: () => boolean,
  ): Promise<void> {
    try {
      let answer: object;
      try {
        answer = (await handler(request as never)) as object;
      } catch (cause) {
        // A response without fields for an error is not sent: the caller's timeout ends the call.
        if (!('message' in response.template)) throw cause;
        answer = { ...response.template, ...refusal(service, cause) };
      }
      if (isOpen()) response.send(answer);
    } catch (cause) {
      this.report(
        new IqLearnError('INTERNAL', `the service ${service} cannot answer`, { found: messageOf(cause), cause }),
      );
    }
  }

  #context(topic: string, type: MessageTypeName): TopicContext {
    const { rcl, node, report } = this.#options;
    return { rcl, node, report, topic, name: rosTopic(topic), type };
  }

  #serviceName(service: string): string {
    return rosService(service, this.#options.nodeName);
  }

  /** Looks at the graph now and then. A failure is reported, since nothing catches what a timer throws. */
  #watch(look: () => void, slowestMs?: number): Closable {
    return this.#graph.add(() => {
      try {
        look();
      } catch (cause) {
        this.report(
          new IqLearnError('INTERNAL', 'a look at the ROS 2 graph failed', { found: messageOf(cause), cause }),
        );
      }
    }, slowestMs);
  }
}
