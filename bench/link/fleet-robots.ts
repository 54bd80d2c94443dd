import { Random } from '../../src/common/index.js';
import { linkTopics, type SpoolRecord, StreamSender, type StreamSource } from '../../src/link/index.js';
import { emptyMessage, type MessageTypes, protobuf } from '../../src/messages/index.js';
import { StatusRhythm } from '../../src/nodes/gateway/status-rhythm.js';
import { loadRobotSpec } from '../../src/robot/index.js';
import { Opener } from '../../src/transport/mqtt/envelope.js';
import { RawMqtt, type RawTopic } from './raw-mqtt.js';
import { BatchWriter, sealed } from './robot-packets.js';

// Robots of a fleet in one process, each with a connection of its own: fleet-robots.js PORT FIRST COUNT HZ. Each drives at HZ,
// sends its transitions by the protocol of the link (its sender is the product's), and says once per second how it stands.
// Everything else is as cheap as can be, for broker and learner are measured and not the robots: a transition is a number from
// which its bytes follow, so that none is kept, and connections are bare sockets. Says `ready` when all are subscribed, begins at
// a line on stdin, ends driving at the next and says `driven N`, and `arrived` when the learner's side has said that it has
// everything.

const [port, first, count, hz] = process.argv.slice(2).map(Number) as [number, number, number, number];
const TICK_MS = 10;
/** Between two looks at one robot: those of a gateway. */
const PUMP_MS = 50;
const STATUS_MS = 1000;
const GATHER_MS = 200;
const CONNECTING = 20;
const spec = loadRobotSpec('rover');
const random = Random.derive(first, 'fleet robots');
const row = (features: readonly { readonly low: number; readonly high: number }[]): Uint8Array => {
  const numbers = features.map(({ low, high }) => random.uniform(Math.max(low, -1), Math.min(high, 1)));
  return new Uint8Array(Float32Array.from(numbers).buffer);
};
/** Made once: drawing numbers is not what is measured. */
const observations = Array.from({ length: 997 }, () => row(spec.observation));
const actions = Array.from({ length: 89 }, () => row(spec.action));

/** Of a record only its size is looked at. */
const PAYLOAD = new Uint8Array(190);
const messageOf = {
  batch: 'iq_learn_link/msg/StreamBatch',
  status: 'iq_learn_link/msg/GatewayStatus',
  question: 'iq_learn_link/msg/ClockProbe',
  presence: 'iq_learn_link/msg/Presence',
} as const;

/** All transitions up to now: none has to be kept, because each can be made again. */
class Driven implements StreamSource {
  readonly epoch = BigInt(Date.now());
  last = 0n;

  read(after: bigint, maxBytes: number): { previous: bigint; records: SpoolRecord[] } {
    const length = Math.min(Number(this.last - after), Math.ceil(maxBytes / PAYLOAD.length));
    const records = Array.from({ length }, (_, i): SpoolRecord => {
      return { sequence: after + BigInt(i + 1), class: 'state', topic: '/transitions', payload: PAYLOAD };
    });
    return { previous: after, records };
  }

  confirm(): void {}
}

class Robot {
  readonly #name: string;
  readonly #driven = new Driven();
  readonly #sender: StreamSender;
  readonly #rhythm = new StatusRhythm();
  readonly #status: Uint8Array;
  readonly #topics: Readonly<Record<keyof typeof messageOf, RawTopic>>;
  #client!: RawMqtt;
  #writer!: BatchWriter;
  #sequence = 0;
  #startMs = 0;
  statusMs = performance.now() + random.uniform(0, STATUS_MS);

