import { compile, type Executable } from '../engine/index.js';
import type { PolicyFunction } from '../policy/index.js';

/** A policy function compiled for acting while it is learned: its constants can be replaced after every update. */
export class Actor {
  readonly #executable: Executable;
  readonly #inputs: { readonly observation: Float32Array; readonly noise: Float32Array };

  private constructor(executable: Executable, policy: PolicyFunction) {
    this.#executable = executable;
    this.#inputs = {
      observation: new Float32Array(policy.observationSize),
      noise: new Float32Array(policy.actionSize),
    };
  }

  static async create(policy: PolicyFunction): Promise<Actor> {
    const entries = Object.entries(policy.constants);
    const executable = await compile(
      {
        name: 'actor',
        state: Object.fromEntries(entries.map(([name, { spec }]) => [name, spec])),
        inputs: {
          observation: { shape: [1, policy.observationSize], dtype: 'float32' },
          noise: { shape: [1, policy.actionSize], dtype: 'float32' },
        },
        step: (state, inputs) => ({ state, outputs: policy.apply(inputs, state) }),
      },
      {
        device: 'cpu',
        initialState: Object.fromEntries(entries.map(([name, { data }]) => [name, data])),
        threads: 1,
      },
    );
    return new Actor(executable, policy);
  }

  /** Takes the constants of a newer version of the same policy. */
  load(policy: PolicyFunction): void {
    this.#executable.writeState(
      Object.fromEntries(Object.entries(policy.constants).map(([name, { data }]) => [name, data])),
    );
  }

  /** Observation in the robot's units and noise [a] (zeros if not given) → action in [−1, 1]. */
  async act(observation: ArrayLike<number>, noise?: Float32Array): Promise<Float32Array> {
    this.#inputs.observation.set(observation);
    if (noise === undefined) this.#inputs.noise.fill(0);
    else this.#inputs.noise.set(noise);
    const { action } = await this.#executable.run(this.#inputs);
    return (action as Float32Array).slice();
  }

  async dispose(): Promise<void> {
    await this.#executable.dispose();
  }
}
