import { clamp, IqLearnError, Random } from '../../../common/index.js';
import { type JointState, nanosecondsOf, type PoseStamped } from '../../../messages/index.js';
import { qos } from '../../../transport/index.js';
import { type GazeboRobot, type GazeboRobotParts, groundPose } from '../../gazebo.js';
import type { PoseReading } from '../../task.js';
import type { ArmKinematics } from './kinematics.js';
import { armJoints, armTools } from './model.js';
import { armActions } from './observation.js';
import { drawArmScene } from './scene.js';
import { armGoalRadius } from './task.js';

/** A joint this close to its start has reached it, in radians. */
const THERE = 0.01;
/** Joint speeds on the way to the start: this gain (1/s) times the distance left, and the maximum in rad/s. */
const HOMING = { gain: 3, speed: 1 } as const;
const HOMING_TIMEOUT_MS = 15_000;
/** Shortest time between two commands of the joints. */
const SERVO_PERIOD_NS = 10_000_000n;
/** Where the puck waits while the arm moves to its start. */
const ASIDE = [0.8, 0.5] as const;
/** A puck slower than this lies still, in m/s. */
const STILL = 0.02;

/** The way of the joints to the start of an episode, in radians. */
interface Homing {
  readonly joints: Float64Array;
  arrived(): void;
}

/** Publishers of the joints' speeds, in rad/s, in the order of the joints. */
function jointSpeeds({ transport, own }: GazeboRobotParts): (rates: ArrayLike<number>) => void {
  const speeds = armJoints.map((joint) =>
    own(transport.advertise(`/gazebo/${joint}/speed`, 'std_msgs/msg/Float64', qos.command)),
  );
  return (rates) => {
    for (let i = 0; i < speeds.length; i++) speeds[i]!.publish({ data: rates[i]! });
  };
}

/** The joints of the arm in Gazebo: where they are, and the servo that moves them. */
class GazeboArmJoints {
  /** Radians, in the order of the joints. */
  readonly angles = new Float64Array(armJoints.length);
  /** Whether the joints have been heard. */
  known = false;
  readonly #command: GazeboRobotParts['command'];
  readonly #kinematics: ArmKinematics;
  readonly #drive: (rates: ArrayLike<number>) => void;
  /** Indices of the tool's velocity in x and y among the actions. */
  readonly #axes: readonly [number, number];
  #servedNs = -SERVO_PERIOD_NS;
  #homing: Homing | undefined;

  constructor(parts: GazeboRobotParts, kinematics: ArmKinematics) {
    const { spec, transport, command, own } = parts;
    this.#command = command;
    this.#kinematics = kinematics;
    this.#drive = jointSpeeds(parts);
    this.#axes = armActions.map(({ name }) => spec.action.findIndex((feature) => feature.name === name)) as [
      number,
      number,
    ];
    own(transport.subscribe('/joint_states', 'sensor_msgs/msg/JointState', (m) => this.#serve(m), qos.sensor));
  }

  /** Moves the joints to the start of an episode. Throws TIMEOUT. */
  async moveTo(target: Float64Array): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#homing = { joints: target, arrived: resolve };
        timer = setTimeout(() => reject(this.#notThere(target)), HOMING_TIMEOUT_MS);
        timer.unref();
      });
    } finally {
      clearTimeout(timer);
      this.#homing = undefined;
    }
  }

  #notThere(target: Float64Array): IqLearnError {
    const radians = (angles: Float64Array): string => [...angles].map((angle) => angle.toFixed(2)).join(', ');
    return new IqLearnError('TIMEOUT', 'the arm did not reach the start of the episode', {
      found: this.known ? `joints at ${radians(this.angles)}` : 'no joint_states',
      expected: `${radians(target)} rad within ${HOMING_TIMEOUT_MS / 1000} s`,
      remedy:
        'check that Gazebo runs (is it paused?) and that the bridge carries joint_states and gazebo/joint1/speed …',
    });
  }

  #serve(message: JointState): void {
    for (let i = 0; i < armJoints.length; i++) {
      const position = message.position[message.name.indexOf(armJoints[i]!)];
      if (position === undefined || !Number.isFinite(position)) return;
      this.angles[i] = position;
    }
    this.known = true;
    const stampNs = nanosecondsOf(message.header.stamp);
    if (stampNs > this.#servedNs && stampNs - this.#servedNs < SERVO_PERIOD_NS) return;
    this.#servedNs = stampNs;
    if (this.#homing !== undefined) this.#home(this.#homing);
    else this.#follow();
  }

  /** One step of the servo toward the start of the episode. */
  #home({ joints, arrived }: Homing): void {
    const left = joints.map((target, i) => target - this.angles[i]!);
    if (left.every((angle) => Math.abs(angle) < THERE)) {
      this.#drive(left.fill(0));
      arrived();
    } else this.#drive(left.map((angle) => clamp(HOMING.gain * angle, -HOMING.speed, HOMING.speed)));
  }

  /** One step of the servo after the command, which is the tool's velocity; without one the joints stand still. */
  #follow(): void {
    const action = this.#command();
    if (action === null) {
      this.#drive(new Float64Array(armJoints.length));
      return;
    }
    const [x, y] = this.#axes;
    this.#kinematics.measure(this.angles);
    this.#drive(this.#kinematics.rates(action[x]!, action[y]!));
  }
}

