import type { BlockArray, ObservationSpec, PerBlock } from '../../common/index.js';
import { header, type MessageTypes, type TaskState } from '../../messages/index.js';
import { observationOf, type RobotSpec, type SafetyOutput } from '../../robot/index.js';
import type { Publisher } from '../../transport/index.js';
import { fieldsOf } from '../kit/transition-observation.js';

/** The observation and the command of one control step. */
export interface ExecutedStep {
  readonly stampNs: bigint;
  readonly observation: PerBlock<BlockArray>;
  /** The command that was executed, after the safety filter, in the robot's units. */
  readonly action: Float32Array;
  readonly source: SafetyOutput['source'];
  /** Version of the policy that chose the action; −1 for random actions and for a person's. */
  readonly version: number;
  readonly episode: number;
  readonly step: number;
}

/** The outcome of a step: what the robot was like one period later. */
export interface Arrival {
  readonly stampNs: bigint;
  readonly observation: PerBlock<BlockArray>;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

/**
 * Turns consecutive control steps into transitions and publishes them. A step on which the robot was stopped is not a
 * transition: neither the policy nor a person decided it.
 */
export class TransitionPublisher {
  readonly #publisher: Publisher<MessageTypes['iq_learn/msg/Transition']>;
  readonly #robot: string;
  readonly #observation: ObservationSpec;
  readonly #session: string;
  #previous: ExecutedStep | undefined;
  #sequence = 0n;
  #gaps = 0;

  constructor(publisher: Publisher<MessageTypes['iq_learn/msg/Transition']>, spec: RobotSpec, session: string) {
    this.#publisher = publisher;
    this.#robot = spec.robot;
    this.#observation = observationOf(spec);
    this.#session = session;
  }

  /** Number of transitions published. */
  get count(): bigint {
    return this.#sequence;
  }

  /** Number of steps whose outcome was not seen, or not one period later: they are not published. */
  get gaps(): number {
    return this.#gaps;
  }

  /** The step whose outcome is awaited. */
  get previous(): ExecutedStep | undefined {
    return this.#previous;
  }

  /** Notes the step that is executed now. */
  executed(step: ExecutedStep): void {
    this.#previous = step;
  }

  /** Publishes the previous step with its outcome, unless the robot was stopped. */
  arrived({ stampNs, observation, reward, terminated, truncated }: Arrival): void {
    const previous = this.#previous;
    this.#previous = undefined;
    if (previous === undefined || previous.source === 'hold' || previous.source === 'stop') return;
    const [before, after] = [previous.observation, observation].map((each) => fieldsOf(this.#observation, each));
    this.#publisher.publish({
      header: header(stampNs),
      robot: this.#robot,
      session: this.#session,
      sequence: this.#sequence++,
      episode: previous.episode,
      step: previous.step,
      policy_version: BigInt(previous.source === 'takeover' ? -1 : previous.version),
      intervention: previous.source === 'takeover',
      observation: before!.numbers,
      action: previous.action,
      next_observation: after!.numbers,
      blocks: before!.bytes,
      next_blocks: after!.bytes,
      terminated,
      truncated,
      reward,
    });
  }

  /** Forgets the previous step: its outcome will not be known. */
  cut(): void {
    if (this.#previous !== undefined) this.#gaps++;
    this.#previous = undefined;
  }
}

/** Whether `task` belongs to the state directly after that step. */
export function follows(previous: ExecutedStep, task: TaskState): boolean {
  return task.episode === previous.episode && task.step === previous.step + 1;
}
