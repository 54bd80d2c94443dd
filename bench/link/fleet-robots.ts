import mqtt from 'mqtt';
import { Random } from '../../src/common/index.js';
import { encodeRecorded, linkTopics, type SpoolRecord, StreamSender, type StreamSource } from '../../src/link/index.js';
import { emptyMessage, type MessageTypes, type Transition } from '../../src/messages/index.js';
import { StatusRhythm } from '../../src/nodes/gateway/status-rhythm.js';
import { loadRobotSpec } from '../../src/robot/index.js';
import { Opener, Sealer } from '../../src/transport/mqtt/envelope.js';

// Robots of a fleet in one process, each with a connection of its own: fleet-robots.js PORT FIRST COUNT HZ. Each drives at HZ,
// sends its transitions by the protocol of the link with its records in memory, and says once per second how it stands.
// Says `ready` when all are subscribed, begins at a line on stdin, ends driving at the next and says `driven N`, and `arrived`
// when the learner's side has said that it has everything.

const [port, first, count, hz] = process.argv.slice(2).map(Number) as [number, number, number, number];
const TICK_MS = 10;
const STATUS_MS = 1000;
const GATHER_MS = 200;
const EPISODE = 200;
const spec = loadRobotSpec('rover');
const random = Random.derive(first, 'fleet robots');
const row = (features: readonly { readonly low: number; readonly high: number }[]): Float32Array =>
  Float32Array.from(features, ({ low, high }) => random.uniform(Math.max(low, -1), Math.min(high, 1)));
/** Made once: drawing numbers is not what is measured. */
const observations = Array.from({ length: 997 }, () => row(spec.observation));
const actions = Array.from({ length: 89 }, () => row(spec.action));

const constant: Transition = {
  ...emptyMessage('iq_learn/msg/Transition'),
  robot: spec.robot,
  session: 'policy-3f1c9c1e-9b52-4a41',
  reward: Number.NaN,
};

/** Records that the learner's side does not have, in memory. */
class Memory implements StreamSource {
  readonly epoch = BigInt(Date.now());
  last = 0n;
  #records: SpoolRecord[] = [];

  add(payload: Uint8Array): void {
    this.last += 1n;
    this.#records.push({ sequence: this.last, class: 'state', topic: '/transitions', payload });
  }

