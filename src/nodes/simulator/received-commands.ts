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
  /** By topic: what was executed last, and how often it may still come again. */
  readonly #executed = new Map<string, { readonly values: Float32Array; possible: number }>();
  /** How often the present state was published after the first time. */
  #askedAgain = 0;

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

  /** The state that is to be answered was published once more: its answer may come once more, too. */
  askedAgain(): void {
    this.#askedAgain++;
  }

  /**
   * Whether a message without a stamp is the answer to the state before, once more: commands of a topic come in order,
   * so it lies before the answer to the present state, and has the numbers that were executed. Each time that a state
   * was published again makes one such message possible.
   */
  isOldAnswer(topic: string, values: Float32Array): boolean {
    const executed = this.#executed.get(topic);
    if (executed === undefined || executed.possible === 0) return false;
    if (!values.every((value, i) => value === executed.values[i])) return false;
    executed.possible--;
    return true;
  }

  /** The whole action, which is executed now. What {@link isOldAnswer} says is about it from then on. */
  execute(): Float32Array {
    const action = this.action();
    for (const [topic, { values }] of this.#parts) {
      const possible = (this.#executed.get(topic)?.possible ?? 0) + this.#askedAgain;
      this.#executed.set(topic, { values, possible });
    }
    this.#askedAgain = 0;
    this.#parts.clear();
    return action;
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
