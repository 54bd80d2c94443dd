import { emptyMessage, header, type MessageTypeName } from '../../messages/index.js';
import type { PathCommand } from './message-kind.js';
import { readPath, writePath } from './paths.js';

/**
 * A command of numbers at paths. `body` names what carries the action and `bodyPath` says where it stands in the
 * message, so that a robot of TwistStamped can also be driven by Twist. The other fields have the defaults of the
 * definition; a header gets stamp and frame.
 */
export function pathCommand(type: MessageTypeName, body: string = type, bodyPath: readonly string[] = []): PathCommand {
  return {
    addresses: 'paths',
    body,
    bodyPath,
    carrier: (spec, paths) => {
      const whole = paths.map((path) => [...bodyPath, ...path]);
      return {
        build(action, stampNs) {
          const message = emptyMessage(type);
          if ('header' in message) message.header = header(stampNs, spec.frameId);
          for (let i = 0; i < whole.length; i++) writePath(message, whole[i]!, action[i]!);
          return message;
        },
        read(message, out) {
          for (let i = 0; i < whole.length; i++) out[i] = readPath(message, whole[i]!);
        },
      };
    },
  };
}
