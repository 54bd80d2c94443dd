import type { MessageTypeName, MessageTypes } from '../messages/index.js';
import type { ActionMapper } from './action-mapper.js';
import { createActionMapper } from './action-mapper.js';
import type { CommandSpec, RobotSpec, TopicSpec } from './types.js';

/** What one command topic of a robot carries: a part of the action. */
export interface RobotPart {
  readonly command: CommandSpec;
  /** The robot as if this were its only command. */
  readonly spec: RobotSpec;
  /** Where the numbers of this part stand in the whole action. */
  readonly at: readonly number[];
}

/** The parts of a robot, one for each of its commands, in their order. */
export function robotParts(spec: RobotSpec): RobotPart[] {
  return spec.commands.map((command) => {
    const at = spec.action.flatMap((feature, i) => (feature.command === command.name ? [i] : []));
    return { command, spec: { ...spec, commands: [command], action: at.map((i) => spec.action[i]!) }, at };
  });
}

/** The mapper of a part, for its command or its teleoperation. */
interface MappedPart extends RobotPart {
  readonly topic: TopicSpec;
  readonly mapper: ActionMapper;
}

/** A part's command as a message. */
export interface PartMessage {
  readonly topic: string;
  readonly message: MessageTypes[MessageTypeName];
}

/** The whole action ⇄ the messages of all command topics. */
export class CommandMapper {
  readonly parts: readonly MappedPart[];

  /** `topics`: the topic of each part, such as its command or its teleoperation. */
  constructor(spec: RobotSpec, topicOf: (command: CommandSpec) => TopicSpec) {
    this.parts = robotParts(spec).map((part) => {
      const topic = topicOf(part.command);
      return { ...part, topic, mapper: createActionMapper(part.spec, topic) };
    });
  }

  /**
   * The message of every part whose numbers are known; a part with a number that is NaN is left out. With `startNow`, a
   * message whose stamp says when the motion begins gets 0: now.
   */
  toMessages(action: ArrayLike<number>, stampNs: bigint, reachSeconds?: number, startNow = false): PartMessage[] {
    const messages: PartMessage[] = [];
    for (const { at, mapper, topic } of this.parts) {
      const own = new Array<number>(at.length);
      let isKnown = true;
      for (let k = 0; k < at.length; k++) {
        const value = action[at[k]!]!;
        own[k] = value;
        if (Number.isNaN(value)) isKnown = false;
      }
      if (!isKnown) continue;
      const stamp = startNow && mapper.startsAtStamp ? 0n : stampNs;
      messages.push({ topic: topic.topic, message: mapper.toMessage(own, stamp, reachSeconds) });
    }
    return messages;
  }
}
