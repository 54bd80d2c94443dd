import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRecording, type RecordingFile, RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import { emptyMessage, header, stampOf, type TaskState } from '#src/messages/index.js';
import { ExpertNode, PolicyNode, RecorderNode, SimulatorNode } from '#src/nodes/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import { diagnosed, driver, Rig, spec, specText, Trolley, until } from './toy.js';

let folder: string;
let rig: Rig;
let task: Trolley;
let states: TaskState[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-recorder-'));
  rig = new Rig();
  task = new Trolley();
  states = rig.listen('/task_state', 'iq_learn/msg/TaskState');
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

async function stage(createFile?: (path: string) => Promise<RecordingFile>): Promise<RecorderNode> {
  const writer = await RecordingWriter.create(join(folder, 'bag'), {
    spec,
    session: 'test',
    ...(createFile === undefined ? {} : { createFile }),
  });
  rig.start(new SimulatorNode(rig.context('simulator'), task));
  const recorder = rig.start(new RecorderNode(rig.context('recorder'), writer));
  rig.start(new PolicyNode(rig.context('policy'), { source: 'teleop' }));
  rig.start(new ExpertNode(rig.context('expert'), driver));
  return recorder;
}

async function demonstrate(seed: number): Promise<void> {
  expect(await rig.startEpisode('/recorder/start_episode', seed)).toMatchObject({ success: true });
  const { episode } = await rig.startEpisode('/simulator/start_episode', seed);
  await until(() => {
    const last = states.at(-1);
    return last?.episode === episode && (last.terminated || last.truncated);
  }, 'the end of the episode');
}

describe('the recorder', () => {
  it('records once what was said before it came, where the publisher keeps it', async () => {
    const robot = parseRobotSpec(
      specText.replace(
        'observation:',
        '  /goal_pose: { type: geometry_msgs/msg/PoseStamped, timeout_ms: .inf }\nobservation:',
      ),
      'trolley.yaml',
    );
    const own = new Rig({ robot });
    const goal = { ...emptyMessage('geometry_msgs/msg/PoseStamped'), header: header(5_000_000_000n, 'odom') };
    own.say('/goal_pose', 'geometry_msgs/msg/PoseStamped', goal, true);
    const writer = await RecordingWriter.create(join(folder, 'bag'), { spec: robot, session: 'test' });
    const recorder = new RecorderNode(own.context('recorder'), writer, { useSimTime: false });
    recorder.configure();
    await own.broker.idle();
    recorder.activate();
    own.say('/goal_pose', 'geometry_msgs/msg/PoseStamped', { ...goal, header: header(6_000_000_000n, 'odom') }, true);
    await own.broker.idle();
    await recorder.shutdown();
    await own.close();
    const reader = await openRecording(join(folder, 'bag'));
    expect(reader.topics.get('/goal_pose')?.messages).toBe(2);
  });

  it.each(['/cmd_vel', '/teleop/cmd_vel'])('says that two publish on %s by turns, once in the log', async (topic) => {
    const writer = await RecordingWriter.create(join(folder, 'bag'), { spec, session: 'test' });
    const recorder = rig.start(new RecorderNode(rig.context('recorder'), writer));
    const say = async (k: number, x: number): Promise<void> => {
      rig.say('/clock', 'rosgraph_msgs/msg/Clock', { clock: stampOf(BigInt(k) * 50_000_000n) });
      const message = emptyMessage('geometry_msgs/msg/TwistStamped');
      message.twist.linear.x = x;
      rig.say(topic, 'geometry_msgs/msg/TwistStamped', message);
      await rig.broker.idle();
    };
    for (let k = 1; k < 40; k++) await say(k, 0.6 * Math.sin(k));
    expect(recorder.status()).toMatchObject({ level: 0, message: 'waiting for start_episode' });
    for (let k = 40; k < 80; k++) await say(k, k % 2 === 0 ? 0.5 : -0.5);
    const reason = `${topic}: speed is -0.5 and 0.5 by turns, expected one publisher`;
    expect(recorder.status()).toMatchObject({ level: 1, message: `waiting for start_episode; ${reason}` });
    for (let k = 80; k < 85; k++) await say(k, 0.5);
    for (let k = 85; k < 120; k++) await say(k, k % 2 === 0 ? 0.5 : -0.5);
    expect(rig.records.flatMap(({ level, fields }) => (level === 'warn' ? [fields.reason] : []))).toEqual([reason]);
  });

  it('records what the simulator did, read back bit for bit by the code that runs live', async () => {
    const recorder = await stage();
    await demonstrate(6);
    expect(await rig.trigger('/recorder/stop_episode')).toMatchObject({ success: true });
    const first = task.actions.splice(0);
    await demonstrate(3);
    expect(await rig.trigger('/recorder/discard_episode')).toMatchObject({ success: true });
    task.actions.length = 0;
    await demonstrate(9);
    expect(await rig.trigger('/recorder/stop_episode')).toMatchObject({ success: true });
    const second = task.actions.splice(0);
    await recorder.shutdown();
    expect(recorder.summary).toMatchObject({ episodes: 3, discarded: 1, partial: false, lost: 0 });

    for (const action of ['teleop', 'command'] as const) {
      const { episodes, report } = await readDemonstrations([join(folder, 'bag')], spec, { action });
      expect(report.recordings[0]).toMatchObject({ discarded: 1, splits: 0, clockJumps: 0, undecodable: 0 });
      expect(
        episodes.map(({ seed, terminated, truncated, success }) => ({ seed, terminated, truncated, success })),
      ).toEqual([
        { seed: 6n, terminated: true, truncated: false, success: true },
        { seed: 9n, terminated: true, truncated: false, success: true },
      ]);
      expect([...episodes[0]!.actions]).toEqual(first);
      expect([...episodes[1]!.actions]).toEqual(second);
      const { length } = episodes[0]!;
      const observations = stateOf(episodes[0]!.observations);
      expect(observations[0]).toBeCloseTo(1.6, 6);
      for (let t = 0; t < length; t++)
        expect(observations[2 * (t + 1)]).toBeCloseTo(observations[2 * t]! + first[t]! / 20, 5);
    }
  });

  it('fault F20: ends an episode as truncated where the robot goes away in its middle', async () => {
    const recorder = await stage();
    const step = task.step.bind(task);
    task.step = (action) => (task.steps < 5 ? step(action) : new Promise(() => {})); // then never answers again
    await rig.startEpisode('/recorder/start_episode', 6);
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => states.at(-1)?.step === 5, 'the last step');
    await recorder.shutdown();
    const { episodes } = await readDemonstrations([join(folder, 'bag')], spec);
    expect(episodes).toMatchObject([{ length: 5, terminated: false, truncated: true, success: null }]);
  });

  it('closes an episode that was never stopped when the robot begins another', async () => {
    const recorder = await stage();
    await demonstrate(6);
    await rig.startEpisode('/simulator/start_episode', 8);
    await until(() => states.at(-1)!.episode === 2 && states.at(-1)!.terminated, 'the second episode');
    await recorder.shutdown();
    const { episodes } = await readDemonstrations([join(folder, 'bag')], spec);
    expect(episodes).toMatchObject([{ seed: 6n, terminated: true }]);
  });

  it('refuses what makes no sense and says why', async () => {
    const recorder = await stage();
    expect(await rig.trigger('/recorder/stop_episode')).toMatchObject({
      success: false,
      message: expect.stringContaining('no episode is open'),
    });
    expect(await rig.trigger('/recorder/discard_episode')).toMatchObject({ success: false });
    // Asked for, but the robot never began it.
    for (const [request, word] of [
      ['stop_episode', 'nothing is kept'],
      ['discard_episode', 'nothing to throw away'],
    ]) {
      await rig.startEpisode('/recorder/start_episode', 1);
      const answer = await rig.trigger(`/recorder/${request}`);
      expect(answer).toMatchObject({ success: true, message: expect.stringContaining(word!) });
    }
    recorder.deactivate();
    expect(await rig.startEpisode('/recorder/start_episode', 1)).toEqual({
      success: false,
      message: 'the recorder is inactive',
      episode: 0,
    });
  });

  it('fault F24: a full disk ends the recording with a word, never the robot', async () => {
    let written = 0;
    const recorder = await stage(async (path) => {
      const { createOutput } = await import('#src/platform/index.js');
      const file = await createOutput(path);
      return {
        position: () => file.position(),
        close: () => file.close(),
        sync: () => file.sync(),
        write: async (data: Uint8Array) => {
          written += data.length;
          if (written > 2000) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
          await file.write(data);
        },
      } as RecordingFile;
    });
    await demonstrate(6);
    await rig.trigger('/recorder/stop_episode');
    await until(() => recorder.status().level === 2, 'the failure being told');
    expect(recorder.status().message).toMatch(/ENOSPC/);
    expect(await rig.startEpisode('/recorder/start_episode', 8)).toMatchObject({
      success: false,
      message: expect.stringContaining('ENOSPC'),
    });
    await rig.startEpisode('/simulator/start_episode', 8);
    await until(() => states.at(-1)!.episode === 2 && states.at(-1)!.terminated, 'the robot going on');
    expect(Number(diagnosed(recorder, 'lost'))).toBeGreaterThan(0);
    await recorder.shutdown();
    expect(recorder.summary).toMatchObject({ partial: true });
  });
});

