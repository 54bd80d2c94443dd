import { Random } from '../common/index.js';
import type { PolicyRuntime } from '../policy/index.js';
import type { RobotSpec } from '../robot/index.js';

export interface PilotOptions {
  readonly spec: RobotSpec;
  readonly seed: number;
  /** Draws actions from the policy instead of taking its mean. */
  readonly stochastic: boolean;
  /** Without a policy: nothing, or uniformly random actions. */
  readonly explore: 'hold' | 'random';
}

/** Chooses actions: the policy that is loaded, or random ones before the first. Deterministic in its seed. */
export class Pilot {
  readonly #options: PilotOptions;
  readonly #random: Random;
  readonly #noise: Float32Array;
  #runtime: PolicyRuntime | undefined;

  constructor(options: PilotOptions, runtime: PolicyRuntime | undefined) {
    this.#options = options;
    this.#random = Random.derive(options.seed, 'policy actions');
    this.#noise = new Float32Array(options.spec.action.length);
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
