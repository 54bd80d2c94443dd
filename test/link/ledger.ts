import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  linkTopics,
  Spool,
  type StreamBatch,
  type StreamPlace,
  StreamReceiver,
  StreamSender,
  type StreamStanding,
} from '#src/link/index.js';
import { emptyMessage } from '#src/messages/index.js';
import { qos, type Transport } from '#src/transport/index.js';

const Batch = 'iq_learn_link/msg/StreamBatch';
const Position = 'iq_learn_link/msg/StreamPosition';

/** The learner's side of one robot: a ledger in memory, and a checkpoint of it with the place in the stream. */
export class Learner {
  readonly #robot: string;
  ledger: string[] = [];
  #places: StreamPlace[] = [];
  #saved: { ledger: string[]; place: StreamPlace | undefined } = { ledger: [], place: undefined };
  #receiver!: StreamReceiver;

  constructor(robot: string, transport: Transport) {
    this.#robot = robot;
    const positions = transport.advertise(`/${robot}${linkTopics.position.topic}`, Position, qos.latched);
    this.#start((standing) => positions.publish({ ...emptyMessage(Position), ...standing }));
    transport.subscribe(`/${robot}${linkTopics.stream.topic}`, Batch, (batch) => this.#receiver.take(batch), qos.event);
  }

  checkpoint(): void {
    const place = this.#places.at(-1);
    this.#saved = { ledger: [...this.ledger], place: place ?? this.#saved.place };
    if (place !== undefined) this.#receiver.confirm(place);
  }

  announce(): void {
    this.#receiver.announce();
  }

  /** What kill -9 and a new start do: everything since the checkpoint is gone. */
  kill(): void {
    this.ledger = [...this.#saved.ledger];
    this.#places = [];
    this.#start(this.#publish);
    this.announce();
  }

  #publish: (standing: StreamStanding) => void = () => {};

  #start(publish: (standing: StreamStanding) => void): void {
    this.#publish = publish;
    this.#receiver = new StreamReceiver({
      robot: this.#robot,
      ...(this.#saved.place && { start: this.#saved.place }),
      publish,
      deliver: ({ payload }, place) => {
        this.ledger.push(new TextDecoder().decode(payload));
        this.#places.push(place);
      },
    });
  }
}

/** The robot's side: what it wrote, a spool, and a sender that both survive a kill only on the disk. */
export class Robot {
  readonly name: string;
  readonly written: string[] = [];
  readonly #root: string;
  readonly #retryMs: number;
  #spool!: Spool;
  #sender!: StreamSender;
  #timer: NodeJS.Timeout;

  /** `retryMs` has to be longer than the way there and back, or all that is sent is sent again. */
  constructor(name: string, root: string, transport: Transport, retryMs = 100) {
    this.name = name;
    this.#retryMs = retryMs;
    this.#root = root;
    const batches = transport.advertise(`/${name}${linkTopics.stream.topic}`, Batch, qos.event);
    this.#open((batch) => batches.publish(batch));
    transport.subscribe(
      `/${name}${linkTopics.position.topic}`,
      Position,
      (position) => this.#sender.position(position),
      qos.latched,
    );
    this.#timer = setInterval(() => this.#sender.pump(), 10);
  }

  write(): void {
    const text = `${this.name} ${this.written.length}`;
    this.written.push(text);
    this.#spool.append('state', '/transitions', new TextEncoder().encode(text));
    this.#sender.pump();
  }

  get isDone(): boolean {
    return this.#sender.isDone;
  }

  kill(): void {
    this.#spool.close();
    this.#open(this.#publish);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#spool.close();
  }

  #publish: (batch: StreamBatch) => void = () => {};

  #open(publish: (batch: StreamBatch) => void): void {
    this.#publish = publish;
    this.#spool = new Spool({ folder: join(this.#root, this.name), maxBytes: 1e8, nowNs: () => 1n, warn: () => {} });
    this.#sender = new StreamSender({
      robot: this.name,
      source: this.#spool,
      publish,
      nowMs: () => performance.now(),
      batchBytes: 2000,
      windowBytes: 20_000,
      retryMs: this.#retryMs,
    });
  }
}

export const hash = (lines: readonly string[]): string => createHash('sha256').update(lines.join('\n')).digest('hex');
