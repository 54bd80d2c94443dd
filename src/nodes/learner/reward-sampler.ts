import { IqLearnError, messageOf, stackObservations } from '../../common/index.js';
import type { RecoveredReward, Transition } from '../../messages/index.js';
import { observationOf, PolicyActions, type RobotSpec } from '../../robot/index.js';
import type { LearningClient } from '../../training/index.js';
import { transitionObservations } from '../kit/transition-observation.js';

export interface RewardSamplerOptions {
  readonly spec: RobotSpec;
  readonly client: LearningClient;
  readonly publish: (reward: RecoveredReward) => void;
  readonly warn: (message: string) => void;
}

/** Has the recovered reward of the newest transition computed, one at a time: transitions never queue. */
export class RewardSampler {
  readonly #options: RewardSamplerOptions;
  #newest: Transition | undefined;
  #asking = false;
  #closed = false;

  constructor(options: RewardSamplerOptions) {
    this.#options = options;
  }

  offer(transition: Transition): void {
    this.#newest = transition;
  }

  sample(): void {
    const transition = this.#newest;
    if (transition === undefined || this.#asking || this.#closed) return;
    this.#newest = undefined;
    this.#asking = true;
    void this.#recover(transition)
      .catch((error) => {
        // The node reports it as its fault when learning has ended.
        const ended = error instanceof IqLearnError && error.code === 'UNAVAILABLE';
        if (!ended && !this.#closed) this.#options.warn(`no reward can be recovered: ${messageOf(error)}`);
      })
      .finally(() => {
        this.#asking = false;
      });
  }

  close(): void {
    this.#closed = true;
  }

  async #recover(transition: Transition): Promise<void> {
    const { spec, client, publish } = this.#options;
    const { header, robot, session, sequence, episode, step, action, terminated } = transition;
    const observation = observationOf(spec);
    const observations = stackObservations(observation, transitionObservations(observation, transition));
    const { rewards, updates } = await client.recoverRewards({
      length: 1,
      observations,
      actions: new PolicyActions(spec).normalise(action, observations),
      terminated,
    });
    if (!this.#closed)
      publish({ header, robot, session, sequence, episode, step, updates: BigInt(updates), reward: rewards[0]! });
  }
}
