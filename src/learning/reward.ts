import type { Random } from '../common/index.js';
import { type ArrayRecord, compile, type Executable } from '../engine/index.js';
import type { Algorithm, AlgorithmSizes, RecoveryInputs } from './algorithm.js';
import type { Episode } from './data/episode.js';
import { type Normalisation, normalise } from './data/normalisation.js';

const ROWS = 64;

/** Recovers the rewards of whole episodes from networks given with each call. */
export class RewardModel {
  readonly #executable: Executable;
  readonly #sizes: AlgorithmSizes;

  private constructor(executable: Executable, sizes: AlgorithmSizes) {
    this.#executable = executable;
    this.#sizes = sizes;
  }

  /** `samples` actions are drawn for each V(s′). */
  static async create(algorithm: Algorithm, sizes: AlgorithmSizes, samples: number): Promise<RewardModel> {
    const { observation: o, action: a } = sizes;
    const state = Object.fromEntries(algorithm.networks.map((name) => [name, algorithm.program.state[name]!]));
    const executable = await compile(
      {
        name: 'recovered_reward',
        state,
        inputs: {
          observations: { shape: [ROWS, o], dtype: 'float32' },
          actions: { shape: [ROWS, a], dtype: 'float32' },
          nextObservations: { shape: [ROWS, o], dtype: 'float32' },
          continues: { shape: [ROWS, 1], dtype: 'float32' },
          noise: { shape: [ROWS * samples, a], dtype: 'float32' },
        },
        step: (networks, inputs) => ({
          state: networks,
          outputs: { reward: algorithm.recover(networks, inputs as unknown as RecoveryInputs, samples) },
        }),
      },
      {
        executor: 'onnx',
        initialState: Object.fromEntries(
          Object.entries(state).map(([name, { shape }]) => [name, new Float32Array(shape[0]!)]),
        ),
      },
    );
    return new RewardModel(executable, sizes);
  }

  /** → [n], one reward a step; actions in the form the buffers hold. `state` may hold more than the networks. */
  async recover(
    state: ArrayRecord,
    episode: Episode,
    normalisation: Normalisation,
    random: Random,
  ): Promise<Float32Array> {
    const { observation: o, action: a } = this.#sizes;
    this.#executable.writeState(
      Object.fromEntries(Object.keys(this.#executable.state).map((name) => [name, state[name]!])),
    );
    const sizeOf = (name: string): number =>
      this.#executable.inputs[name]!.shape.reduce((product, n) => product * n, 1);
    const inputs = {
      observations: new Float32Array(ROWS * o),
      actions: new Float32Array(ROWS * a),
      nextObservations: new Float32Array(ROWS * o),
      continues: new Float32Array(ROWS).fill(1),
      noise: new Float32Array(sizeOf('noise')),
    };
    const rewards = new Float32Array(episode.length);
    const row = new Float32Array(o);
    const observation = (t: number): Float32Array =>
      normalise(normalisation, episode.observations.subarray(t * o, (t + 1) * o), row);
    for (let start = 0; start < episode.length; start += ROWS) {
      const count = Math.min(ROWS, episode.length - start);
      for (let i = 0; i < count; i++) {
        const t = start + i;
        inputs.observations.set(observation(t), i * o);
        inputs.nextObservations.set(observation(t + 1), i * o);
        inputs.actions.set(episode.actions.subarray(t * a, (t + 1) * a), i * a);
        inputs.continues[i] = episode.terminated && t === episode.length - 1 ? 0 : 1;
      }
      random.fillNormal(inputs.noise);
      const { reward } = await this.#executable.run(inputs);
      rewards.set(reward!.subarray(0, count) as Float32Array, start);
    }
    return rewards;
  }

  async dispose(): Promise<void> {
    await this.#executable.dispose();
  }
}
