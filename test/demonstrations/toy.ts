import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { DemonstrationEpisode, RecordingWriter } from '#src/demonstrations/index.js';
import type { TwistStamped } from '#src/messages/index.js';
import { header, type JointState } from '#src/messages/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { stateOf } from '../support/state.js';

export const toyText = `
robot: toy
description: A robot that counts.
rate_hz: 20
frame_id: base
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 500 }
observation:
  - { topic: /joint_states, joints: [step, episode], quantity: position, unit: rad }
command: { topic: /cmd_vel, type: geometry_msgs/msg/TwistStamped, timeout_ms: 500 }
teleop: { topic: /teleop/cmd_vel, timeout_ms: 500 }
action:
  - { name: forward, path: twist.linear.x, unit: m/s, low: -1000, high: 1000 }
  - { name: turn, path: twist.angular.z, unit: rad/s, low: -1000, high: 1000 }
estop_topic: /estop
stop: zero
`;

/** A robot whose observation says which step of which episode it is of, so that a wrong transition is seen. */
export const toy = parseRobotSpec(toyText, 'toy.yaml');

export const periodNs = 50_000_000n;
export const baseNs = 1_000_000_000_000_000n;

/** When step `k` of an episode is: episodes begin 10 s apart. */
export function stampAt(episode: number, k: number): bigint {
  return baseNs + BigInt(episode) * 10_000_000_000n + BigInt(k) * periodNs;
}

export function joints(stampNs: bigint, episode: number, k: number): JointState {
  const empty = new Float64Array(0);
  return {
    header: header(stampNs, 'base'),
    name: ['episode', 'step'],
    position: new Float64Array([episode, k]),
    velocity: empty,
    effort: empty,
  };
}

export function command(stampNs: bigint, episode: number, k: number): TwistStamped {
  return {
    header: header(stampNs, 'base'),
    twist: { linear: { x: k + 0.5, y: 0, z: 0 }, angular: { x: 0, y: 0, z: -episode } },
  };
}

export const stateTopic = '/joint_states';
export const teleopTopic = '/teleop/cmd_vel';

export function writeState(writer: RecordingWriter, stampNs: bigint, episode: number, k: number): void {
  writer.write(stateTopic, 'sensor_msgs/msg/JointState', joints(stampNs, episode, k), stampNs);
}

export function writeCommand(writer: RecordingWriter, stampNs: bigint, episode: number, k: number): void {
  writer.write(teleopTopic, 'geometry_msgs/msg/TwistStamped', command(stampNs, episode, k), stampNs);
}

/** A whole episode of `length` transitions that ends as terminated and successful. */
export function writeEpisode(writer: RecordingWriter, episode: number, length: number): void {
  writer.startEpisode({ stampNs: stampAt(episode, 0), episode, seed: BigInt(100 + episode) });
  for (let k = 0; k <= length; k++) {
    writeState(writer, stampAt(episode, k), episode, k);
    if (k < length) writeCommand(writer, stampAt(episode, k), episode, k);
  }
  writer.endEpisode({ stampNs: stampAt(episode, length), terminated: true, truncated: false, success: true });
}

/** Every transition must be one that was recorded: step k, the action of step k, step k + 1, all of one episode. */
export function expectTrue(episodes: readonly DemonstrationEpisode[]): void {
  for (const { length, observations: rows, actions, terminated, truncated } of episodes) {
    const observations = stateOf(rows);
    expect(terminated).toBe(!truncated);
    const episode = observations[1]!;
    for (let t = 0; t < length; t++) {
      const k = observations[t * 2]!;
      expect([...observations.subarray(t * 2, t * 2 + 4), ...actions.subarray(t * 2, t * 2 + 2)]).toEqual([
        k,
        episode,
        k + 1,
        episode,
        k + 0.5,
        -episode,
      ]);
    }
  }
}

const folders: string[] = [];

/** A fresh folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'iq-learn-demonstrations-'));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