describe('teleoperation', () => {
  it('answers each state once, and is silent when released', async () => {
    const commands = rig.listen('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    rig.start(new SimulatorNode(rig.context('simulator'), task, { repeatMs: 20 }));
    rig.start(new PolicyNode(rig.context('policy'), { source: 'teleop' }));
    const teleop = rig.start(new ExpertNode(rig.context('expert'), driver, { engaged: false }));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => states.length > 2, 'the state being repeated');
    expect(commands).toEqual([]);
    await rig.transport.call('/expert/engage', 'std_srvs/srv/SetBool', { data: true }, { timeoutMs: 60_000 });
    await until(() => states.at(-1)!.terminated, 'the end');
    expect(new Set(commands.map(({ header: { stamp } }) => `${stamp.sec}.${stamp.nanosec}`)).size).toBe(
      task.actions.length,
    );
    expect(diagnosed(teleop, 'commands')).toBe(String(task.actions.length));
  });

  it('a driver that fails sends nothing, and is counted', async () => {
    rig.start(new SimulatorNode(rig.context('simulator'), task));
    const failing = {
      reset() {},
      act: () => {
        throw new Error('I have lost my glasses');
      },
    };
    const teleop = rig.start(new ExpertNode(rig.context('expert'), failing));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => diagnosed(teleop, 'failed') === '1', 'the failure');
    expect(task.actions).toEqual([]);
    expect(rig.records[0]!.fields.reason).toMatch(/lost my glasses/);
  });
});
