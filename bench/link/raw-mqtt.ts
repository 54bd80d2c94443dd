import { connect, type Socket } from 'node:net';

// MQTT 5, as much of it as a simulated robot needs: one connection costs a few microseconds a message, so that a thousand of
// them leave a machine to broker and learner. Only for this machine and brokers that behave; the product has MQTT.js.

const packet = { connect: 0x10, connack: 2, publish: 3, puback: 4, subscribe: 0x82, suback: 9 } as const;
const property = { expiry: 0x02, sessionExpiry: 0x11, receiveMaximum: 0x21, topicAlias: 0x23, user: 0x26 } as const;

/** A message to a topic that is published again and again: after the first time the broker knows it by its alias. */
export interface RawTopic {
  readonly name: string;
  readonly alias: number;
  readonly qos: 0 | 1;
  readonly retain?: boolean;
  /** Seconds after which the broker drops the message; 0 for never. */
  readonly expiryS?: number;
}

export interface RawHandlers {
  /** A message came; `payload` is a view that is only valid during the call. */
  message(topic: string, payload: Uint8Array): void;
  closed(): void;
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

/** A length as MQTT writes it, in as few bytes as it needs. */
export function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

const framed = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type]), remainingLength(body.length), body]);

/** A `traceparent` that is always the same: those of real robots differ in their digits. */
const TRACE = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;

export class RawMqtt {
  readonly #socket: Socket;
  readonly #handlers: RawHandlers;
  readonly #known = new Set<number>();
  #rest: Buffer = Buffer.alloc(0);
  #nextId = 1;
  #answered: (() => void) | undefined;
  #unacknowledged = 0;

  private constructor(socket: Socket, handlers: RawHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('close', () => handlers.closed());
    socket.on('error', () => {});
  }

  /** A connection to the broker on this machine, once it has accepted it. */
  static async open(port: number, clientId: string, handlers: RawHandlers): Promise<RawMqtt> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const client = new RawMqtt(socket, handlers);
    const properties = Buffer.from([
      property.sessionExpiry,
      0,
      0,
      0,
      0,
      property.receiveMaximum,
      1000 >> 8,
      1000 & 0xff,
    ]);
    const head = Buffer.from([5, 0x02, 0, 60, properties.length]);
    await client.#ask(framed(packet.connect, Buffer.concat([text('MQTT'), head, properties, text(clientId)])));
    return client;
  }

  /** Messages of quality of service 1 that the broker has not acknowledged. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  async subscribe(topic: string, qos: 0 | 1): Promise<void> {
    const id = this.#id();
    const body = Buffer.concat([Buffer.from([id >> 8, id & 0xff, 0]), text(topic), Buffer.from([qos])]);
    await this.#ask(framed(packet.subscribe, body));
  }

  /** Publishes, with the properties that the link's own clients give: alias, expiry, and a trace. */
  publish(topic: RawTopic, payload: Uint8Array): void {
    const { name, alias, qos, retain = false, expiryS = 0 } = topic;
    const isKnown = this.#known.has(alias);
    this.#known.add(alias);
    const parts = [
      ...(expiryS > 0 ? [Buffer.from([property.expiry, 0, 0, 0, expiryS])] : []),
      Buffer.from([property.topicAlias, 0, alias]),
      USER,
    ];
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    const head = [isKnown ? NO_TOPIC : text(name)];
    if (qos === 1) {
      const id = this.#id();
      head.push(Buffer.from([id >> 8, id & 0xff]));
      this.#unacknowledged++;
    }
    head.push(Buffer.from([size]), ...parts);
    const headSize = head.reduce((sum, { length }) => sum + length, 0);
    const first = Buffer.from([0x30 | (qos << 1) | (retain ? 1 : 0)]);
    this.#socket.write(Buffer.concat([first, remainingLength(headSize + payload.length), ...head, payload]));
  }

  end(): void {
    this.#socket.destroy();
  }

  #id(): number {
    const id = this.#nextId;
    this.#nextId = id === 0xffff ? 1 : id + 1;
    return id;
  }

  async #ask(bytes: Buffer): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    this.#socket.write(bytes);
    await answered;
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      let length = 0;
      let start = at + 1;
      let ended = false;
      for (let shift = 0; start < bytes.length && !ended; shift += 7) {
        const byte = bytes[start++]!;
        length |= (byte & 0x7f) << shift;
        ended = byte < 0x80;
      }
      if (!ended || start + length > bytes.length) break;
      this.#hear(bytes[at]!, bytes, start, start + length);
      at = start + length;
    }
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  #hear(first: number, bytes: Buffer, start: number, end: number): void {
    const type = first >> 4;
    if (type === packet.puback) this.#unacknowledged--;
    else if (type === packet.publish) this.#message(first, bytes, start, end);
    else if (type === packet.connack || type === packet.suback) this.#answered?.();
  }

  #message(first: number, bytes: Buffer, start: number, end: number): void {
    const topicEnd = start + 2 + bytes.readUInt16BE(start);
    let at = topicEnd;
    if ((first & 0x06) !== 0) {
      this.#socket.write(Buffer.from([packet.puback << 4, 2, bytes[at]!, bytes[at + 1]!]));
      at += 2;
    }
    // Properties of more than 127 bytes have a length of two.
    let size = bytes[at++]!;
    if (size >= 0x80) size = (size & 0x7f) | (bytes[at++]! << 7);
    this.#handlers.message(bytes.toString('latin1', start + 2, topicEnd), bytes.subarray(at + size, end));
  }
}

const NOTHING = Buffer.alloc(0);
const NO_TOPIC = Buffer.from([0, 0]);
const USER = Buffer.concat([Buffer.from([property.user]), text('traceparent'), text(TRACE)]);
