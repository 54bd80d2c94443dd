import { header, type MessageTypes, type TaskState } from '../../messages/index.js';
import type { SafetyOutput } from '../../robot/index.js';
import type { Publisher } from '../../transport/index.js';

/** What was seen and done at one control step. */
export interface ExecutedStep {
  readonly stampNs: bigint;
  readonly observation: Float32Array;
  /** After the safety filter. */
  readonly action: Float32Array;
  readonly source: SafetyOutput['source'];
  /** Of the policy that chose the action, -1 for random actions and persons. */
  readonly version: number;
  readonly episode: number;
  readonly step: number;
}

export interface Arrival {
  readonly stampNs: bigint;
  readonly observation: Float32Array;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

/** Turns consecutive control steps into transitions and publishes those that the policy or a person decided. */
export class TransitionPublisher {
  readonly #publisher: Publisher<MessageTypes['iq_learn/msg/Transition']>;
  readonly #robot: string;
  readonly #session: string;
  #previous: ExecutedStep | undefined;
  #sequence = 0n;
  #gaps = 0;

  constructor(publisher: Publisher<MessageTypes['iq_learn/msg/Transition']>, robot: string, session: string) {
    this.#publisher = publisher;
    this.#robot = robot;
    this.#session = session;
  }

  /** Transitions published. */
  get count(): bigint {
    return this.#sequence;
  }

  /** Steps whose outcome was not seen, or not at the time it should: they are no transitions. */
  get gaps(): number {
    return this.#gaps;
  }

  get previous(): ExecutedStep | undefined {
    return this.#previous;
  }

  executed(step: ExecutedStep): void {
    this.#previous = step;
  }

  /** The outcome of the previous step; stopped steps have none to learn from. */
  arrived({ stampNs, observation, reward, terminated, truncated }: Arrival): void {
    const previous = this.#previous;
    this.#previous = undefined;
    if (previous === undefined || previous.source === 'hold' || previous.source === 'stop') return;
    this.#publisher.publish({
      header: header(stampNs),
      robot: this.#robot,
      session: this.#session,
      sequence: this.#sequence++,
      episode: previous.episode,
      step: previous.step,
      policy_version: BigInt(previous.source === 'takeover' ? -1 : previous.version),
      intervention: previous.source === 'takeover',
      observation: previous.observation,
      action: previous.action,
      next_observation: observation,
      terminated,
      truncated,
      reward,
    });
  }

  /** The outcome of the previous step will not be known. */
  cut(): void {
    if (this.#previous !== undefined) this.#gaps++;
    this.#previous = undefined;
  }
}

/** Whether `task` is the state right after the step that was executed. */
export function follows(previous: ExecutedStep, task: TaskState): boolean {
  return task.episode === previous.episode && task.step === previous.step + 1;
}