  constructor(name: string) {
    this.#name = name;
    const topic = (
      entry: { readonly topic: string; readonly lifetimeMs: number },
      alias: number,
      qos: 0 | 1,
    ): RawTopic => {
      return { name: this.#topic(entry.topic), alias, qos, expiryS: Math.ceil(entry.lifetimeMs / 1000) };
    };
    this.#topics = {
      batch: topic(linkTopics.stream, 1, 1),
      status: topic(linkTopics.gatewayStatus, 2, 0),
      question: topic(linkTopics.clockQuestion, 3, 0),
      presence: { ...topic(linkTopics.presence, 4, 1), retain: true },
    };
    const status = { ...emptyMessage(messageOf.status), robot: name, policy_version: -1n };
    this.#status = protobuf.encode(messageOf.status, status);
    this.#sender = new StreamSender({
      robot: name,
      source: this.#driven,
      gatherMs: GATHER_MS,
      nowMs: () => performance.now(),
      publish: ({ previous, records }) => this.#send(Number(previous), records.length),
    });
  }

  /** Connects, and subscribes to what a robot's gateway subscribes to. */
  async connect(): Promise<void> {
    const name = this.#topic(linkTopics.position.topic);
    const opener = new Opener(this.#name, 'iq_learn_link/msg/StreamPosition', linkTopics.position, () => {});
    this.#client = await RawMqtt.open(port, this.#name, {
      message: (topic, payload) => {
        if (topic !== name) return;
        const position = opener.open(topic, payload);
        if (position !== undefined) this.#sender.position(position as MessageTypes['iq_learn_link/msg/StreamPosition']);
      },
      closed: () => process.stderr.write(`${this.#name} has lost its connection\n`),
    });
    for (const entry of [linkTopics.position, linkTopics.policy])
      await this.#client.subscribe(this.#topic(entry.topic), 1);
    for (const entry of [linkTopics.learnerStatus, linkTopics.clockAnswer])
      await this.#client.subscribe(this.#topic(entry.topic), 0);
    const online = { ...emptyMessage(messageOf.presence), robot: this.#name, state: 'ONLINE' };
    this.#publish('presence', protobuf.encode(messageOf.presence, online));
  }

  get isDone(): boolean {
    return this.#sender.isDone;
  }

  get sent(): number {
    return Number(this.#driven.last);
  }

  begin(nowMs: number): void {
    this.#startMs = nowMs + random.uniform(0, 1000 / hz);
    this.#writer = new BatchWriter({
      robot: spec.robot,
      session: 'policy-3f1c9c1e-9b52-4a41',
      observations,
      actions,
      episode: 200,
      startMs: performance.timeOrigin + this.#startMs,
      periodMs: 1000 / hz,
    });
  }

  /** Every step that is due has been made: its stamp is the time at which it was due, however late this is called. */
  drive(nowMs: number): void {
    if (nowMs >= this.#startMs) this.#driven.last = BigInt(Math.floor(((nowMs - this.#startMs) * hz) / 1000) + 1);
  }

  /** Sends what is due, and says how it stands, as a robot's gateway does. */
  look(nowMs: number): void {
    this.#sender.pump();
    if (nowMs < this.statusMs) return;
    this.statusMs += STATUS_MS;
    const due = this.#rhythm.due(nowMs, Math.max(STATUS_MS, this.#sender.statusMs));
    if (due === undefined) return;
    this.#publish('status', this.#status);
    if (!due.asksForTime) return;
    const asked_ns = BigInt(Date.now()) * 1_000_000n;
    this.#publish('question', protobuf.encode(messageOf.question, { robot: this.#name, asked_ns, answered_ns: 0n }));
  }

  #send(previous: number, length: number): void {
    this.#publish('batch', this.#writer.write(this.#name, Number(this.#driven.epoch), previous, previous + length));
  }

  #publish(kind: keyof typeof messageOf, payload: Uint8Array): void {
    const topic = this.#topics[kind];
    const sentNs = BigInt(Date.now()) * 1_000_000n;
    const lifetimeMs = 1000 * (topic.expiryS ?? 0);
    const head = { name: this.#name, sender: this.#name, sequence: this.#sequence++, sentNs, lifetimeMs };
    this.#client.publish(topic, sealed(head, messageOf[kind], payload));
  }

  #topic(topic: string): string {
    return `iq_learn/fleet/${this.#name}${topic}`;
  }
}

const robots = Array.from({ length: count }, (_, i) => new Robot(`robot-${first + i}`));
for (let i = 0; i < count; i += CONNECTING)
  await Promise.all(robots.slice(i, i + CONNECTING).map((each) => each.connect()));
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
let driving = true;
process.stdin.once('data', () => {
  driving = false;
  process.stdout.write(`driven ${robots.reduce((sum, { sent }) => sum + sent, 0)}\n`);
});
const start = performance.now();
for (const robot of robots) robot.begin(start);
/** At each tick a part of the robots has its turn. */
const PARTS = PUMP_MS / TICK_MS;
let part = 0;
const timer = setInterval(() => {
  const now = performance.now();
  for (let i = part; i < robots.length; i += PARTS) {
    if (driving) robots[i]!.drive(now);
    robots[i]!.look(now);
  }
  part = (part + 1) % PARTS;
  if (driving || !robots.every(({ isDone }) => isDone)) return;
  clearInterval(timer);
  process.stdout.write('arrived\n', () => process.exit(0));
}, TICK_MS);
