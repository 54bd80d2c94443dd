import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { vectorObservation } from '../../src/common/index.js';
import { RecordingWriter } from '../../src/demonstrations/index.js';
import { emptyMessage, header } from '../../src/messages/index.js';
import { readBytes, saveCheckpoint } from '../../src/platform/index.js';
import { encodeBundle, type PolicyBundle } from '../../src/policy/index.js';
import { contractOf, parseRobotSpec, type RobotSpec } from '../../src/robot/index.js';

const description = `
robot: counter
description: A robot whose state says which step of which episode it is of.
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
estop_topic: /estop
stop: zero
`;

/** A robot whose observations say which step they are of, so that a wrong transition shows. */
export const counter: RobotSpec = parseRobotSpec(description, 'counter.yaml');

/** Steps of an episode of {@link recording}. */
export const LENGTH = 3;

/** Two short episodes of {@link counter} in chunks of a few messages; gives the bytes of the file. */
export async function recording(folder: string): Promise<Uint8Array> {
  const path = join(folder, 'sound');
  const writer = await RecordingWriter.create(path, { spec: counter, session: 'faults', chunkBytes: 1300 });
  for (const episode of [0, 1]) {
    const stampAt = (k: number): bigint =>
      1_000_000_000_000n + BigInt(episode) * 10_000_000_000n + BigInt(k) * 50_000_000n;
    writer.startEpisode({ stampNs: stampAt(0), episode });
    for (let k = 0; k <= LENGTH; k++) {
      const state = emptyMessage('sensor_msgs/msg/JointState');
      const stamped = { ...state, header: header(stampAt(k), 'base'), name: ['step', 'episode'] };
      writer.write(
        '/joint_states',
        'sensor_msgs/msg/JointState',
        { ...stamped, position: new Float64Array([k, episode]) },
        stampAt(k),
      );
      const command = emptyMessage('geometry_msgs/msg/TwistStamped');
      command.header = header(stampAt(k), 'base');
      command.twist.linear.x = k + 0.5;
      if (k < LENGTH) writer.write('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', command, stampAt(k));
    }
    writer.endEpisode({ stampNs: stampAt(LENGTH), terminated: true, truncated: false, success: true });
  }
  await writer.close();
  return readBytes(join(path, 'sound_0.mcap'));
}

/** A policy of one matrix. */
export async function bundle(): Promise<PolicyBundle> {
  return await encodeBundle({
    policy: {
      observation: vectorObservation(2),
      actionSize: 1,
      constants: { gain: { spec: { shape: [2, 1], dtype: 'float32' }, data: Float32Array.of(0.1, -0.1) } },
      apply: ({ observation, noise }, constants) => ({
        action: tf.tanh(tf.add(tf.matMul(observation as tf.Tensor2D, constants.gain as tf.Tensor2D), noise!)),
      }),
    },
    contract: contractOf(counter),
    version: 1,
  });
}

/** A checkpoint of two generations. */
export function checkpoint(folder: string): void {
  for (const updates of [1, 2])
    saveCheckpoint(folder, {
      meta: { updates, note: 'faults' },
      arrays: { weights: Float32Array.of(1, 2, updates), steps: Int32Array.of(updates), bytes: Uint8Array.of(7) },
    });
}
