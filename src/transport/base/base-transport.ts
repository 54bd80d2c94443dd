import { IqLearnError } from '../../common/index.js';
import type { MessageTypeName, MessageTypes, ServiceTypeName, ServiceTypes } from '../../messages/index.js';
import {
  type Closable,
  defaultQos,
  type MessageInfo,
  type Publisher,
  type Qos,
  type RequestedQos,
  type Transport,
  type TransportCapabilities,
  type Unheard,
} from '../transport.js';
import { checkMessageType, checkName, checkOffer, checkQos, checkServiceType, checkTimeout } from './checks.js';
import { callHandler, type Delivery, type Handler, type ReportError } from './delivery.js';
import { closedError } from './errors.js';
import { PendingCall } from './pending-call.js';

/** An adapter's end of one publisher. */
export interface PublisherEndpoint extends Closable {
  publish(message: unknown, trace?: string): void;
}

/** What an adapter is asked for when somebody subscribes. */
export interface SubscriptionRequest {
  readonly topic: string;
  readonly type: MessageTypeName;
  /** Undefined: take what each publisher offers. */
  readonly qos: RequestedQos | undefined;
  /** Hands a message to the subscriber. Never throws, and does nothing once the subscription is closed. */
  readonly deliver: (delivery: Delivery) => void;
  /** Tells the subscriber why nothing of a publisher arrives; it is reported as well. */
  readonly unheard: ReportError;
  /** Whether a topic that has another type now is no reason to throw. */
  readonly waits: boolean;
}

/** A service's handler, as an adapter calls it. */
export type ServiceHandler = (request: never) => Promise<unknown>;

/**
 * What all transports share: names, types and qualities of service are checked, every endpoint is owned and closed with
 * the transport, a handler's errors are reported, a call ends in time, and nothing works after `close`.
 *
 * An adapter opens endpoints (`openPublisher`, `openSubscription`, `openServer`), sends calls (`send`), and may do
 * something before and after its endpoints are closed. test/conformance/transport holds it to the port's guarantees.
 */
export abstract class BaseTransport implements Transport {
  abstract readonly name: string;
  abstract readonly capabilities: TransportCapabilities;
  protected readonly report: ReportError;
  readonly #owned = new Set<Closable>();
  readonly #calls = new Set<PendingCall>();
  #isClosed = false;
  #closing: Promise<void> | undefined;

  /** `report` takes errors that have no caller: handlers that fail, endpoints that do not fit. */
  protected constructor(report: ReportError) {
    this.report = report;
  }

  protected abstract openPublisher(topic: string, type: MessageTypeName, qos: Qos): PublisherEndpoint;
  protected abstract openSubscription(request: SubscriptionRequest): Closable;
  /** Throws CONFLICT where the service is known to have a server. */
  protected abstract openServer(service: string, type: ServiceTypeName, handler: ServiceHandler): Closable;
  /** Sends a call as soon as there is a server, and settles it. What it throws fails the call. */
  protected abstract send(call: PendingCall): void;
  publishersOf(_topic: string): number | undefined {
    return undefined;
  }
  /** Runs before the endpoints are closed, for instance to wait until what was published has left. */
  protected beforeClose(): void {}
  /** Runs after the endpoints are closed. */
  protected async afterClose(): Promise<void> {}

  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  advertise<Name extends MessageTypeName>(topic: string, type: Name, qos?: Qos): Publisher<MessageTypes[Name]> {
    this.#checkTopic(topic, type, qos);
    const offered = qos ?? defaultQos;
    checkOffer(topic, offered, this.capabilities);
    const endpoint = this.openPublisher(topic, type, offered);
    const owned = this.#own(endpoint);
    let open = true;
    return {
      topic,
      publish: (message, trace) => {
        if (!open || this.isClosed) throw closedError();
        endpoint.publish(message, trace);
      },
      close: () => {
        open = false;
        owned.close();
      },
    };
  }

  subscribe<Name extends MessageTypeName>(
    topic: string,
    type: Name,
    handler: (message: MessageTypes[Name], info: MessageInfo) => void,
    qos?: RequestedQos,
    unheard?: Unheard,
  ): Closable {
    this.#checkTopic(topic, type, qos);
    let open = true;
    const deliver = (delivery: Delivery): void => {
      if (open && !this.isClosed) callHandler(handler as Handler, delivery, topic, this.report);
    };
    const tell = (reason: IqLearnError): void => {
      if (open) unheard?.tell(reason);
    };
    const waits = unheard?.waits === true;
    const endpoint = this.openSubscription({ topic, type, qos, deliver, unheard: tell, waits });
    return this.#own({
      close: () => {
        open = false;
        endpoint.close();
      },
    });
  }

  serve<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    handler: (request: ServiceTypes[Name]['request']) => Promise<ServiceTypes[Name]['response']>,
  ): Closable {
    this.#checkService(service, type);
    return this.#own(this.openServer(service, type, handler));
  }

  async call<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    request: ServiceTypes[Name]['request'],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<ServiceTypes[Name]['response']> {
    this.#checkService(service, type);
    checkTimeout(timeoutMs);
    const call = new PendingCall(service, type, request, timeoutMs);
    this.#calls.add(call);
    call.onSettled(() => this.#calls.delete(call));
    try {
      this.send(call);
    } catch (error) {
      call.fail(error as IqLearnError);
    }
    return (await call.response) as ServiceTypes[Name]['response'];
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    for (const call of [...this.#calls])
      call.fail(new IqLearnError('CANCELLED', 'the transport was closed during the call'));
    this.beforeClose();
    for (const owned of [...this.#owned]) owned.close();
    await this.afterClose();
  }

  #checkTopic(topic: string, type: string, qos: RequestedQos | undefined): void {
    if (this.isClosed) throw closedError();
    checkName('topic', topic);
    checkMessageType(type);
    if (qos !== undefined) checkQos(qos);
  }

  #checkService(service: string, type: string): void {
    if (this.isClosed) throw closedError();
    checkName('service', service);
    checkServiceType(type);
  }

  /** Keeps an endpoint until it is closed, here or with the transport; either way it is closed once. */
  #own(endpoint: Closable): Closable {
    const owned: Closable = {
      close: () => {
        if (this.#owned.delete(owned)) endpoint.close();
      },
    };
    this.#owned.add(owned);
    return owned;
  }
}
