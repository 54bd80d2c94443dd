import { createActionMapper, type PartMessage, type RobotSpec, robotParts } from '../../robot/index.js';

/** So many commands of another are none that was under way when it stopped. */
const FEWEST = 5;
/** After so long without one the other has stopped; after so long this node does not drive. */
const FORGOTTEN_NS = 3_000_000_000n;
/** Own commands come back within this time. */
const KEPT_NS = 1_000_000_000n;
const KEPT = 16;

interface Heard {
  readonly topic: string;
  readonly read: (message: unknown) => Float32Array;
  /** What this node sends is remembered while it can come back. */
  isListened: boolean;
  own: { readonly values: Float32Array; readonly timeNs: bigint }[];
  others: number;
  otherNs: bigint;
}

/**
 * Notices that another publishes on a command topic of a robot that this node drives: the robot obeys both by turns. A
 * message does not tell who sent it, but what this node sends comes back to it, and other numbers are another's.
 * It is asked only while another publisher is there, see other-commands.ts.
 */
export class ForeignCommands {
  readonly #heard: readonly Heard[];

  constructor(spec: RobotSpec) {
    this.#heard = robotParts(spec).map((part) => {
      const mapper = createActionMapper(part.spec, part.command);
      const read = (message: unknown): Float32Array => mapper.fromMessage(message);
      return { topic: part.command.topic, read, isListened: false, own: [], others: 0, otherNs: 0n };
    });
  }

  /** Whether the topic is listened to from now on. */
  listen(topic: string, isListened: boolean): void {
    this.#of(topic).isListened = isListened;
  }

  sent({ topic, message }: PartMessage, nowNs: bigint): void {
    const heard = this.#of(topic);
    if (!heard.isListened) return;
    heard.own.push({ values: heard.read(message), timeNs: nowNs });
    const recent = heard.own.findIndex(({ timeNs }) => nowNs - timeNs <= KEPT_NS);
    const surplus = Math.min(recent, heard.own.length - KEPT);
    if (surplus > 0) heard.own = heard.own.slice(surplus);
  }

  /** Takes what was heard on a command topic; returns what is said of it from the fifth command of another on, else null. */
  hear(topic: string, message: unknown, nowNs: bigint): string | null {
    const heard = this.#of(topic);
    let values: Float32Array;
    try {
      values = heard.read(message);
    } catch {
      return null; // It commands other joints, and nothing that this node does.
    }
    const isOwn = heard.own.some((sent) => sent.values.every((value, i) => value === values[i]));
    const lastNs = heard.own.at(-1)?.timeNs;
    if (isOwn || lastNs === undefined || nowNs - lastNs > FORGOTTEN_NS) return null;
    if (nowNs - heard.otherNs > FORGOTTEN_NS) heard.others = 0;
    heard.others++;
    heard.otherNs = nowNs;
    return heard.others < FEWEST ? null : said(topic);
  }

  /** What is said while another commands the robot, too; empty while none does. */
  problem(nowNs: bigint): string {
    const isContested = ({ others, otherNs, own }: Heard): boolean =>
      others >= FEWEST && nowNs - otherNs <= FORGOTTEN_NS && nowNs - own.at(-1)!.timeNs <= FORGOTTEN_NS;
    return this.#heard.flatMap((heard) => (isContested(heard) ? [said(heard.topic)] : [])).join('; ');
  }

  #of(topic: string): Heard {
    return this.#heard.find((heard) => heard.topic === topic)!;
  }
}

function said(topic: string): string {
  return `${topic}: another publisher commands the robot by turns with this node, expected one: stop it, or have it publish elsewhere (ros2 topic info -v ${topic} names it)`;
}
