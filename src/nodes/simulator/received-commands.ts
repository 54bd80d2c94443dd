import type { MessageTypeName, MessageTypes } from '../../messages/index.js';
import { CommandMapper, type RobotSpec } from '../../robot/index.js';

type Message = MessageTypes[MessageTypeName];

interface Part {
  readonly values: Float32Array;
  readonly receivedNs: bigint;
}

/** The newest command of each of a robot's command topics. */
export class ReceivedCommands {
  readonly #mapper: CommandMapper;
  readonly #size: number;
  readonly #parts = new Map<string, Part>();

  constructor(spec: RobotSpec) {
    this.#mapper = new CommandMapper(spec, (command) => command);
    this.#size = spec.action.length;
  }

  get topics(): readonly string[] {
    return this.#mapper.parts.map(({ topic: { topic } }) => topic);
  }

  /** Reads a message. Throws MISMATCH or CORRUPT_DATA for one that cannot be used. */
  read(topic: string, message: Message): Float32Array {
    return this.#mapper.parts.find((part) => part.topic.topic === topic)!.mapper.fromMessage(message);
  }

  /** Takes what {@link read} gave. */
  put(topic: string, values: Float32Array, receivedNs: bigint): void {
    this.#parts.set(topic, { values, receivedNs });
  }

  clear(): void {
    this.#parts.clear();
  }

  /** Whether every topic has spoken since the last {@link clear}. */
  get isWhole(): boolean {
    return this.#parts.size === this.#mapper.parts.length;
  }

  /**
   * The whole action; NaN for a topic that has not spoken, or whose command is older than its timeout. `nowNs`: the time
   * on the clock of arrivals; without it no command is too old.
   */
  action(nowNs?: bigint): Float32Array {
    const action = new Float32Array(this.#size).fill(Number.NaN);
    for (const { command, at } of this.#mapper.parts) {
      const part = this.#parts.get(command.topic);
      if (part === undefined) continue;
      if (nowNs !== undefined && Number(nowNs - part.receivedNs) / 1e6 > command.timeoutMs) continue;
      at.forEach((i, k) => {
        action[i] = part.values[k]!;
      });
    }
    return action;
  }
}
