import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRecording, readDemonstrations } from '#src/demonstrations/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { describeWithRos, type RosProcess, startExecutable } from '../../support/ros.js';
import { Driver, type Json } from './driver.js';

const odometry = { header: { frame_id: 'odom' }, pose: { pose: { orientation: { w: 1 } } } };
const scan = {
  header: { frame_id: 'base_scan' },
  angle_min: -1.5,
  angle_max: 1.5,
  angle_increment: 0.1,
  range_max: 5,
  ranges: Array.from({ length: 31 }, () => 2.5),
};
const goal = { header: { frame_id: 'odom' }, pose: { position: { x: 2 }, orientation: { w: 1 } } };
const sensor = { reliability: 'best_effort', depth: 5 };

describeWithRos('the recorder executable over DDS, with a real robot of ten messages a second', () => {
  let folder: string;
  let driver: Driver;
  let recorder: RosProcess;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iq-ros-recorder-'));
    driver = await Driver.start();
    recorder = startExecutable('recorder', ['--ros-args', '-p', `recordings:=${folder}`, '-p', 'session:=morning']);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (): Promise<Json> => driver.call('/recorder/start_episode', 'iq_learn/srv/StartEpisode', { seed: -1 });
  /** An episode begins at the next state, after start_episode has answered; that is refused while a topic is late. */
  const begin = async (): Promise<Json> => {
    let answer: Json;
    await expect.poll(async () => (answer = await start())).toMatchObject({ success: true });
    return driver.diagnosed('recorder', ({ values }) => Number(values.episode) === answer.episode, 'a new episode');
  };

  it('starts by itself, and refuses an episode by the names of the topics that are silent', async () => {
    await expect.poll(() => driver.state('recorder')).toBe('active');
    const refused = await start();
    expect(refused.success).toBe(false);
    for (const topic of ['/odom', '/scan', '/goal_pose'])
      expect(refused.message).toContain(`${topic} has not been heard`);
    await driver.repeat('/odom', 'nav_msgs/msg/Odometry', odometry, 20, sensor);
    await driver.repeat('/goal_pose', 'geometry_msgs/msg/PoseStamped', goal, 20, sensor);
    await expect.poll(async () => (await start()).message).not.toContain('/odom');
    expect((await start()).message).toContain('/scan has not been heard');
  });

  it('records what it hears, as it is; stops, discards and says how fast the topics are', async () => {
    await driver.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
    await driver.repeat('/scan', 'sensor_msgs/msg/LaserScan', scan, 20, sensor);
    const command = { header: { frame_id: 'base_link' }, twist: { linear: { x: 0.25 } } };
    await driver.repeat('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', command, 20);
    const { values: before } = await begin();
    await driver.diagnosed(
      'recorder',
      ({ values }) => Number(values['/odom_hz']) > 2 && Number(values.messages) > Number(before.messages) + 150,
      'the rate of /odom, and some seconds of messages',
    );
    expect(await driver.trigger('/recorder/stop_episode')).toMatchObject({ success: true });
    expect(await driver.trigger('/recorder/stop_episode')).toMatchObject({ success: false, message: /no episode/ });
    await begin();
    expect(await driver.trigger('/recorder/discard_episode')).toMatchObject({ success: true, message: /thrown away/ });
  });

  it('tells when a topic goes stale, before and during an episode', async () => {
    await driver.quiet('/scan');
    await expect.poll(async () => (await start()).message).toMatch(/\/scan is \d+ ms old/);
  });

  it('closes its files when it is ended: a recording that ros2 bag and our readers take', async () => {
    recorder.kill('SIGINT');
    expect(await recorder.exited).toEqual({ code: 0, signal: null });
    expect(readdirSync(folder)).toEqual(['morning']);
    const recording = join(folder, 'morning');
    expect(readdirSync(recording).sort()).toEqual(['metadata.yaml', 'morning_0.mcap']);
    expect(existsSync(join(recording, '.lock'))).toBe(false);
    expect((await openRecording(recording)).problems).toEqual([]);
    const { episodes, report } = await readDemonstrations([recording], loadRobotSpec('rover'));
    expect(report.recordings[0]!.discarded).toBe(1);
    expect(episodes.length).toBeGreaterThan(0);
    expect(episodes[0]!.actions[0]).toBe(0.25);
  });
});
