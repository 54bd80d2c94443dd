import { randomUUID } from 'node:crypto';
import type { IClientOptions, MqttClient } from 'mqtt';
import { type IqLearnError, messageOf } from '../../common/index.js';
import { createNodeLogger } from '../../platform/index.js';
import { backoffMs } from './backoff.js';
import { clientOptions } from './client-options.js';
import type { ConnectionState } from './connection-state.js';
import { lacksMqtt5, takenOver, unreachable } from './errors.js';
import { GatheredWrites } from './gathered-writes.js';
import { checkLevel } from './names.js';
import { checkSecurity, type MqttOptions } from './options.js';
import { type PresenceState, presence } from './presence.js';
import { type Publication, propertiesOf } from './publication.js';
import { type PublishDone, Refusals } from './refusals.js';
import { signsOfLife } from './signs-of-life.js';
import { traceOf } from './trace.js';

/** Of MQTT.js: makes a client, which connects at once. */
type Connect = (broker: string, options: IClientOptions) => MqttClient;

interface Subscribed {
  readonly qos: 0 | 1;
  readonly handlers: Set<OnMessage>;
}

type OnMessage = (topic: string, bytes: Uint8Array, retained: boolean, trace: string | undefined) => void;

const LONGEST_WAIT_MS = 15_000;
/** The two codes by which brokers refuse a version of the protocol: those of MQTT 3.1.1 and of MQTT 5. */
const WRONG_PROTOCOL = new Set([0x01, 0x84]);
/** A connection that was held for so long was a good one. */
const STEADY_MS = 10_000;
/** After so many failures one after the other the reason is reported. */
const REPORTED_FAILURES = 3;

/**
 * One connection to a broker, made again whenever it is lost, with growing waits. It remembers what is subscribed, and
 * subscribes all of it on every connection: whether the broker has kept a session does not matter. What is published
 * while there is no connection is refused; whoever publishes keeps it (`Outbox`).
 *
 * MQTT 5 is tried first. A broker that has 3.1.1 only is accepted, and a warning says what is lost by it: the broker cannot
 * drop what became too old, and says less about why it refuses something. All that the link must keep is checked at the
 * ends and does not depend on it.
 */
export class MqttConnection {
  readonly fleet: string;
  /** Identity of this connection as a sender. */
  readonly sender = randomUUID();
  readonly limits: NonNullable<MqttOptions['limits']> | undefined;
  readonly report: (error: IqLearnError) => void;
  readonly #refusals: Refusals;
  readonly #writes = new GatheredWrites();
  readonly #options: MqttOptions;
  readonly #connect: Connect;
  readonly #topics = new Map<string, Subscribed>();
  readonly #wildcards = new Map<string, Subscribed>();
  readonly #onChange = new Set<() => void>();
  #client: MqttClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #protocol: 5 | 4 = 5;
  #spoken: ConnectionState['protocol'] = null;
  #connections = 0;
  #reason = 'not connected yet';
  /** When the connection was made, in milliseconds of the steady clock. */
  #madeMs = 0;
  #connected = false;
  #ended = false;
  /** Subscriptions that the broker has not confirmed. */
  #unconfirmed = 0;

  /** Throws INVALID_ARGUMENT for names and for brokers that are not safe. Use {@link openMqtt}. */
  constructor(options: MqttOptions, connect: Connect) {
    checkSecurity(options);
    checkLevel('fleet', options.fleet);
    this.#options = options;
    this.#connect = connect;
    this.fleet = options.fleet;
    this.limits = options.limits;
    this.report = options.onError ?? ((error) => createNodeLogger('link').error(error.message, { code: error.code }));
    this.#refusals = new Refusals(this.report);
    this.#open();
  }

  get state(): ConnectionState {
    return {
      connected: this.#connected,
      protocol: this.#spoken,
      connections: this.#connections,
      reason: this.#connected ? '' : this.#reason,
    };
  }

  /** Whether the broker has confirmed everything that is subscribed. */
  get isSubscribed(): boolean {
    return this.#connected && this.#unconfirmed === 0;
  }

