import { IqLearnError } from '../../common/index.js';
import type { MessageTypeName, MessageTypes, ServiceTypeName, ServiceTypes } from '../../messages/index.js';
import { createNodeLogger } from '../../platform/index.js';
import { checkMessageType, checkName, checkQos, checkServiceType } from '../names.js';
import { checkTimeout, closedError, type Handler, type ReportError } from '../shared.js';
import type { Closable, MessageInfo, Publisher, Qos, Transport } from '../transport.js';
import type { EmbeddedBroker } from './broker.js';

export interface ParticipantOptions {
  /** Told of handlers that fail, of publishers and subscribers that do not fit, of a connection that breaks. The log if not given. */
  readonly onError?: (error: IqLearnError) => void;
}

/** Reports to the log. */
export function logErrors(): ReportError {
  const logger = createNodeLogger('transport');
  return (error) => logger.error(error.message, { code: error.code });
}

/** The transport of one node on an embedded broker in the same thread. */
export class Participant implements Transport {
  readonly name = 'embedded';
  readonly broker: EmbeddedBroker;
  readonly #report: ReportError;
  readonly #owned = new Set<Closable>();
  readonly #cancels = new Set<(reason: IqLearnError) => void>();
  #closed = false;

  /** @internal Made by {@link EmbeddedBroker.connect}. */
  constructor(broker: EmbeddedBroker, options: ParticipantOptions) {
    this.broker = broker;
    this.#report = options.onError ?? logErrors();
  }

  advertise<Name extends MessageTypeName>(topic: string, type: Name, qos?: Qos): Publisher<MessageTypes[Name]> {
    this.#check('topic', topic);
    checkMessageType(type);
    if (qos !== undefined) checkQos(qos);
    const publisher = this.broker.advertise(topic, type, qos, this.#report);
    const owned = this.#own(publisher);
    let open = true;
    return {
      topic,
      publish: (message) => {
        if (!open || this.#closed) throw closedError();
        publisher.publish(message);
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
    qos?: Qos,
  ): Closable {
    return this.subscribeWindowed(topic, type, handler as Handler, qos, Number.POSITIVE_INFINITY);
  }

  /** @internal As `subscribe`, but hands over at most `window` messages more than were granted. */
  subscribeWindowed(
    topic: string,
    type: MessageTypeName,
    handler: Handler,
    qos: Qos | undefined,
    window: number,
  ): Closable & { grant(count: number): void } {
    this.#check('topic', topic);
    checkMessageType(type);
    if (qos !== undefined) checkQos(qos);
    const subscription = this.broker.subscribe(topic, type, handler, qos, this.#report, window);
    return { grant: subscription.grant, close: this.#own(subscription).close };
  }

  serve<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    handler: (request: ServiceTypes[Name]['request']) => Promise<ServiceTypes[Name]['response']>,
  ): Closable {
    this.#check('service', service);
    checkServiceType(type);
    return this.#own({ close: this.broker.services.serve(service, type, handler) });
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
    const { response, cancel } = this.broker.services.call(service, type, request, timeoutMs);
    this.#cancels.add(cancel);
    try {
      return (await response) as ServiceTypes[Name]['response'];
    } finally {
      this.#cancels.delete(cancel);
    }
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      for (const owned of [...this.#owned]) owned.close();
      for (const cancel of [...this.#cancels])
        cancel(new IqLearnError('CANCELLED', 'the transport was closed during the call'));
      this.broker.forget(this);
    }
    // What was published before is on its way to the others: a stop command must not be lost.
    await this.broker.idle();
  }

  #check(kind: 'topic' | 'service', name: string): void {
    if (this.#closed) throw closedError();
    checkName(kind, name);
  }

  #own(closable: Closable): Closable {
    const owned: Closable = {
      close: () => {
        if (this.#owned.delete(owned)) closable.close();
      },
    };
    this.#owned.add(owned);
    return owned;
  }
}
