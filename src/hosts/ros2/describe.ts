import { messageOf } from '../../common/index.js';
import { loadRobotSpec } from '../../robot/index.js';
import { commandsStamped } from './twist.js';

/**
 * `node describe.js ROBOT` prints what launch files need of a robot's description. JSON that consists only of strings is a
 * Python literal as well, and launch files evaluate it. Topics have no leading slash, so that namespaces apply.
 */
try {
  const spec = loadRobotSpec(process.argv[2] ?? '');
  const relative = (topic: string): string => topic.replace(/^\//, '');
  const facts: Readonly<Record<string, string>> = {
    robot: spec.robot,
    task: spec.task ?? '',
    command: relative(spec.command.topic),
    teleop: relative(spec.teleop.topic),
    estop: relative(spec.estopTopic),
    twist: String(spec.command.type.startsWith('geometry_msgs/msg/Twist')),
    stamped: String(commandsStamped(spec)),
  };
  process.stdout.write(JSON.stringify(facts));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
