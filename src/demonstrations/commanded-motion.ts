import { countBefore } from '../common/index.js';
import { createActionMapper, type RobotPart, type RobotSpec, robotParts, type TopicSpec } from '../robot/index.js';
import type { TimedMessage } from './timeline.js';

/** A speed beyond this share of its reach moves the robot; one within it may not overcome friction. */
const SPEED = 0.05;
/** A joint is moved where its command passes more than this share of its range within {@link WINDOW_NS}. */
const PASSED = 0.01;
const WINDOW_NS = 500_000_000n;

/** When commands move a robot, or a part of it. */
export interface Motion {
  isMoving(timeNs: bigint): boolean;
  /** The share of a stretch of time in which they do. */
  share(fromNs: bigint, toNs: bigint): number;
}

interface Command {
  readonly stampNs: bigint;
  readonly action: Float32Array;
}

/** When the commands of a recording move which part of the robot. */
export class CommandedMotion {
  readonly #messages: readonly TimedMessage[];
  readonly #parts: readonly (RobotPart & { readonly topic: TopicSpec })[];
  readonly #commands = new Map<string, readonly Command[]>();

  /** `actions`: the topic of the actions of each part of the robot. */
  constructor(messages: readonly TimedMessage[], spec: RobotSpec, actions: readonly TopicSpec[]) {
    this.#messages = messages;
    this.#parts = robotParts(spec).map((part, k) => ({ ...part, topic: actions[k]! }));
  }

  /** By these numbers of the action; by any where the list is empty. */
  by(wanted: readonly number[]): Motion {
    const motions = this.#parts.flatMap((part): Motion[] => {
      const own = part.at.flatMap((i, k) => (wanted.length === 0 || wanted.includes(i) ? [k] : []));
      return own.length === 0 ? [] : [motionOf(this.#commandsOf(part), part.spec.action, own)];
    });
    return {
      isMoving: (timeNs) => motions.some((each) => each.isMoving(timeNs)),
      share: (fromNs, toNs) => motions.reduce((most, each) => Math.max(most, each.share(fromNs, toNs)), 0),
    };
  }

  #commandsOf({ spec, topic }: RobotPart & { readonly topic: TopicSpec }): readonly Command[] {
    const known = this.#commands.get(topic.topic);
    if (known !== undefined) return known;
    const mapper = createActionMapper(spec, topic);
    const commands = this.#messages.flatMap((item): Command[] => {
      if (item.topic !== topic.topic) return [];
      try {
        return [{ stampNs: item.stampNs, action: mapper.fromMessage(item.message) }];
      } catch {
        return []; // The control period that it counts for says what is wrong with it.
      }
    });
    this.#commands.set(topic.topic, commands);
    return commands;
  }
}

function motionOf(commands: readonly Command[], action: RobotSpec['action'], own: readonly number[]): Motion {
  const moved = commands.map((_, at) => own.some((i) => isMoved(commands, at, action, i)));
  return {
    isMoving: (timeNs) => {
      const newest = countBefore(commands.length, (i) => commands[i]!.stampNs <= timeNs) - 1;
      return newest >= 0 && timeNs - commands[newest]!.stampNs <= WINDOW_NS && moved[newest]!;
    },
    share: (fromNs, toNs) => {
      let sum = 0;
      commands.forEach(({ stampNs }, k) => {
        if (!moved[k] || stampNs < fromNs || stampNs >= toNs) return;
        const nextNs = commands[k + 1]?.stampNs ?? toNs;
        const lastsNs = Number((nextNs < toNs ? nextNs : toNs) - stampNs);
        sum += Math.max(0, Math.min(lastsNs, Number(WINDOW_NS)));
      });
      return sum / Number(toNs - fromNs);
    },
  };
}

/** Whether number `i` of the action moves the robot at a command. */
function isMoved(commands: readonly Command[], at: number, action: RobotSpec['action'], i: number): boolean {
  const { quantity, unit, low, high } = action[i]!;
  const { stampNs, action: now } = commands[at]!;
  if (quantity === undefined) {
    // A vehicle is moved by its speed: one that only steers stands still.
    const speed = action.some((each) => each.unit === 'm/s') ? 'm/s' : 'rad/s';
    return unit === speed && Math.abs(now[i]!) > SPEED * Math.max(Math.abs(low), Math.abs(high));
  }
  let [least, most] = [now[i]!, now[i]!];
  for (let k = at - 1; k >= 0 && stampNs - commands[k]!.stampNs <= WINDOW_NS; k--) {
    least = Math.min(least, commands[k]!.action[i]!);
    most = Math.max(most, commands[k]!.action[i]!);
  }
  return most - least > PASSED * (high - low);
}