  read(after: bigint, maxBytes: number): { previous: bigint; records: SpoolRecord[] } {
    const from = Math.max(0, Number(after - (this.#records[0]?.sequence ?? 1n)) + 1);
    let to = from;
    for (let bytes = 0; to < this.#records.length && bytes < maxBytes; to++) bytes += this.#records[to]!.payload.length;
    return { previous: after, records: this.#records.slice(from, to) };
  }

  confirm(): void {}

  /** The learner of this bench is never killed: what it has received is not asked for again. */
  forget(received: bigint): void {
    const gone = Number(received - (this.#records[0]?.sequence ?? received + 1n)) + 1;
    if (gone > 0) this.#records = this.#records.slice(gone);
  }
}

class Robot {
  readonly #name: string;
  readonly #memory = new Memory();
  readonly #client: mqtt.MqttClient;
  readonly #sender: StreamSender;
  readonly #status: Sealer;
  readonly #question: Sealer;
  readonly #rhythm = new StatusRhythm();
  #step = 0;
  nextMs: number;
  statusMs: number;

  constructor(name: string, client: mqtt.MqttClient) {
    this.#name = name;
    this.#client = client;
    this.nextMs = performance.now() + random.uniform(0, 1000 / hz);
    this.statusMs = performance.now() + random.uniform(0, STATUS_MS);
    const sealer = new Sealer(name, name, 'iq_learn_link/msg/StreamBatch');
    this.#status = new Sealer(name, name, 'iq_learn_link/msg/GatewayStatus');
    this.#question = new Sealer(name, name, 'iq_learn_link/msg/ClockProbe');
    this.#sender = new StreamSender({
      robot: name,
      source: this.#memory,
      gatherMs: GATHER_MS,
      nowMs: () => performance.now(),
      publish: (batch) => this.#publish(linkTopics.stream.topic, sealer.seal(batch), 1),
    });
  }

  async start(): Promise<void> {
    const opener = new Opener(this.#name, 'iq_learn_link/msg/StreamPosition', linkTopics.position, () => {});
    this.#client.on('message', (_, payload) => {
      const position = opener.open(linkTopics.position.topic, payload) as
        | MessageTypes['iq_learn_link/msg/StreamPosition']
        | undefined;
      if (position === undefined) return;
      if (position.epoch === this.#memory.epoch) this.#memory.forget(position.received);
      this.#sender.position(position);
    });
    await this.#client.subscribeAsync(this.#topic(linkTopics.position.topic), { qos: 1 });
    const presence = new Sealer(this.#name, this.#name, 'iq_learn_link/msg/Presence');
    const online = { ...emptyMessage('iq_learn_link/msg/Presence'), robot: this.#name, state: 'ONLINE' };
    this.#client.publish(this.#topic(linkTopics.presence.topic), presence.seal(online) as Buffer, {
      qos: 1,
      retain: true,
    });
  }

  get isDone(): boolean {
    return this.#sender.isDone;
  }

  get sent(): bigint {
    return this.#memory.last;
  }

  /** The next step, which is due at `atMs` of the time of day: one that is made late is a late one. */
  drive(atMs: number): void {
    const i = this.#step++;
    const now = Math.round(atMs);
    const transition: Transition = {
      ...constant,
      header: { stamp: { sec: Math.floor(now / 1000), nanosec: (now % 1000) * 1_000_000 }, frame_id: '' },
      sequence: BigInt(i),
      episode: Math.floor(i / EPISODE),
      step: i % EPISODE,
      observation: observations[i % observations.length]!,
      action: actions[i % actions.length]!,
      next_observation: observations[(i + 1) % observations.length]!,
      truncated: i % EPISODE === EPISODE - 1,
    };
    this.#memory.add(encodeRecorded('/transitions', transition));
  }

  pump(): void {
    this.#sender.pump();
  }

  /** As a robot's gateway does. */
  say(): void {
    const due = this.#rhythm.due(performance.now(), Math.max(STATUS_MS, this.#sender.statusMs));
    if (due === undefined) return;
    const status = { ...emptyMessage('iq_learn_link/msg/GatewayStatus'), robot: this.#name, policy_version: -1n };
    this.#publish(linkTopics.gatewayStatus.topic, this.#status.seal(status, linkTopics.gatewayStatus.lifetimeMs), 0);
    if (!due.asksForTime) return;
    const question = { robot: this.#name, asked_ns: BigInt(Date.now()) * 1_000_000n, answered_ns: 0n };
    this.#publish(
      linkTopics.clockQuestion.topic,
      this.#question.seal(question, linkTopics.clockQuestion.lifetimeMs),
      0,
    );
  }

  #publish(topic: string, bytes: Uint8Array, qos: 0 | 1): void {
    this.#client.publish(this.#topic(topic), bytes as Buffer, { qos });
  }

  #topic(topic: string): string {
    return `iq_learn/fleet/${this.#name}${topic}`;
  }
}

const robots: Robot[] = [];
for (let i = first; i < first + count; i++) {
  const name = `robot-${i}`;
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    clientId: name,
    keepalive: 60,
    log: () => {},
  });
  const robot = new Robot(name, client);
  await robot.start();
  robots.push(robot);
}
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
let driving = true;
process.stdin.once('data', () => {
  driving = false;
  process.stdout.write(`driven ${robots.reduce((sum, { sent }) => sum + sent, 0n)}\n`);
});
const start = performance.now();
for (const robot of robots) robot.nextMs = start + random.uniform(0, 1000 / hz);
const timer = setInterval(() => {
  const now = performance.now();
  for (const robot of robots) {
    for (; driving && robot.nextMs <= now; robot.nextMs += 1000 / hz)
      robot.drive(performance.timeOrigin + robot.nextMs);
    robot.pump();
    for (; robot.statusMs <= now; robot.statusMs += STATUS_MS) robot.say();
  }
  if (driving || !robots.every(({ isDone }) => isDone)) return;
  clearInterval(timer);
  process.stdout.write('arrived\n', () => process.exit(0));
}, TICK_MS);
