import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/common/index.js';
import { createAgent, identityNormalisation, learnerConfig } from '../../src/learning/index.js';
import { decodeBundle, encodeBundle, writeBundle } from '../../src/policy/index.js';
import { contractOf, parseRobotSpec, type RobotSpec } from '../../src/robot/index.js';

/** Where a contender hears and speaks. */
export interface Topics {
  readonly state: string;
  readonly command: string;
}

export interface SetupFiles {
  /** For the driver and the echo. */
  readonly driver: string;
  /** The robot's description. */
  readonly robot: string;
  /** Our policy: a bundle's folder. */
  readonly policy: string;
  /** The same policy for the peer. */
  readonly peer: string;
}

/** The topics of a contender in the namespace of its name. */
export const topicsOf = (name: string): Topics => ({ state: `/${name}/joint_states`, command: `/${name}/cmd_vel` });

const JOINTS = ['joint1', 'joint2', 'joint3', 'joint4', 'joint5', 'joint6'];
const POSITIONS = 5;
/** States that the driver publishes in turn. */
const STATES = 64;

/** A robot of the hopper's sizes (11 observations of one JointState, 3 actions) whose commands have a stamp. */
export function robotSpec(rateHz: number): { readonly spec: RobotSpec; readonly yaml: string } {
  const yaml = `robot: bench
description: Joints that are seen, a velocity that is commanded.
rate_hz: ${rateHz}
frame_id: base_link
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 500 }
observation:
  - { topic: /joint_states, joints: [${JOINTS.slice(0, POSITIONS).join(', ')}], quantity: position, unit: rad, low: -4, high: 4 }
  - { topic: /joint_states, joints: [${JOINTS.join(', ')}], quantity: velocity, unit: rad/s, low: -10, high: 10 }
command: { topic: /cmd_vel, type: geometry_msgs/msg/TwistStamped, timeout_ms: 500 }
teleop: { topic: /teleop/cmd_vel, timeout_ms: 500 }
action:
  - { name: forward, path: twist.linear.x, unit: m/s, low: -1, high: 1 }
  - { name: sideways, path: twist.linear.y, unit: m/s, low: -1, high: 1 }
  - { name: turn, path: twist.angular.z, unit: rad/s, low: -2, high: 2 }
estop_topic: /estop
stop: zero
`;
  return { spec: parseRobotSpec(yaml, 'bench.yaml'), yaml };
}

/** Writes what the processes of one rate are started with: one robot, one fresh 2 × 256 policy, states and its actions. */
export async function writeSetup(folder: string, rateHz: number, contenders: readonly string[]): Promise<SetupFiles> {
  mkdirSync(folder, { recursive: true });
  const { spec, yaml } = robotSpec(rateHz);
  const files: SetupFiles = {
    driver: join(folder, 'driver.json'),
    robot: join(folder, 'bench.yaml'),
    policy: join(folder, 'policy'),
    peer: join(folder, 'peer.json'),
  };
  writeFileSync(files.robot, yaml);

  const [o, a] = [spec.observation.length, spec.action.length];
  const config = learnerConfig({ agent: 'iq-sac' });
  const { initialState, policy, deployed } = createAgent(config, { observation: o, action: a });
  const parameters = initialState(Random.derive(1, 'bench'))[deployed[0]!] as Float32Array;
  const actor = policy(parameters, identityNormalisation(o));
  const bundle = await encodeBundle({ policy: actor, contract: contractOf(spec), version: 0 });
  writeBundle(files.policy, bundle);

  const weights = join(folder, 'weights.f32');
  writeFileSync(weights, actor.constants.actor!.data);
  const features = spec.observation.map(({ source, low, high }) => ({ ...source, low, high }));
  const [low, high] = [spec.action.map((each) => each.low), spec.action.map((each) => each.high)];
  const widths = [o, ...config.hiddenSizes, 2 * a];
  writeFileSync(files.peer, JSON.stringify({ features, widths, weights, low, high }));

  const random = Random.derive(2, 'bench');
  // Positions that jumped to and fro would be taken for those of two publishers, and refused: they swing instead.
  const phases = Array.from({ length: POSITIONS }, () => random.uniform(0, 2 * Math.PI));
  const states = Array.from({ length: STATES }, (_, k) => {
    const state = [...random.fillNormal(new Float32Array(o))];
    phases.forEach((phase, i) => {
      state[i] = Math.fround(Math.sin((2 * Math.PI * k) / STATES + phase));
    });
    return state;
  });
  const runtime = await decodeBundle(bundle);
  const actions: number[][] = [];
  for (const state of states) actions.push([...(await runtime.act(state))]);
  await runtime.dispose();
  const topics = Object.fromEntries(contenders.map((name) => [name, topicsOf(name)]));
  writeFileSync(files.driver, JSON.stringify({ rate_hz: rateHz, joints: JOINTS, states, actions, contenders: topics }));
  return files;
}
