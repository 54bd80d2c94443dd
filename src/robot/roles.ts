import type { SpecDocument } from './document.js';

/** Topics that ROS 2 uses itself. */
const reserved: ReadonlySet<string> = new Set([
  '/clock',
  '/rosout',
  '/parameter_events',
  '/tf',
  '/tf_static',
  '/diagnostics',
  '/diagnostics_agg',
]);

/** Topics that the nodes of this package, or a robot's own, say other things on. */
const taken: ReadonlySet<string> = new Set([
  '/task_state',
  '/episode_events',
  '/transitions',
  '/recovered_reward',
  '/policy',
  '/interventions',
  '/policy_status',
  '/learner_status',
  '/robot_description',
  '/bond',
]);

/** What a dead-man button is a button of. */
const JOYSTICK = 'sensor_msgs/msg/Joy';

type Role = readonly [topic: string, role: string, path: readonly (string | number)[]];

/** A topic and where its description stands. */
interface Placed {
  readonly topic: string;
  readonly path: readonly (string | number)[];
}

/** A topic and the type of its messages. */
interface Typed {
  readonly topic: string;
  readonly type: string;
}

/** The topics of a description before they are checked against each other. */
export interface Roles {
  readonly state: readonly Typed[];
  readonly commands: readonly Placed[];
  readonly teleops: readonly (Placed & Typed)[];
  readonly deadman: string | undefined;
  readonly estop: string;
}

/**
 * Refuses a topic with two roles that cannot go together: what commands the robot is nothing else, and neither is the
 * emergency stop. A leader may be seen as a state, too, but a topic has one type. Refuses topics of ROS 2's own for commands.
 */
export function checkRoles(document: SpecDocument, { state, commands, teleops, deadman, estop }: Roles): void {
  const others: readonly Role[] = [
    ...state.map(({ topic }): Role => [topic, 'a state topic', ['state', topic]]),
    ...teleops.map(({ topic, path }): Role => [topic, 'the topic of teleoperation', [...path, 'topic']]),
    ...(deadman === undefined
      ? []
      : [[deadman, "the dead-man button's topic", ['teleop', 'deadman', 'topic']] as const]),
  ];
  for (const [own, role, path] of [
    ...commands.map(({ topic, path }): Role => [topic, 'the topic of commands', [...path, 'topic']]),
    [estop, 'the topic of the emergency stop', ['estop_topic']],
  ] as readonly Role[]) {
    const rival =
      others.find(([topic]) => topic === own) ??
      (own === estop && commands.some(({ topic }) => topic === own)
        ? (['', 'the topic of commands', []] as Role)
        : undefined);
    if (rival !== undefined)
      throw document.refusal(path, {
        found: `${own}, which is ${rival[1]}, too`,
        expected: `a topic of its own as ${role}`,
      });
  }
  if (deadman !== undefined && teleops.some(({ topic }) => topic === deadman))
    throw document.refusal(['teleop', 'deadman', 'topic'], {
      found: `${deadman}, which is the topic of teleoperation, too`,
      expected: 'the topic of the joystick, as /joy',
    });
  const heard = [
    ...teleops.map((teleop) => ({ ...teleop, role: 'teleoperation' })),
    ...(deadman === undefined
      ? []
      : [{ topic: deadman, type: JOYSTICK, path: ['teleop', 'deadman'], role: 'the dead-man button' }]),
  ];
  for (const { topic, type, path, role } of heard) {
    const other = state.find((each) => each.topic === topic && each.type !== type);
    if (other !== undefined)
      throw document.refusal([...path, 'topic'], {
        found: `${topic} with ${type} for ${role}, and with ${other.type} as a state topic`,
        expected: 'one type of messages on a topic',
        remedy: `give ${role} a topic of its own, or the same type at both places`,
      });
  }
  for (const { topic, path } of [...commands, ...teleops]) {
    if (taken.has(topic))
      throw document.refusal([...path, 'topic'], {
        found: `${topic}, which carries something else`,
        expected: 'a topic of the robot',
      });
    if (reserved.has(topic))
      throw document.refusal([...path, 'topic'], {
        found: `${topic}, which ROS 2 uses itself`,
        expected: 'a topic of the robot',
      });
  }
}
