import type { IqLearnError } from '../../common/index.js';
import type { MessageTypeName, ServiceTypeName } from '../../messages/index.js';
import { createNodeLogger } from '../../platform/index.js';
import {
  BaseTransport,
  type PublisherEndpoint,
  type ServiceHandler,
  type SubscriptionRequest,
} from '../base/base-transport.js';
import type { ReportError } from '../base/delivery.js';
import type { PendingCall } from '../base/pending-call.js';
import type { Closable, Qos } from '../transport.js';
import type { Services } from './services.js';

export interface EmbeddedTransportOptions {
  /** Takes errors that have no caller: handlers that fail, publishers and subscribers that do not fit. Default: the log. */
  readonly onError?: (error: IqLearnError) => void;
}

/** What a broker does for its transports. */
export interface Hub {
  readonly services: Services;
  advertise(topic: string, type: MessageTypeName, qos: Qos, report: ReportError): PublisherEndpoint;
  subscribe(request: SubscriptionRequest, report: ReportError): Closable;
  publishersOf(topic: string): number;
  /** The transport has closed. Resolves when what was published before has been delivered. */
  left(transport: EmbeddedTransport): Promise<void>;
}

function logErrors(): ReportError {
  const logger = createNodeLogger('transport');
  return (error) => logger.error(error.message, { code: error.code });
}

/** The transport of one node on a broker in the same thread. Made by `EmbeddedBroker.connect`. */
export class EmbeddedTransport extends BaseTransport {
  readonly name = 'embedded';
  readonly capabilities = {
    latchedDepth: Number.POSITIVE_INFINITY,
    matchesQos: true,
    noticesClosedServers: true,
    refusesSecondServers: true,
    knowsPublishers: true,
  } as const;
  readonly #hub: Hub;

  constructor(hub: Hub, options: EmbeddedTransportOptions) {
    super(options.onError ?? logErrors());
    this.#hub = hub;
  }

  protected override openPublisher(topic: string, type: MessageTypeName, qos: Qos): PublisherEndpoint {
    return this.#hub.advertise(topic, type, qos, this.report);
  }

  protected override openSubscription(request: SubscriptionRequest): Closable {
    return this.#hub.subscribe(request, this.report);
  }

  override publishersOf(topic: string): number {
    return this.#hub.publishersOf(topic);
  }

  protected override openServer(service: string, type: ServiceTypeName, handler: ServiceHandler): Closable {
    return { close: this.#hub.services.serve(service, type, handler) };
  }

  protected override send(call: PendingCall): void {
    this.#hub.services.send(call);
  }

  /** A stop command that was published just before must not be lost. */
  protected override afterClose(): Promise<void> {
    return this.#hub.left(this);
  }
}
