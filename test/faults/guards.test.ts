import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { loadDecompressors } from '#src/demonstrations/decompress.js';
import { RecordingWriter } from '#src/demonstrations/index.js';
import { loadInference } from '#src/engine/index.js';
import { decode, emptyMessage, header, type Transition } from '#src/messages/index.js';
import { PolicyNode } from '#src/nodes/index.js';
import type { Logger } from '#src/platform/index.js';
import { decodeBundle } from '#src/policy/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { runDemonstrations, TransportConductor } from '#src/sessions/index.js';
import { createExpert } from '#src/simulation/index.js';
import { openMqtt } from '#src/transport/index.js';
import { Rig, trolleyBundle, until } from '../nodes/toy.js';
import { startAedes } from '../support/brokers.js';

/** The error of a call; undefined where it gives a value. */
async function refusal(work: () => unknown): Promise<IqLearnError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(IqLearnError);
    return error as IqLearnError;
  }
}

describe('fault F13: dropped messages', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
  });
  afterEach(() => rig.close());

  it('no transition is put together of a state and the one after the next, in step with a simulator', async () => {
    const transitions: Transition[] = rig.listen('/transitions', 'iq_learn/msg/Transition');
    const commands = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    rig.start(new PolicyNode(rig.context('policy'), {}, await decodeBundle(await trolleyBundle(1))));
    const say = async (step: number): Promise<void> => {
      const stamp = header(BigInt(step + 1) * 50_000_000n, 'odom');
      const before = commands.length;
      const odometry = emptyMessage('nav_msgs/msg/Odometry');
      odometry.pose.pose.position.x = step;
      rig.say('/odom', 'nav_msgs/msg/Odometry', { ...odometry, header: stamp });
      rig.say('/task_state', 'iq_learn/msg/TaskState', {
        ...emptyMessage('iq_learn/msg/TaskState'),
        ...{ header: stamp, episode: 1, step },
      });
      await until(() => commands.length > before, `an answer to step ${step}`);
    };
    // The messages of step 2 are lost.
    for (const step of [0, 1, 3, 4]) await say(step);
    await until(() => transitions.length >= 2, 'transitions');
    expect(transitions.map(({ observation, next_observation }) => [observation[0], next_observation[0]])).toEqual([
      [0, 1],
      [3, 4],
    ]);
  });
});

describe('fault F18: two clients with one name', () => {
  it('back off, and say what is the matter, instead of ending each other for ever', async () => {
    const broker = await startAedes();
    const errors: IqLearnError[] = [];
    const options = { broker: broker.url, fleet: 'fleet', clientId: 'twin', plaintext: true, longestWaitMs: 2000 };
    const onError = (error: IqLearnError): void => void errors.push(error);
    const twins = [await openMqtt({ ...options, onError }), await openMqtt({ ...options, onError })];
    try {
      await vi.waitFor(() => expect(errors.map(({ code }) => code)).toContain('CONFLICT'), 20_000);
      expect(errors.find(({ code }) => code === 'CONFLICT')?.message).toContain('twin');
      // Every attempt waits longer than the one before: a handful in these seconds, not hundreds.
      for (const { state } of twins) expect(state.connections).toBeLessThan(20);
    } finally {
      await Promise.all(twins.map((twin) => twin.end()));
      await broker.stop();
    }
  });
});

describe('fault F21: malicious lengths and depths', () => {
  it('a sequence that cannot fit into the bytes of a message is refused by its length', async () => {
    const bomb = Buffer.from(`00010000${'00000000'.repeat(2)}0100000000000000ffffffff`, 'hex');
    for (const type of ['sensor_msgs/msg/JointState', 'trajectory_msgs/msg/JointTrajectory'] as const)
      expect((await refusal(() => decode(type, bomb)))?.found).toMatch(/a sequence of 4294967295 elements/);
  });

  it('a chunk that would unpack to a terabyte is not unpacked', async () => {
    const { zstd, lz4 } = await loadDecompressors();
    for (const unpack of [zstd!, lz4!])
      expect(await refusal(() => unpack(new Uint8Array(8), 10n ** 12n))).toMatchObject({
        code: 'CORRUPT_DATA',
        what: 'a chunk is too long',
      });
  });

  it('a policy that is larger than any is refused by its size, before its hash', async () => {
    const bundle = await trolleyBundle(1);
    const model = new Uint8Array(256 * 1024 * 1024 + 1);
    expect(await refusal(() => decodeBundle({ ...bundle, model }))).toMatchObject({
      code: 'CORRUPT_DATA',
      expected: `at most ${256 * 1024 * 1024} bytes`,
    });
  });

  it('an ONNX file of nothing but nested groups is refused', async () => {
    // Field 100 as the start of a group, 20,000 times.
    const groups = Buffer.from('a306'.repeat(20_000), 'hex');
    expect(await refusal(() => loadInference(groups))).toMatchObject({ code: 'CORRUPT_DATA' });
  });
});

describe('fault F24: the disk fails while demonstrations are recorded', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'iq-guards-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => vi.restoreAllMocks());

  it('a recording that failed does not pass as a good one', async () => {
    const quiet = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;
    const failure = new IqLearnError('IO', 'recording failed', { found: 'ENOSPC' });
    const options = {
      ...{ spec: loadRobotSpec('rover'), driver: createExpert('rover'), episodes: 1, seed: 1, keepFailures: true },
      ...{ task: { maxSteps: 3 }, logger: () => quiet },
    };
    let failed = false;
    vi.spyOn(RecordingWriter.prototype, 'error', 'get').mockImplementation(() => (failed ? failure : null));
    // The disk fails behind the recorder's back, once it has said that the episode is stored.
    const trigger = TransportConductor.prototype.trigger;
    vi.spyOn(TransportConductor.prototype, 'trigger').mockImplementation(async function (
      this: TransportConductor,
      service,
    ) {
      await trigger.call(this, service);
      failed = true;
    });
    expect(await refusal(() => runDemonstrations({ ...options, folder: join(folder, 'failed') }))).toBe(failure);
  });
});
