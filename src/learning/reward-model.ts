import {
  type BlockArray,
  blockArray,
  blockInputs,
  blockValues,
  entryNames,
  type ObservationSpec,
  type Random,
} from '../common/index.js';
import { type ArrayRecord, compile, type Executable, type Program } from '../engine/index.js';
import type { RewardFunction } from './agent.js';
import { type Episode, observationAt } from './data/episode.js';
import { type Normalisation, normaliseObservation } from './data/normalisation.js';
import type { ObservationEncoder } from './networks/encoders.js';

/** Rows per run: an episode is cut into batches of this many steps. */
const ROWS = 64;

/** Recovers the rewards of whole episodes, from parameters that are given with each call. */
export class RewardModel {
  /** Actions of the policy that V(s′) is the mean over. */
  readonly samples: number;
  readonly #executable: Executable;
  readonly #observation: ObservationSpec;
  readonly #actionSize: number;

  private constructor(executable: Executable, observation: ObservationSpec, actionSize: number, samples: number) {
    this.#executable = executable;
    this.#observation = observation;
    this.#actionSize = actionSize;
    this.samples = samples;
  }

  /** Compiles an agent's reward function; `program` is the agent's own, whose state the function reads. */
  static async create(
    reward: RewardFunction,
    program: Program,
    encoder: ObservationEncoder,
    a: number,
    samples: number,
  ): Promise<RewardModel> {
    const { spec } = encoder;
    const state = Object.fromEntries(reward.entries.map((name) => [name, program.state[name]!]));
    const executable = await compile(
      {
        name: 'recovered_reward',
        state,
        inputs: {
          ...blockInputs('observations', spec, ROWS),
          actions: { shape: [ROWS, a], dtype: 'float32' },
          ...blockInputs('nextObservations', spec, ROWS),
          continues: { shape: [ROWS, 1], dtype: 'float32' },
          noise: { shape: [ROWS * samples, a], dtype: 'float32' },
        },
        step: (entries, inputs) => ({
          state: entries,
          outputs: {
            reward: reward.recover(
              entries,
              {
                observations: encoder.features('observations', inputs),
                actions: inputs.actions!,
                nextObservations: encoder.features('nextObservations', inputs),
                continues: inputs.continues!,
                noise: inputs.noise!,
              },
              samples,
            ),
          },
        }),
      },
      {
        device: 'cpu',
        initialState: Object.fromEntries(
          Object.entries(state).map(([name, { shape }]) => [name, new Float32Array(shape[0]!)]),
        ),
      },
    );
    return new RewardModel(executable, spec, a, samples);
  }

  /** The rewards of an episode's n steps, [n]; actions as the buffers hold them. `state` has the function's entries. */
  async recover(
    state: ArrayRecord,
    episode: Episode,
    normalisation: Normalisation,
    random: Random,
  ): Promise<Float32Array> {
    const [spec, a] = [this.#observation, this.#actionSize];
    this.#executable.writeState(state);
    const observations = spec.map((block) => blockArray(block, ROWS));
    const next = spec.map((block) => blockArray(block, ROWS));
    const named = (prefix: string, arrays: readonly BlockArray[]) =>
      Object.fromEntries(entryNames(prefix, spec).map((name, i) => [name, arrays[i]!]));
    const inputs = {
      ...named('observations', observations),
      actions: new Float32Array(ROWS * a),
      ...named('nextObservations', next),
      continues: new Float32Array(ROWS).fill(1),
      noise: new Float32Array(ROWS * this.samples * a),
    };
    const rewards = new Float32Array(episode.length);
    const place = (t: number, arrays: readonly BlockArray[], row: number): void => {
      const observation = normaliseObservation(normalisation, spec, observationAt(spec, episode.observations, t));
      blockValues<ArrayLike<number>>(spec, observation, 'observation').forEach((values, k) => {
        arrays[k]!.set(values, row * values.length);
      });
    };
    for (let start = 0; start < episode.length; start += ROWS) {
      const count = Math.min(ROWS, episode.length - start);
      for (let i = 0; i < count; i++) {
        const t = start + i;
        place(t, observations, i);
        place(t + 1, next, i);
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