/**
 * The arm's task in Gazebo, with its servo: the MuJoCo task's own servo turns the tool's velocity into joint speeds, and
 * the tool's pose is computed from the joints. The caller keeps `kinematics` and closes it.
 */
export function createGazeboArm(parts: GazeboRobotParts, kinematics: ArmKinematics): GazeboRobot {
  const { transport, world, own } = parts;
  const joints = new GazeboArmJoints(parts, kinematics);
  let goal: readonly [number, number] = [0, 0];
  let puck: PoseReading | undefined;
  let before: { readonly at: PoseReading; readonly stampNs: bigint } | undefined;
  let puckStampNs = 0n;
  own(
    transport.subscribe(
      '/gazebo/puck_pose',
      'geometry_msgs/msg/PoseStamped',
      ({ header, pose: { position: p } }: PoseStamped) => {
        puck = { position: [p.x, p.y, p.z], orientation: [0, 0, 0, 1] };
        puckStampNs = nanosecondsOf(header.stamp);
      },
      qos.sensor,
    ),
  );
  return {
    maxSteps: 120,
    async reset(seed) {
      const scene = drawArmScene(Random.derive(seed, 'arm'));
      await world.place('puck', groundPose(ASIDE, armTools.puckHalfHeight));
      await joints.moveTo(kinematics.place(...scene.tool));
      await world.place('puck', groundPose(scene.puck, armTools.puckHalfHeight, scene.puckYaw));
      await world.place('goal', groundPose(scene.goal, 0.001));
      ({ goal } = scene);
      puck = undefined;
      before = undefined;
    },
    poses() {
      if (joints.known) kinematics.measure(joints.angles);
      return {
        ...(joints.known ? { tool_pose: kinematics.toolPose() } : {}),
        // The puck is round, so its orientation does not matter.
        ...(puck === undefined ? {} : { object_pose: { position: puck.position, orientation: [0, 0, 0, 1] } }),
        goal_pose: groundPose(goal, 0),
      };
    },
    judge() {
      if (puck === undefined) return false;
      const [px, py] = puck.position;
      const seconds = before === undefined ? 0 : Number(puckStampNs - before.stampNs) / 1e9;
      const moved = before === undefined ? 0 : Math.hypot(px - before.at.position[0], py - before.at.position[1]);
      before = { at: puck, stampNs: puckStampNs };
      return seconds > 0 && moved / seconds < STILL && Math.hypot(goal[0] - px, goal[1] - py) <= armGoalRadius;
    },
  };
}
