import { IqLearnError, messageOf, type PackedError, packError, unpackError } from '../../common/index.js';
import { type MessageTypes, protobuf, type ServiceTypeName, type WireTypeName } from '../../messages/index.js';
import type { ServiceHandler } from '../base/base-transport.js';
import { otherServiceType, serviceError } from '../base/errors.js';
import type { PendingCall } from '../base/pending-call.js';
import type { Closable } from '../transport.js';
import type { MqttConnection } from './connection.js';
import { Opener, Sealer, type TopicLimits } from './envelope.js';
import type { TopicNames } from './names.js';
import { Outbox } from './outbox.js';

type ServiceResponse = MessageTypes['iq_learn_link/msg/ServiceResponse'];

const ANNOUNCEMENT = 'std_msgs/msg/String';
const REQUEST = 'iq_learn_link/msg/ServiceRequest';
const RESPONSE = 'iq_learn_link/msg/ServiceResponse';
const LIMITS: TopicLimits = { maxBytes: 1024 * 1024, lifetimeMs: 0 };
const DEPTH = 100;

/**
 * Services over MQTT: a server says that it is there by a retained message, a call goes to the service's request topic, and
 * its answer to a topic of the caller.
 */
export class MqttServices {
  readonly #connection: MqttConnection;
  readonly #names: TopicNames;
  readonly #robot: string;
  /** Types of the services that have a server, as far as they were announced. */
  readonly #servers = new Map<string, string>();
  /** Calls that were not answered. */
  readonly #calls = new Map<bigint, PendingCall>();
  readonly #callers = new Map<string, (id: bigint, call: PendingCall) => void>();
  readonly outboxes = new Set<Outbox>();
  #nextId = 0n;
  #stopListening: (() => void) | undefined;

  constructor(connection: MqttConnection, names: TopicNames, robot: string) {
    this.#connection = connection;
    this.#names = names;
    this.#robot = robot;
  }

  serve(service: string, type: ServiceTypeName, handler: ServiceHandler): Closable {
    const opener = this.#opener(REQUEST);
    const outbox = this.#outbox();
    const announcements = new Sealer(this.#robot, this.#connection.sender, ANNOUNCEMENT);
    const announce = (): void => {
      if (!this.#connection.state.connected) return;
      const bytes = announcements.seal({ data: type });
      this.#connection.publish({ ...this.#announcement(service), bytes });
    };
    const announceAgain = this.#connection.onChange(announce);
    const responders = new Map<string, Sealer>();
    const answer = async (bytes: Uint8Array): Promise<void> => {
      const asked = opener.open(service, bytes) as { id: bigint; caller: string; request: Uint8Array } | undefined;
      if (asked === undefined || !/^[\w-]+$/.test(asked.caller)) return;
      const response = { id: asked.id, ...(await respond(service, type, handler, asked.request)) };
      const sealer = responders.get(asked.caller) ?? new Sealer(this.#robot, this.#connection.sender, RESPONSE);
      responders.set(asked.caller, sealer);
      if (responders.size > 1000) responders.delete(responders.keys().next().value!);
      outbox.push(this.#reliable(this.#names.responses(asked.caller), sealer.seal(response)));
    };
    const unsubscribe = this.#connection.subscribe(this.#names.requests(service), 1, (_, bytes) => void answer(bytes));
    announce();
    return {
      close: () => {
        announceAgain();
        unsubscribe();
        this.#connection.publish({ ...this.#announcement(service), bytes: new Uint8Array(0) });
      },
    };
  }

  send(call: PendingCall): void {
    this.#stopListening ??= this.#listen();
    const id = this.#nextId++;
    this.#calls.set(id, call);
    call.onSettled(() => this.#calls.delete(id));
    this.#request(id, call);
  }

  close(): void {
    this.#stopListening?.();
  }

  /** Sends the call if its service is known to have a server. */
  #request(id: bigint, call: PendingCall): void {
    const type = this.#servers.get(call.service);
    if (type === undefined || call.isSent) return;
    if (type !== call.type) {
      call.fail(otherServiceType(call.service, call.type, type));
      return;
    }
    let request = this.#callers.get(call.service);
    if (request === undefined) {
      request = this.#caller(call.service);
      this.#callers.set(call.service, request);
    }
    request(id, call);
  }

  #caller(service: string): (id: bigint, call: PendingCall) => void {
    const sealer = new Sealer(this.#robot, this.#connection.sender, REQUEST);
    const outbox = this.#outbox();
    const topic = this.#names.requests(service);
    return (id, call) => {
      const request = protobuf.encode(`${call.type}_Request` as WireTypeName, call.request as never);
      call.sent();
      outbox.push(this.#reliable(topic, sealer.seal({ id, caller: this.#connection.sender, request })));
    };
  }

  /** Hears of servers and of answers. */
  #listen(): () => void {
    const announcements = new Map<string, Opener>();
    const responses = this.#opener(RESPONSE);
    const root = this.#names.server('');
    const stops = [
      // Answers can come only after the subscription to them, so it is sent first.
      this.#connection.subscribe(this.#names.responses(this.#connection.sender), 1, (topic, bytes) =>
        this.#settle(responses.open(topic, bytes)),
      ),
      this.#connection.subscribe(`${root}/#`, 1, (topic, bytes) => {
        const service = topic.slice(root.length);
        if (bytes.length === 0) {
          this.#servers.delete(service);
          return;
        }
        const opener = announcements.get(service) ?? this.#opener(ANNOUNCEMENT);
        announcements.set(service, opener);
        const announced = opener.open(topic, bytes) as { data: string } | undefined;
        if (announced === undefined) return;
        this.#servers.set(service, announced.data);
        for (const [id, call] of [...this.#calls]) if (call.service === service) this.#request(id, call);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #settle(message: unknown): void {
    if (message === undefined) return;
    const { id, success, response, error } = message as ServiceResponse;
    const call = this.#calls.get(id);
    if (call === undefined) return;
    try {
      if (success) call.succeed(protobuf.decode(`${call.type}_Response` as WireTypeName, response));
      else call.fail(unpackError(JSON.parse(error) as PackedError));
    } catch (cause) {
      call.fail(
        new IqLearnError('CORRUPT_DATA', `the answer of ${call.service} cannot be read`, { found: messageOf(cause) }),
      );
    }
  }

  #opener(type: WireTypeName): Opener {
    return new Opener(this.#robot, type, LIMITS, (_, error) => error && this.#connection.report(error));
  }

  #outbox(): Outbox {
    const outbox = new Outbox(this.#connection, DEPTH);
    this.outboxes.add(outbox);
    return outbox;
  }

  #reliable(topic: string, bytes: Uint8Array) {
    return { topic, bytes, qos: 1, retain: false, lifetimeMs: 0 } as const;
  }

  #announcement(service: string) {
    return { topic: this.#names.server(service), qos: 1, retain: true, lifetimeMs: 0 } as const;
  }
}

async function respond(service: string, type: ServiceTypeName, handler: ServiceHandler, request: Uint8Array) {
  try {
    const decoded = protobuf.decode(`${type}_Request` as WireTypeName, request);
    const response = await handler(decoded as never);
    return {
      success: true,
      response: protobuf.encode(`${type}_Response` as WireTypeName, response as never),
      error: '',
    };
  } catch (cause) {
    return {
      success: false,
      response: new Uint8Array(0),
      error: JSON.stringify(packError(serviceError(service, cause))),
    };
  }
}
