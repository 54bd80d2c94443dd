import { type Observation, Random } from '../../common/index.js';
import type { PolicyRuntime } from '../../policy/index.js';
import { PolicyActions, type RobotSpec } from '../../robot/index.js';
import { services, topics } from '../kit/topics.js';
import type { RecordedActions } from './recorded-actions.js';

/** Actions that are given before those of the policy: the beginning of an episode, executed once more. */
export interface ActionReplay {
  /** One command for each step, in the robot's units. */
  readonly commands: readonly Float32Array[];
  /** How many actions the earlier part of the run had drawn: uniformly random ones and samples of the policy. */
  readonly drawn: { readonly random: number; readonly sampled: number };
}

export interface ActionSourceOptions {
  readonly spec: RobotSpec;
  readonly seed: number;
  /** Draws actions from the policy's distribution instead of taking its mean. */
  readonly stochastic: boolean;
  /** While there is no policy: gives no action, or uniformly random ones. */
  readonly explore: 'hold' | 'random';
  /** So many actions of the run, those before this part of it among them, are random even with a policy. */
  readonly randomSteps?: number;
  /** Random and sampled actions that the part of the run before this one drew: the generator goes on after them. */
  readonly drawn?: ActionReplay['drawn'] | undefined;
  /** Actions of a recording, in place of a policy's. */
  readonly recorded?: RecordedActions;
  /** The command so far, which recorded actions begin from. */
  readonly current?: () => ArrayLike<number> | undefined;
}

/** Chooses actions: by the policy that is loaded, or at random before the first. The seed determines all of them. */
export class ActionSource {
  readonly #options: ActionSourceOptions;
  readonly #random: Random;
  readonly #noise: Float32Array;
  readonly #actions: PolicyActions;
  /** Random actions that the run has drawn. */
  #randomDrawn: number;
  #chosenBy = -1;
  #runtime: PolicyRuntime | undefined;

  constructor(options: ActionSourceOptions, runtime: PolicyRuntime | undefined) {
    this.#options = options;
    this.#random = Random.derive(options.seed, 'policy actions');
    const a = options.spec.action.length;
    const { random, sampled } = options.drawn ?? { random: 0, sampled: 0 };
    for (let i = 0; i < random * a; i++) this.#random.uniform();
    for (let i = 0; i < sampled * a; i++) this.#random.normal();
    this.#randomDrawn = random;
    this.#noise = new Float32Array(a);
    this.#actions = new PolicyActions(options.spec);
    this.#runtime = runtime;
  }

  get runtime(): PolicyRuntime | undefined {
    return this.#runtime;
  }

  /** Version of the policy, or −1 while there is none. */
  get version(): number {
    return this.#runtime?.version ?? -1;
  }

  /** Version of the policy that chose the last action, or −1 where it was random. */
  get chosenBy(): number {
    return this.#chosenBy;
  }

  /** Why there is nothing more to drive; empty but for the end of a replay. */
  get over(): string {
    return this.#options.recorded?.over ?? '';
  }

  /** Why {@link act} has no action to give; undefined where it has. */
  get problem(): string | undefined {
    if (this.ready) return undefined;
    return (
      this.over || `no policy yet: expected one on ${topics.policy}, by the parameter policy or ${services.loadPolicy}`
    );
  }

  /** Somebody or something else commands the robot: a recorded motion would go on somewhere else. */
  interrupted(reason: string): void {
    this.#options.recorded?.abandon(reason);
  }

  /** Whether {@link act} has an action to give. */
  get ready(): boolean {
    if (this.#options.recorded !== undefined) return this.over === '';
    return this.#runtime !== undefined || this.#options.explore === 'random';
  }

  /** Replaces the policy from the next action on, and disposes of the old one. */
  load(runtime: PolicyRuntime): void {
    const old = this.#runtime;
    this.#runtime = runtime;
    void old?.dispose();
  }

  /** The command for this observation, in the robot's units; null at the end of a replay. */
  async act(observation: Observation): Promise<Float32Array | null> {
    const { stochastic, randomSteps = 0, recorded, current } = this.#options;
    if (recorded !== undefined) return recorded.next(observation, current?.()) ?? null;
    if (this.#runtime === undefined || this.#randomDrawn < randomSteps) {
      this.#randomDrawn++;
      this.#chosenBy = -1;
      const random = Float32Array.from(this.#actions.features, ({ low, high }) => this.#random.uniform(low, high));
      return this.#actions.toCommand(random, observation);
    }
    this.#chosenBy = this.#runtime.version;
    const noise = stochastic ? this.#random.fillNormal(this.#noise) : undefined;
    return this.#actions.toCommand(await this.#runtime.act(observation, noise), observation);
  }

  async dispose(): Promise<void> {
    await this.#runtime?.dispose();
    this.#runtime = undefined;
  }
}
