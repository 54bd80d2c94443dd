import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random, steadyClock } from '#src/common/index.js';
import type { DemonstrationEpisode } from '#src/demonstrations/index.js';
import { type DemoRun, demonstrate, evaluate, learn } from '#src/hosts/ros2/demo-run.js';
import type { ParameterValues } from '#src/hosts/ros2/peers.js';
import { learnerConfig } from '#src/learning/index.js';
import type { Transition } from '#src/messages/index.js';
import { LearnerNode, type NodeContext, PolicyNode, SimulatorNode, services } from '#src/nodes/index.js';
import type { Logger } from '#src/platform/index.js';
import { writeBundle } from '#src/policy/index.js';
import { contractOf, loadRobotSpec } from '#src/robot/index.js';
import {
  type Conductor,
  type EpisodeOutcome,
  learningEpisode,
  runDemonstrations,
  TrainingSession,
  TransportConductor,
  trainingSettings,
} from '#src/sessions/index.js';
import { createExpert, createTaskClient } from '#src/simulation/index.js';
import { evaluationSeeds, runSeed, TrainingProcess } from '#src/training/index.js';
import { EmbeddedBroker } from '#src/transport/index.js';

const logger = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;
const spec = loadRobotSpec('hopper');
const seed = 5;
const segmentSize = 20;
const updatesPerTransition = 0.5;
const steps = 60;
const config = learnerConfig({ agent: 'iq-sac', hiddenSizes: [8], batchSize: 8 });
const settings = { ...trainingSettings('hopper'), segmentSize, updatesPerTransition };

/** Nobody drove it: what is learned does not matter here. */
function demonstration(length: number): DemonstrationEpisode {
  const random = new Random(7);
  const rows = (n: number, features: readonly { readonly low: number; readonly high: number }[]): Float32Array =>
    Float32Array.from({ length: n * features.length }, (_, i) => {
      const { low, high } = features[i % features.length]!;
      return random.uniform(Math.max(low, -1), Math.min(high, 1));
    });
  const [observations, actions] = [rows(length + 1, spec.observation), rows(length, spec.action)];
  return { length, observations, actions, terminated: false } as unknown as DemonstrationEpisode;
}

type Node = LearnerNode | PolicyNode | SimulatorNode;

/** The other nodes of the ROS 2 demo, made in this process from the parameters that the demo sets over ROS 2. */
class PeersHere {
  readonly parameters = new Map<string, ParameterValues>();
  readonly #nodes = new Map<string, Node>();
  readonly #broker: EmbeddedBroker;
  readonly #checkpoint: string;
  readonly #run: string;

  constructor(broker: EmbeddedBroker, checkpoint: string, run: string) {
    this.#broker = broker;
    this.#checkpoint = checkpoint;
    this.#run = run;
  }

  async bring(name: string, parameters: ParameterValues): Promise<void> {
    await this.end(name);
    this.parameters.set(name, parameters);
    const node = await this.#make(name, parameters);
    this.#nodes.set(name, node);
    node.configure();
    node.activate();
  }

