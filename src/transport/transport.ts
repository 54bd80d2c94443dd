import type { MessageTypeName, MessageTypes, ServiceTypeName, ServiceTypes } from '../messages/index.js';

/** ROS 2 quality of service, the part that matters here. */
export interface Qos {
  readonly reliability: 'reliable' | 'best_effort';
  readonly durability: 'volatile' | 'transient_local';
  readonly depth: number;
}

/** The profiles this project uses, by kind of topic. */
export const qos = {
  sensor: { reliability: 'best_effort', durability: 'volatile', depth: 5 },
  command: { reliability: 'reliable', durability: 'volatile', depth: 1 },
  event: { reliability: 'reliable', durability: 'volatile', depth: 100 },
  latched: { reliability: 'reliable', durability: 'transient_local', depth: 1 },
} as const satisfies Record<string, Qos>;

/** What a subscriber is told beside the message. */
export interface MessageInfo {
  readonly topic: string;
  /** When it arrived, on the steady clock. */
  readonly receivedNs: bigint;
}

export interface Publisher<Message> {
  readonly topic: string;
  /** Hands the message over. A published message is immutable from then on. */
  publish(message: Message): void;
  close(): void;
}

export interface Closable {
  close(): void;
}

/**
 * The port: publish, subscribe, call, serve. Nodes know this and never an adapter (`embedded`, `ros2`, `mqtt`).
 *
 * Guarantees every adapter gives (test/conformance/transport): a handler never runs inside `publish`; messages of
 * one publisher to one subscriber keep their order; a `transient_local` topic gives its last messages to late
 * subscribers; a handler that throws hurts nobody else and is reported; after `close` nothing is delivered.
 */
export interface Transport {
  readonly name: string;
  advertise<Name extends MessageTypeName>(topic: string, type: Name, qos?: Qos): Publisher<MessageTypes[Name]>;
  subscribe<Name extends MessageTypeName>(
    topic: string,
    type: Name,
    handler: (message: MessageTypes[Name], info: MessageInfo) => void,
    qos?: Qos,
  ): Closable;
  /** Answers a service. The handler may be asynchronous; what it throws reaches the caller as an error. */
  serve<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    handler: (request: ServiceTypes[Name]['request']) => Promise<ServiceTypes[Name]['response']>,
  ): Closable;
  /** Calls a service. Rejects with TIMEOUT or UNAVAILABLE. */
  call<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    request: ServiceTypes[Name]['request'],
    options: { readonly timeoutMs: number },
  ): Promise<ServiceTypes[Name]['response']>;
  close(): Promise<void>;
}
