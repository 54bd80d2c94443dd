import { Random } from '../../common/index.js';
import type { PolicyRuntime } from '../../policy/index.js';
import type { RobotSpec } from '../../robot/index.js';

/** Actions that are given before those of the policy: the beginning of an episode, executed once more. */
export interface ActionReplay {
  /** One command for each step, in the robot's units. */
  readonly commands: readonly Float32Array[];
  /** How many actions the earlier part of the run had drawn: uniformly random ones and samples of the policy. */
  readonly drawn: { readonly random: number; readonly sampled: number };
}

export interface PilotOptions {
  readonly spec: RobotSpec;
  readonly seed: number;
  /** Draws actions from the policy instead of taking its mean. */
  readonly stochastic: boolean;
  /** Without a policy: nothing, or uniformly random actions. */
  readonly explore: 'hold' | 'random';
  /** Actions that were drawn before, in an earlier part of the run: the generator goes on where that part left it. */
  readonly drawn?: ActionReplay['drawn'];
}

/** Chooses actions: the policy that is loaded, or random ones before the first. Deterministic in its seed. */
export class ActionSource {
  readonly #options: PilotOptions;
  readonly #random: Random;
  readonly #noise: Float32Array;
  #runtime: PolicyRuntime | undefined;

  constructor(options: PilotOptions, runtime: PolicyRuntime | undefined) {
    this.#options = options;
    this.#random = Random.derive(options.seed, 'policy actions');
    const a = options.spec.action.length;
    const { random, sampled } = options.drawn ?? { random: 0, sampled: 0 };
    for (let i = 0; i < random * a; i++) this.#random.uniform();
    for (let i = 0; i < sampled * a; i++) this.#random.normal();
    this.#noise = new Float32Array(a);
    this.#runtime = runtime;
  }

  get runtime(): PolicyRuntime | undefined {
    return this.#runtime;
  }

  /** -1 while there is no policy. */
  get version(): number {
    return this.#runtime?.version ?? -1;
  }

  /** Whether {@link act} can be asked. */
  get ready(): boolean {
    return this.#runtime !== undefined || this.#options.explore === 'random';
  }

  /** Takes over another policy from the next action on. */
  load(runtime: PolicyRuntime): void {
    const old = this.#runtime;
    this.#runtime = runtime;
    void old?.dispose();
  }

  /** In the robot's units. */
  async act(observation: Float32Array): Promise<Float32Array> {
    const { spec, stochastic } = this.#options;
    if (this.#runtime === undefined)
      return Float32Array.from(spec.action, ({ low, high }) => this.#random.uniform(low, high));
    return await this.#runtime.act(observation, stochastic ? this.#random.fillNormal(this.#noise) : undefined);
  }

  async dispose(): Promise<void> {
    await this.#runtime?.dispose();
    this.#runtime = undefined;
  }
}
