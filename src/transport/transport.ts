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

/** What a publisher offers that does not say: ROS 2's default. */
export const defaultQos: Qos = { reliability: 'reliable', durability: 'volatile', depth: 10 };

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
 * subscribers; a subscriber that is behind keeps the newest `depth` messages (KEEP_LAST, whatever the reliability);
 * a handler that throws or rejects hurts nobody else and is reported; what was published before `close` is still
 * delivered to the others, and after `close` nothing is delivered here.
 *
 * Without `qos` a publisher offers {@link defaultQos}; a subscriber takes what each publisher offers, with depth 10.
 * A subscriber that requests more than a publisher offers gets nothing of it, as in ROS 2, and that is reported.
 * Throws NOT_FOUND for an unknown type, INVALID_ARGUMENT for a wrong name, MISMATCH where a topic has another type
 * (an adapter that only learns of it later reports it), UNAVAILABLE after `close`.
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
  /**
   * Answers a service. The handler may be asynchronous; what it throws reaches the caller as an error.
   * A second server of one service is refused with CONFLICT.
   */
  serve<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    handler: (request: ServiceTypes[Name]['request']) => Promise<ServiceTypes[Name]['response']>,
  ): Closable;
  /**
   * Calls a service, waiting for a server where there is none yet. Rejects with UNAVAILABLE (no server within the
   * time, or it went away), TIMEOUT (no answer), MISMATCH (another type), CANCELLED (closed here) or the handler's error.
   */
  call<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    request: ServiceTypes[Name]['request'],
    options: { readonly timeoutMs: number },
  ): Promise<ServiceTypes[Name]['response']>;
  close(): Promise<void>;
}
