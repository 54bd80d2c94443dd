import type { MessagePort } from 'node:worker_threads';
import { IqLearnError, packError, unpackError } from '../../common/index.js';
import type { MessageTypeName, MessageTypes, ServiceTypeName, ServiceTypes } from '../../messages/index.js';
import { checkMessageType, checkName, checkQos, checkServiceType } from '../names.js';
import { callHandler, checkTimeout, closedError, type Handler, type ReportError, serviceError } from '../shared.js';
import { type Closable, defaultQos, type MessageInfo, type Publisher, type Qos, type Transport } from '../transport.js';
import { logErrors, type ParticipantOptions } from './participant.js';
import { type Answer, compacted, type FromBroker, type ToBroker } from './port-protocol.js';
import type { ServiceHandler } from './services.js';

interface RemoteSubscription {
  readonly topic: string;
  readonly handler: Handler;
  readonly depth: number;
  handled: number;
}

interface PendingCall {
  resolve(response: unknown): void;
  reject(error: IqLearnError): void;
}

/** How long `close` waits for a broker that does not answer. */
const CLOSE_MS = 1000;

/**
 * A transport over a port whose other end an {@link EmbeddedBroker} has attached: for a node in a worker thread.
 * The guarantees are those of the port; that a topic has another type is reported, as it is known only there.
 */
export function connectEmbedded(port: MessagePort, options: ParticipantOptions = {}): Transport {
  return new PortTransport(port, options.onError ?? logErrors());
}

class PortTransport implements Transport {
  readonly name = 'embedded';
  readonly #port: MessagePort;
  readonly #report: ReportError;
  readonly #subscriptions = new Map<number, RemoteSubscription>();
  readonly #servers = new Map<number, ServiceHandler>();
  readonly #serviceNames = new Set<string>();
  readonly #calls = new Map<number, PendingCall>();
  #ids = 0;
  #closed = false;
  #ended: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(port: MessagePort, report: ReportError) {
    this.#port = port;
    this.#report = report;
    port.on('message', (told: FromBroker) => this.#take(told));
    port.on('close', () => this.#lost());
  }

  advertise<Name extends MessageTypeName>(topic: string, type: Name, qos?: Qos): Publisher<MessageTypes[Name]> {
    this.#checkTopic(topic, type, qos);
    const id = this.#ids++;
    this.#send({ op: 'advertise', id, topic, type, qos });
    let open = true;
    return {
      topic,
      publish: (message) => {
        if (!open || this.#closed) throw closedError();
        this.#send({ op: 'publish', id, message: compacted(message) });
      },
      close: () => {
        if (open) this.#send({ op: 'end', id });
        open = false;
      },
    };
  }

  subscribe<Name extends MessageTypeName>(
    topic: string,
    type: Name,
    handler: (message: MessageTypes[Name], info: MessageInfo) => void,
    qos?: Qos,
  ): Closable {
    this.#checkTopic(topic, type, qos);
    const id = this.#ids++;
    const depth = qos?.depth ?? defaultQos.depth;
    this.#subscriptions.set(id, { topic, handler: handler as Handler, depth, handled: 0 });
    this.#send({ op: 'subscribe', id, topic, type, qos });
    return {
      close: () => {
        if (this.#subscriptions.delete(id)) this.#send({ op: 'end', id });
      },
    };
  }

  serve<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    handler: (request: ServiceTypes[Name]['request']) => Promise<ServiceTypes[Name]['response']>,
  ): Closable {
    this.#check('service', service);
    checkServiceType(type);
    if (this.#serviceNames.has(service))
      throw new IqLearnError('CONFLICT', `the service ${service} has a server already`, {
        expected: 'one server a service',
        remedy: 'close the other one first',
      });
    const id = this.#ids++;
    this.#serviceNames.add(service);
    this.#servers.set(id, handler as ServiceHandler);
    this.#send({ op: 'serve', id, service, type });
    return {
      close: () => {
        if (!this.#servers.delete(id)) return;
        this.#serviceNames.delete(service);
        this.#send({ op: 'end', id });
      },
    };
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
    const id = this.#ids++;
    return await new Promise<ServiceTypes[Name]['response']>((resolve, reject) => {
      this.#calls.set(id, { resolve: resolve as (response: unknown) => void, reject });
      this.#send({ op: 'call', id, service, type, request, timeoutMs });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    this.#send({ op: 'close' });
    this.#end(new IqLearnError('CANCELLED', 'the transport was closed during the call'));
    const timer = setTimeout(() => this.#ended?.(), CLOSE_MS);
    await ended;
    clearTimeout(timer);
    this.#port.close();
  }

  #end(reason: IqLearnError): void {
    this.#closed = true;
    this.#subscriptions.clear();
    this.#servers.clear();
    for (const { reject } of this.#calls.values()) reject(reason);
    this.#calls.clear();
  }

  /** The port closed: on purpose, or because the broker's thread is gone. */
  #lost(): void {
    this.#ended?.();
    if (this.#closed) return;
    const error = new IqLearnError('UNAVAILABLE', 'the connection to the broker is lost', {
      remedy: 'connect again',
    });
    this.#end(error);
    this.#report(error);
  }

  #take(told: FromBroker): void {
    switch (told.op) {
      case 'message':
        this.#deliver(told);
        break;
      case 'request':
        void this.#answer(told);
        break;
      case 'answer': {
        const pending = this.#calls.get(told.id);
        this.#calls.delete(told.id);
        if ('error' in told.answer) pending?.reject(unpackError(told.answer.error));
        else pending?.resolve(told.answer.response);
        break;
      }
      case 'failed':
        this.#report(unpackError(told.error));
        break;
      case 'closed':
        this.#ended?.();
        break;
    }
  }

  #deliver({ id, message, receivedNs }: FromBroker & { op: 'message' }): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    callHandler(subscription.handler, { message, receivedNs }, subscription.topic, this.#report);
    subscription.handled += 1;
    if (subscription.handled * 2 < subscription.depth) return;
    this.#send({ op: 'handled', id, count: subscription.handled });
    subscription.handled = 0;
  }

  async #answer({ id, call, request }: FromBroker & { op: 'request' }): Promise<void> {
    const handler = this.#servers.get(id);
    if (handler === undefined) return;
    let answer: Answer;
    try {
      answer = { response: await handler(request as never) };
    } catch (cause) {
      answer = { error: packError(serviceError('of this thread', cause)) };
    }
    this.#send({ op: 'answer', call, answer });
  }

  #checkTopic(topic: string, type: string, qos: Qos | undefined): void {
    this.#check('topic', topic);
    checkMessageType(type);
    if (qos !== undefined) checkQos(qos);
  }

  #check(kind: 'topic' | 'service', name: string): void {
    if (this.#closed) throw closedError();
    checkName(kind, name);
  }

  #send(message: ToBroker): void {
    if (!this.#closed) this.#port.postMessage(message);
  }
}
