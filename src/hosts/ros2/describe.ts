import { messageOf } from '../../common/index.js';
import { isTwist, loadRobotSpec } from '../../robot/index.js';
import { joystickOf } from './joystick.js';
import { commandsStamped } from './twist.js';

/**
 * `node describe.js ROBOT` prints what launch files need of a robot's description, and `node describe.js ROBOT joystick`
 * the parameters of its joystick. JSON that consists only of strings is a
 * Python literal as well, and launch files evaluate it. Topics have no leading slash, so that namespaces apply.
 */
try {
  const spec = loadRobotSpec(process.argv[2] ?? '');
  const relative = (topic: string): string => topic.replace(/^\//, '');
  // Twists go through twist_mux; a robot has one topic of them at most that a joystick drives.
  const command = spec.commands.find(isTwist) ?? spec.commands[0];
  const facts: Readonly<Record<string, string>> = {
    robot: spec.robot,
    task: spec.task ?? '',
    command: relative(command.topic),
    teleop: relative(command.teleop.topic),
    estop: relative(spec.estopTopic),
    twist: String(isTwist(command)),
    stamped: String(commandsStamped(spec)),
  };
  process.stdout.write(JSON.stringify(process.argv[3] === 'joystick' ? joystickOf(spec) : facts));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
