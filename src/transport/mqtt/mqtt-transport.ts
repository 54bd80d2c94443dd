import type { MessageTypeName, ServiceTypeName } from '../../messages/index.js';
import {
  BaseTransport,
  type PublisherEndpoint,
  type ServiceHandler,
  type SubscriptionRequest,
} from '../base/base-transport.js';
import type { PendingCall } from '../base/pending-call.js';
import type { Closable, Qos } from '../transport.js';
import type { MqttConnection } from './connection.js';
import { Opener, type Refusal, Sealer } from './envelope.js';
import { TopicNames } from './names.js';
import { defaultLimits } from './options.js';
import { Outbox } from './outbox.js';
import type { Publication } from './publication.js';
import { MqttServices } from './services.js';
import { traceProperties } from './trace.js';

/** How long closing waits for the broker to take what was published. */
const DRAIN_MS = 2000;

/** Refusals of one kind are all counted, and reported this often: whoever sends garbage does not fill the log. */
const REPORT_PERIOD_MS = 10_000;

/** Counts of messages that did not go the way they should. */
export type MqttCounters = Readonly<Record<Refusal, number>> & { readonly dropped: number };

/**
 * The topics of one robot of a fleet over MQTT, at `iq_learn/<fleet>/<robot>/<topic>`. Reliable topics have MQTT's QoS 1,
 * best-effort topics QoS 0; `transient_local` is a retained message, so late subscribers get the last one.
 *
 * MQTT knows neither types nor qualities of service of the other end: messages flow as they can, and a message of another
 * type, of another robot, repeated, too large or too old is counted and dropped. Several transports share a connection.
 */
export class MqttTransport extends BaseTransport {
  readonly name = 'mqtt';
  readonly capabilities = {
    latchedDepth: 1,
    matchesQos: false,
    noticesClosedServers: false,
    refusesSecondServers: false,
    knowsPublishers: false,
  } as const;
  readonly robot: string;
  readonly #connection: MqttConnection;
  readonly #names: TopicNames;
  readonly #services: MqttServices;
  readonly #outboxes = new Set<Outbox>();
  readonly #reportedMs = new Map<Refusal, number>();
  readonly #refused: Record<Refusal, number> = {
    too_large: 0,
    undecodable: 0,
    other_robot: 0,
    other_type: 0,
    duplicate: 0,
    expired: 0,
  };

  /** Throws INVALID_ARGUMENT for a name that cannot be part of a topic. */
  constructor(connection: MqttConnection, robot: string) {
    super(connection.report);
    this.robot = robot;
    this.#connection = connection;
    this.#names = new TopicNames(connection.fleet, robot);
    this.#services = new MqttServices(connection, this.#names, robot);
  }

  get counters(): MqttCounters {
    return { ...this.#refused, dropped: [...this.#outboxes].reduce((sum, { dropped }) => sum + dropped, 0) };
  }

  protected override openPublisher(topic: string, type: MessageTypeName, offered: Qos): PublisherEndpoint {
    const sealer = new Sealer(this.robot, this.#connection.sender, type);
    const outbox = new Outbox(this.#connection, offered.depth);
    this.#outboxes.add(outbox);
    const { lifetimeMs } = this.#limits(topic);
    const latched = offered.durability === 'transient_local';
    const name = this.#names.topic(topic);
    let last: Publication | undefined;
    let connections = this.#connection.state.connections;
    // A broker that was restarted may have forgotten the message that it had to keep.
    const stop = this.#connection.onChange(() => {
      const state = this.#connection.state;
      if (!state.connected || state.connections === connections) return;
      if (connections > 0 && last !== undefined) outbox.push(last);
      connections = state.connections;
    });
    return {
      publish: (message, trace) => {
        const publication: Publication = {
          topic: name,
          bytes: sealer.seal(message, lifetimeMs),
          qos: offered.reliability === 'reliable' ? 1 : 0,
          retain: latched,
          lifetimeMs,
          userProperties: traceProperties(trace),
        };
        if (latched) last = publication;
        outbox.push(publication);
      },
      close: () => stop(),
    };
  }

  protected override openSubscription({ topic, type, qos, deliver, unheard }: SubscriptionRequest): Closable {
    const opener = new Opener(this.robot, type, this.#limits(topic), (reason, error) => {
      this.#refused[reason] += 1;
      const now = performance.now();
      if (error !== undefined) unheard(error);
      if (error === undefined || now - (this.#reportedMs.get(reason) ?? Number.NEGATIVE_INFINITY) < REPORT_PERIOD_MS)
        return;
      this.#reportedMs.set(reason, now);
      this.report(error);
    });
    const takesRetained = qos?.durability !== 'volatile';
    const level = qos?.reliability === 'best_effort' ? 0 : 1;
    const unsubscribe = this.#connection.subscribe(this.#names.topic(topic), level, (_, bytes, retained, trace) => {
      // An empty retained message takes back what was retained.
      if ((retained && !takesRetained) || bytes.length === 0) return;
      const message = opener.open(topic, bytes);
      if (message !== undefined) deliver({ message, receivedNs: process.hrtime.bigint(), ...(trace && { trace }) });
    });
    return { close: unsubscribe };
  }

  protected override openServer(service: string, type: ServiceTypeName, handler: ServiceHandler): Closable {
    return this.#services.serve(service, type, handler);
  }

  protected override send(call: PendingCall): void {
    this.#services.send(call);
  }

  /** What was published before is still handed to the broker, if there is a connection. */
  protected override async afterClose(): Promise<void> {
    const outboxes = [...this.#outboxes, ...this.#services.outboxes];
    if (this.#connection.state.connected) await Promise.all(outboxes.map((outbox) => outbox.drained(DRAIN_MS)));
    for (const outbox of outboxes) outbox.close();
    this.#services.close();
  }

  #limits(topic: string) {
    return this.#connection.limits?.(topic) ?? defaultLimits;
  }
}
