import { createActionMapper, isRelative, RivalCommands, type RobotSpec, robotParts } from '../../robot/index.js';

/** A topic on which two were heard by turns is one of them alone when so long was nothing said against it. */
const FORGOTTEN_NS = 2_000_000_000n;

interface Listened {
  readonly read: (message: unknown) => Float32Array;
  readonly rivals: RivalCommands;
  heardNs: bigint;
}

/** Notices two publishers that command by turns on one topic, of teleoperation or of the command: what is recorded is of neither. */
export class RivalDevices {
  readonly #topics = new Map<string, Listened>();
  readonly #warn: (reason: string) => void;

  /** `warn` hears once for each topic what is said of it. */
  constructor(spec: RobotSpec, warn: (reason: string) => void) {
    this.#warn = warn;
    for (const part of robotParts(spec))
      for (const topic of [part.command, part.command.teleop]) {
        // Jogs of two devices add up: nothing is said against them.
        if (topic === part.command.teleop && isRelative(part.spec, topic)) continue;
        const mapper = createActionMapper(part.spec, topic);
        const rivals = new RivalCommands(topic.topic, part.spec.action, true);
        this.#topics.set(topic.topic, { read: (message) => mapper.fromMessage(message), rivals, heardNs: 0n });
      }
  }

  hear(topic: string, message: unknown, nowNs: bigint): void {
    const listened = this.#topics.get(topic);
    if (listened === undefined) return;
    let action: Float32Array;
    try {
      action = listened.read(message);
    } catch {
      return; // It is recorded as it is; who reads the recording says what is wrong with it.
    }
    const isFirst = listened.rivals.count === 0;
    const said = listened.rivals.take(action, nowNs);
    listened.heardNs = nowNs;
    if (said !== null && isFirst) this.#warn(said);
  }

  /** What is said of the topics on which two are heard by turns at this time; empty if of none. */
  problem(nowNs: bigint): string {
    return [...this.#topics.values()]
      .filter(({ rivals, heardNs }) => rivals.isContradicted && nowNs - heardNs <= FORGOTTEN_NS)
      .map(({ rivals }) => rivals.text)
      .join('; ');
  }
}
