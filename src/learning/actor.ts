import {
  type BlockArray,
  blockArray,
  blockInputs,
  blockValues,
  entryNames,
  type Observation,
  type ObservationSpec,
} from '../common/index.js';
import { type ArrayRecord, compile, type Executable } from '../engine/index.js';
import type { PolicyFunction } from '../policy/index.js';

/** A policy function compiled for acting while it is learned: its constants can be replaced after every update. */
export class Actor {
  readonly #executable: Executable;
  readonly #spec: ObservationSpec;
  /** The arrays of the observation's blocks, in order. */
  readonly #blocks: readonly BlockArray[];
  readonly #noise: Float32Array;
  readonly #inputs: ArrayRecord;

  private constructor(executable: Executable, policy: PolicyFunction) {
    this.#executable = executable;
    this.#spec = policy.observation;
    this.#blocks = policy.observation.map((block) => blockArray(block));
    this.#noise = new Float32Array(policy.actionSize);
    const names = entryNames('observation', policy.observation);
    this.#inputs = { ...Object.fromEntries(names.map((name, i) => [name, this.#blocks[i]!])), noise: this.#noise };
  }

  static async create(policy: PolicyFunction): Promise<Actor> {
    const entries = Object.entries(policy.constants);
    const executable = await compile(
      {
        name: 'actor',
        state: Object.fromEntries(entries.map(([name, { spec }]) => [name, spec])),
        inputs: {
          ...blockInputs('observation', policy.observation, 1),
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
  async act(observation: Observation, noise?: Float32Array): Promise<Float32Array> {
    const values = blockValues<ArrayLike<number>>(this.#spec, observation, 'observation');
    for (let i = 0; i < values.length; i++) this.#blocks[i]!.set(values[i]!);
    if (noise === undefined) this.#noise.fill(0);
    else this.#noise.set(noise);
    const { action } = await this.#executable.run(this.#inputs);
    return (action as Float32Array).slice();
  }

  async dispose(): Promise<void> {
    await this.#executable.dispose();
  }
}