  /** Calls `listener` whenever the connection was made or lost. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#onChange.add(listener);
    return () => void this.#onChange.delete(listener);
  }

  /** Resolves when there is a connection; rejects with UNAVAILABLE after `timeoutMs`, with the reason. */
  async connected(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let stop: (() => void) | undefined;
    const made = new Promise<void>((resolve) => {
      stop = this.onChange(() => this.#connected && resolve());
      timer = setTimeout(resolve, timeoutMs);
    });
    if (!this.#connected) await made;
    stop?.();
    clearTimeout(timer);
    if (!this.#connected) throw unreachable(this.#options.broker, this.#reason, `a broker within ${timeoutMs} ms`);
  }

  /** Publishes, and calls `done` once, when the broker (QoS 0: the socket) has it, or it is known that it has not. */
  publish(publication: Publication, done: PublishDone = () => {}): void {
    const client = this.#client;
    if (client === undefined || !this.#connected) {
      done('lost');
      return;
    }
    const { topic, bytes, qos, retain } = publication;
    this.#writes.gather(client.stream);
    client.publish(topic, bytes as Buffer, { qos, retain, ...propertiesOf(publication, this.#protocol) }, (error) =>
      done(this.#refusals.outcome(topic, error)),
    );
  }

  /** Subscribes now and on every later connection; a topic may end with /#. Returns what ends the subscription. */
  subscribe(topic: string, qos: 0 | 1, handler: OnMessage): () => void {
    const known = this.#topics.get(topic);
    const entry = known ?? { qos, handlers: new Set<OnMessage>() };
    entry.handlers.add(handler);
    this.#topics.set(topic, entry);
    if (topic.endsWith('/#')) this.#wildcards.set(topic, entry);
    // Also where it is subscribed already: the broker gives its retained message again, which this handler waits for.
    this.#sendSubscription(topic, entry.qos);
    return () => {
      entry.handlers.delete(handler);
      if (entry.handlers.size > 0 || this.#topics.get(topic) !== entry) return;
      this.#topics.delete(topic);
      this.#wildcards.delete(topic);
      if (this.#connected) this.#client?.unsubscribe(topic, () => {});
    };
  }

  /** Says that this end goes, and closes the connection. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    if (client === undefined) return;
    if (this.#connected && this.#options.presence !== undefined)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.publish(this.#presence('OFFLINE'), () => {
          clearTimeout(timer);
          resolve();
        });
      });
    this.#lost('closed');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => client.end(true, {}, () => resolve()), 1000);
      client.end(false, {}, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #open(): void {
    const { broker, presence } = this.#options;
    const will = presence === undefined ? undefined : this.#presence('CONNECTIONBROKEN');
    const client = this.#connect(broker, clientOptions(this.#options, this.#protocol, will));
    this.#client = client;
    client.on('connect', () => this.#made(client));
    client.on('message', (topic, payload, { retain, properties }) => {
      this.#writes.gather(client.stream);
      this.#deliver(topic, payload, retain, traceOf(properties));
    });
    client.on('packetreceive', signsOfLife(client));
    client.on('error', (error) => this.#failed(error));
    client.on('close', () => {
      if (this.#client === client) this.#closed(client);
    });
  }

  #deliver(...message: Parameters<OnMessage>): void {
    const [topic] = message;
    const handlers = [...(this.#topics.get(topic)?.handlers ?? [])];
    for (const [filter, entry] of this.#wildcards)
      if (topic.startsWith(filter.slice(0, -1))) handlers.push(...entry.handlers);
    for (const handler of handlers) handler(...message);
  }

  #made(client: MqttClient): void {
    if (this.#ended || this.#client !== client) return;
    // Small messages are sent at once instead of being gathered for 40 ms.
    (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
    // As many publications may wait for room in the socket as the outboxes of all topics let go.
    client.stream.setMaxListeners(0);
    this.#connected = true;
    this.#madeMs = performance.now();
    this.#connections += 1;
    this.#spoken = this.#protocol === 5 ? '5' : '3.1.1';
    this.#unconfirmed = 0;
    this.#refusals.clear();
    for (const [topic, { qos }] of this.#topics) this.#sendSubscription(topic, qos);
    if (this.#options.presence !== undefined) this.publish(this.#presence('ONLINE'));
    this.#changed();
  }

  #sendSubscription(topic: string, qos: 0 | 1): void {
    const client = this.#client;
    if (client === undefined || !this.#connected) return;
    const connection = this.#connections;
    this.#unconfirmed += 1;
    client.subscribe(topic, { qos }, (error) => {
      if (connection !== this.#connections || !this.#connected) return;
      this.#unconfirmed -= 1;
      if (error !== null) this.#refusals.subscription(topic, messageOf(error));
      if (this.#unconfirmed > 0) return;
      this.#refusals.answered();
      this.#changed();
    });
  }

  #failed(error: Error & { readonly code?: number | string }): void {
    if (this.#protocol === 5 && typeof error.code === 'number' && WRONG_PROTOCOL.has(error.code)) {
      this.#protocol = 4;
      // It is tried at once, and is no failure.
      this.#failures = -1;
      this.report(lacksMqtt5(this.#options.broker, messageOf(error)));
      return;
    }
    this.#reason = messageOf(error);
  }

  #closed(client: MqttClient): void {
    const was = this.#connected;
    this.#client = undefined;
    const heldMs = performance.now() - this.#madeMs;
    if (was && heldMs > STEADY_MS) this.#failures = 0;
    this.#lost(was ? `the connection was lost ${Math.round(heldMs)} ms after it was made` : this.#reason);
    // What was on its way to the broker is told only by this that it may not have arrived: else it would be neither sent
    // again nor dropped, and a publisher with as many as may be in flight would never send anything again.
    client.end(true);
    if (this.#ended) return;
    // Two clients with one name would end each other's connection for ever: so a short one counts as a failure.
    const { broker, clientId, random = Math.random, longestWaitMs = LONGEST_WAIT_MS } = this.#options;
    if (this.#failures === REPORTED_FAILURES)
      this.report(
        was
          ? takenOver(clientId, this.#reason)
          : unreachable(broker, this.#reason, 'a broker that takes the connection'),
      );
    const waitMs = this.#failures < 0 ? 0 : backoffMs(this.#failures, random(), longestWaitMs);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#open(), waitMs);
  }

  #lost(reason: string): void {
    this.#reason = reason;
    if (!this.#connected) return;
    this.#connected = false;
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#onChange]) listener();
  }

  #presence(state: PresenceState): Publication {
    // The broker publishes CONNECTIONBROKEN for the connection that is being made.
    const connection = this.#connections + (state === 'CONNECTIONBROKEN' ? 1 : 0);
    return presence(this.fleet, this.#options.presence!, this.sender, connection, state);
  }
}
