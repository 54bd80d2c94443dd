import { writeFileSync } from 'node:fs';
import mqtt from 'mqtt';
import { Random, steadyClock } from '../../src/common/index.js';
import { learnerConfig } from '../../src/learning/index.js';
import { createSigningKeys, linkLimits, PolicySigner } from '../../src/link/index.js';
import type { Transition } from '../../src/messages/index.js';
import { LearnerGateway, LearnerNode, type NodeContext, rowShape } from '../../src/nodes/index.js';
import type { Logger } from '../../src/platform/index.js';
import { contractOf, loadRobotSpec } from '../../src/robot/index.js';
import type { LearningClient } from '../../src/training/index.js';
import { SegmentTrainer } from '../../src/training/segment-trainer.js';
import { EmbeddedBroker, MqttTransport, openMqtt } from '../../src/transport/index.js';

// The learner's side in one process: consumer.js PORT FORM COUNT FILE. FORM is `link` (our gateway and learner node) or
// `json` (JSON.parse, and each transition straight into the same buffer). Says `ready`; when COUNT transitions are in the
// buffer it writes the seconds of CPU and of wall clock since the first to FILE.

const SEGMENT = 256;
const [port, form, count, file] = process.argv.slice(2) as [string, string, string, string];
const spec = loadRobotSpec('rover');
const size = spec.observation.length;
const random = new Random(1);
const trainer = await SegmentTrainer.create(
  {
    config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [8], batchSize: 8, warmStartUpdates: 0 }),
    contract: contractOf(spec),
    seed: 1,
    demonstrations: [
      {
        length: 20,
        observations: random.fillNormal(new Float32Array(21 * size)),
        actions: new Float32Array(20 * spec.action.length),
        terminated: false,
      },
    ],
    updatesPerTransition: 1,
    threads: 1,
  },
  () => {},
);
let began: { readonly cpu: NodeJS.CpuUsage; readonly ms: number } | undefined;
const first = (): void => {
  began ??= { cpu: process.cpuUsage(), ms: performance.now() };
};

async function overTheLink(): Promise<void> {
  const start = await trainer.start();
  const quiet = { info() {}, warn() {}, error: console.error, debug() {} } as unknown as Logger;
  const host = new EmbeddedBroker();
  const context = (): NodeContext => ({ transport: host.connect(), spec, clock: steadyClock, logger: quiet });
  const client: LearningClient = {
    start,
    listen() {},
    learn: (segment, session) => trainer.add(segment, session),
    pause() {},
    recoverRewards: () => Promise.reject(new Error('not here')),
    deployed: async () => start.bundle,
    save: async () => 0,
    stop: async () => null,
  };
  const connection = await openMqtt({
    broker: `mqtt://127.0.0.1:${port}`,
    fleet: 'fleet',
    plaintext: true,
    clientId: 'learner',
    limits: linkLimits,
  });
  const learner = new LearnerNode(context(), client, { segmentSize: SEGMENT });
  const gateway = new LearnerGateway(context(), {
    robot: 'rover-1',
    link: new MqttTransport(connection, 'rover-1'),
    signer: new PolicySigner('fleet', createSigningKeys().privateKey),
    learn: (transition: Transition) => {
      first();
      learner.take(transition);
    },
    rows: {
      shape: rowShape(spec)!,
      take: (slice) => {
        first();
        learner.takeSlice({ ...slice, robot: '' });
      },
    },
  });
  for (const node of [gateway, learner]) node.configure();
  for (const node of [gateway, learner]) node.activate();
  await connection.connected(10_000);
  while (!connection.isSubscribed) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function asJson(): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
  client.on('message', (_, payload) => {
    first();
    for (const each of JSON.parse(payload.toString()) as Record<string, number[]>[])
      trainer.learner.addTransition({
        observation: Float32Array.from(each.observation!),
        action: Float32Array.from(each.action!),
        nextObservation: Float32Array.from(each.next_observation!),
        terminated: (each.terminated as unknown) === true,
      });
  });
  await client.subscribeAsync('iq_learn/fleet/rover-1/stream', { qos: 1 });
}

await (form === 'json' ? asJson() : overTheLink());
process.stdout.write('ready\n');
// The learner takes whole segments.
const wanted = Number(count) - (Number(count) % SEGMENT);
const timer = setInterval(() => {
  if (trainer.learner.transitions < wanted || began === undefined) return;
  clearInterval(timer);
  const { user, system } = process.cpuUsage(began.cpu);
  const wall = (performance.now() - began.ms) / 1000;
  writeFileSync(file, JSON.stringify({ cpu: (user + system) / 1e6, wall }));
  process.exit(0);
}, 5);
