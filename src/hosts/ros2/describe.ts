import { messageOf } from '../../common/index.js';
import { loadRobotSpec } from '../../robot/index.js';
import { commandsStamped } from './twist.js';

/**
 * `node describe.js ROBOT`: what launch files ask of a robot's description. JSON of texts alone, which is Python, too:
 * they evaluate it. Topics are without leading slash, so that namespaces hold.
 */
try {
  const spec = loadRobotSpec(process.argv[2] ?? '');
  const relative = (topic: string): string => topic.replace(/^\//, '');
  const facts: Readonly<Record<string, string>> = {
    robot: spec.robot,
    command: relative(spec.command.topic),
    teleop: relative(spec.teleop.topic),
    twist: String(spec.command.type.startsWith('geometry_msgs/msg/Twist')),
    stamped: String(commandsStamped(spec)),
  };
  process.stdout.write(JSON.stringify(facts));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