  async end(name: string): Promise<void> {
    const node = this.#nodes.get(name);
    await node?.shutdown();
    // As the learner's executable does.
    if (node instanceof LearnerNode) writeBundle(join(this.#run, 'policy'), node.deployed!);
    this.#nodes.delete(name);
  }

  async set(): Promise<void> {}

  guard<T>(work: Promise<T>): Promise<T> {
    return work;
  }

  async close(): Promise<void> {
    for (const name of [...this.#nodes.keys()]) await this.end(name);
  }

  async #make(name: string, parameters: ParameterValues): Promise<Node> {
    const context: NodeContext = { transport: this.#broker.connect(), spec, clock: steadyClock, logger };
    const camel = (key: string): string => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const { policy: _, ...own } = Object.fromEntries(Object.entries(parameters).map(([k, v]) => [camel(k), v]));
    if (name === 'simulator') return new SimulatorNode(context, await createTaskClient('hopper'));
    if (name === 'policy') return new PolicyNode(context, own);
    const client = await TrainingProcess.create({
      config,
      contract: contractOf(spec),
      seed: own.seed as number,
      demonstrations: [learningEpisode(demonstration(60), spec)],
      updatesPerTransition,
      threads: 1,
      summary: { robot: spec.robot, demonstrations: 1 },
      checkpoint: { folder: this.#checkpoint, everySegments: 100 },
    });
    return new LearnerNode(context, client, { segmentSize: own.segmentSize as number });
  }
}

function transitionsOn(broker: EmbeddedBroker): object[] {
  const transitions: object[] = [];
  broker
    .connect()
    .subscribe('/transitions', 'iq_learn/msg/Transition', ({ session: _, header: __, ...rest }: Transition) =>
      transitions.push(structuredClone(rest)),
    );
  return transitions;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-conductors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A conductor that only notes the starts it is asked for; every third episode succeeds. */
function noting(): { readonly conductor: Conductor; readonly calls: string[]; readonly starts: number[] } {
  const calls: string[] = [];
  const starts: number[] = [];
  const conductor: Conductor = {
    async startEpisode(service, start) {
      calls.push(`${service} ${start}`);
      return 0;
    },
    async trigger(service) {
      calls.push(service);
    },
    async runEpisode(start): Promise<EpisodeOutcome> {
      starts.push(start);
      return { seed: start, return: 0, length: 1, success: starts.length % 3 === 0, terminated: true };
    },
  };
  return { conductor, calls, starts };
}

describe('the demo over ROS 2 and the demo in one process', () => {
  it('learn the same policy from one seed: same starts, same exploration, same transitions, bit for bit', async () => {
    const here = new EmbeddedBroker();
    const embedded = transitionsOn(here);
    const starts: number[] = [];
    const session = await TrainingSession.create({
      spec,
      demonstrations: [demonstration(60)],
      config,
      seed,
      transitions: steps,
      segmentSize,
      updatesPerTransition,
      threads: 1,
      logger: () => logger,
      broker: here,
      onRollout: (rollout) => starts.push(rollout.seed),
    });
    const { bundle } = await session.run();
    await session.close();

    const broker = new EmbeddedBroker();
    const ros = transitionsOn(broker);
    const run = join(folder, 'run');
    const peers = new PeersHere(broker, join(folder, 'checkpoint'), run);
    const transport = broker.connect();
    const conductor = new TransportConductor(transport, spec, (work) => work);
    const signal = new AbortController().signal;
    const demo: DemoRun = { spec, transport, peers, conductor, logger, signal, settings, seed, run, settleMs: 0 };
    await learn(demo, steps, -1);
    conductor.close();
    await peers.close();

    expect(embedded.length).toBe(steps);
    expect(ros).toEqual(embedded);
    expect(starts.length).toBeGreaterThan(0);
    expect(starts).toEqual(starts.map((_, i) => runSeed(seed, 'training', i)));
    expect(peers.parameters.get('policy')).toMatchObject({ seed: runSeed(seed, 'exploration') });
    expect(Buffer.compare(readFileSync(join(run, 'policy', 'policy.onnx')), bundle.model)).toBe(0);
    await broker.close();
    await here.close();
  });

  it('demonstrate and evaluate from the same starts, and discard the same failures', async () => {
    const driven: number[] = [];
    const rover = loadRobotSpec('rover');
    await runDemonstrations({
      spec: rover,
      driver: createExpert('rover'),
      episodes: 1,
      seed,
      folder: join(folder, 'demonstrations'),
      logger: () => logger,
      onEpisode: (outcome) => driven.push(outcome.seed),
    });
    expect(driven).toEqual(driven.map((_, i) => runSeed(seed, 'demonstration', i)));

    const { conductor, calls, starts } = noting();
    const peers = {
      bring: async () => {},
      end: async () => {},
      set: async () => {},
      guard: <T>(work: Promise<T>) => work,
    };
    const broker = new EmbeddedBroker();
    const signal = new AbortController().signal;
    const known = { ...settings, hasSuccess: true };
    const common = { spec, transport: broker.connect(), logger, signal, seed, run: folder, settleMs: 0 };
    const demo: DemoRun = { ...common, peers, conductor, settings: known };
    await demonstrate(demo, 2);
    expect(starts).toEqual(Array.from({ length: 6 }, (_, i) => runSeed(seed, 'demonstration', i)));
    expect(calls.filter((call) => call === services.stopRecording).length).toBe(2);
    expect(calls.filter((call) => call === services.discardRecording).length).toBe(4);
    starts.length = 0;
    const outcomes = await evaluate(demo, 'expert', { source: 'teleop', policy: '' }, 4);
    expect(starts).toEqual(evaluationSeeds(seed, 4));
    expect(outcomes.map((outcome) => outcome.seed)).toEqual(starts);
    await broker.close();
  });

  it('give up after twenty failures in a row', async () => {
    const { conductor } = noting();
    const hopeless: Conductor = {
      ...conductor,
      runEpisode: async (start) => ({ seed: start, return: 0, length: 1, success: false, terminated: true }),
    };
    const peers = {
      bring: async () => {},
      end: async () => {},
      set: async () => {},
      guard: <T>(work: Promise<T>) => work,
    };
    const broker = new EmbeddedBroker();
    const signal = new AbortController().signal;
    const known = { ...settings, hasSuccess: true };
    const common = { spec, transport: broker.connect(), logger, signal, seed, run: folder, settleMs: 0 };
    await expect(demonstrate({ ...common, peers, conductor: hopeless, settings: known }, 1)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      found: '20 episodes in a row without success',
    });
    await broker.close();
  });
});
