import type { IqLearnError } from '../common/index.js';
import type { MessageTypeName, MessageTypes, ServiceTypeName, ServiceTypes } from '../messages/index.js';

/**
 * ROS 2 quality of service, as far as it is used here. A publisher offers one, a subscriber requests one.
 * `depth` is the number of messages kept for a subscriber that is behind, and for late subscribers of a
 * `transient_local` topic.
 */
export interface Qos {
  readonly reliability: 'reliable' | 'best_effort';
  readonly durability: 'volatile' | 'transient_local';
  readonly depth: number;
}

/**
 * What a subscriber requests. `best_available` is the reliability that all publishers of the topic offer, and follows
 * those that come later: nothing of a publisher is refused, and of one that is reliable nothing is lost.
 */
export interface RequestedQos extends Omit<Qos, 'reliability'> {
  readonly reliability: Qos['reliability'] | 'best_available';
}

/** The profiles this project uses, by kind of topic. */
export const qos = {
  sensor: { reliability: 'best_effort', durability: 'volatile', depth: 5 },
  command: { reliability: 'reliable', durability: 'volatile', depth: 1 },
  event: { reliability: 'reliable', durability: 'volatile', depth: 100 },
  latched: { reliability: 'reliable', durability: 'transient_local', depth: 1 },
} as const satisfies Record<string, Qos>;

/** What a publisher offers where the caller gives nothing: ROS 2's default. */
export const defaultQos: Qos = { reliability: 'reliable', durability: 'volatile', depth: 10 };

/** Metadata passed to a subscriber with each message. */
export interface MessageInfo {
  readonly topic: string;
  /** Arrival time on the steady clock, in nanoseconds. */
  readonly receivedNs: bigint;
  /** The trace that the message belongs to, 32 hexadecimal digits, where the medium carries one (MQTT 5). */
  readonly trace?: string;
}

/** Who is told, besides the log, why nothing of a publisher arrives. */
export interface Unheard {
  /** The reason: another type or a quality of service that does not match, bytes that are no such message. */
  readonly tell: (reason: IqLearnError) => void;
  /** Whether a topic that has another type now is subscribed to all the same, where that can be done: it may be put right. */
  readonly waits: boolean;
}

export interface Publisher<Message> {
  readonly topic: string;
  /**
   * Sends the message. The caller must not change it afterwards: subscribers in the same process share the object. `trace`
   * is that of the message which this one answers, where the medium carries traces; else it begins a new one.
   */
  publish(message: Message, trace?: string): void;
  close(): void;
}

export interface Closable {
  close(): void;
}

/**
 * What one transport can do and another cannot. The guarantees of {@link Transport} hold for all; a caller that needs
 * more asks here.
 */
export interface TransportCapabilities {
  /**
   * The number of messages of each `transient_local` publisher that late subscribers get: Infinity for the publisher's
   * depth, 1 where the medium retains a single message. A publisher that offers more is refused with UNSUPPORTED.
   */
  readonly latchedDepth: number;
  /**
   * Whether a subscriber that requests more than a publisher offers gets nothing of it, as in ROS 2, and both that and
   * a topic with two types are reported. Elsewhere messages flow as well as the medium can, and nothing is reported.
   */
  readonly matchesQos: boolean;
  /** Whether a call ends with UNAVAILABLE as soon as its server closes; elsewhere it ends with its timeout. */
  readonly noticesClosedServers: boolean;
  /** Whether a second server of a service is refused with CONFLICT when it is made; elsewhere it is not, or only reported. */
  readonly refusesSecondServers: boolean;
  /** Whether {@link Transport.publishersOf} knows a number. */
  readonly knowsPublishers: boolean;
}

/**
 * The port: publish, subscribe, call, serve. Nodes know this and never an adapter (`embedded`, `ros2`).
 *
 * Guarantees every adapter gives (test/conformance/transport): a handler never runs inside `publish`; messages of
 * one publisher to one subscriber keep their order; a `transient_local` topic gives its last messages to late
 * subscribers; a subscriber that is behind keeps the newest `depth` messages (KEEP_LAST, whatever the reliability);
 * a handler that throws or rejects is reported and disturbs no other; what was published before `close` is still
 * delivered to the others, and after `close` nothing is delivered here.
 *
 * Without `qos` a publisher offers {@link defaultQos}; a subscriber takes what each publisher offers, with depth 10.
 * Throws NOT_FOUND for an unknown type, INVALID_ARGUMENT for a wrong name, MISMATCH where a topic has another type
 * (an adapter that only learns of it later reports it), UNAVAILABLE after `close`.
 */
export interface Transport {
  readonly name: string;
  readonly capabilities: TransportCapabilities;
  advertise<Name extends MessageTypeName>(topic: string, type: Name, qos?: Qos): Publisher<MessageTypes[Name]>;
  subscribe<Name extends MessageTypeName>(
    topic: string,
    type: Name,
    handler: (message: MessageTypes[Name], info: MessageInfo) => void,
    qos?: RequestedQos,
    unheard?: Unheard,
  ): Closable;
  /** How many publish on a topic, this transport's own among them; undefined where the medium does not know. */
  publishersOf(topic: string): number | undefined;
  /**
   * Answers a service. What the handler rejects with reaches the caller as an error.
   */
  serve<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    handler: (request: ServiceTypes[Name]['request']) => Promise<ServiceTypes[Name]['response']>,
  ): Closable;
  /**
   * Calls a service, and waits for a server where there is none yet. Rejects with UNAVAILABLE (no server within the
   * time, or it closed before it answered), TIMEOUT (no answer), MISMATCH (the service has another type), CANCELLED
   * (this transport was closed) or the handler's error.
   */
  call<Name extends ServiceTypeName>(
    service: string,
    type: Name,
    request: ServiceTypes[Name]['request'],
    options: { readonly timeoutMs: number },
  ): Promise<ServiceTypes[Name]['response']>;
  /** Closes every publisher, subscription and service, and cancels calls. Resolves when what was published has left. */
  close(): Promise<void>;
}
