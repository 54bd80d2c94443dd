import type { Random } from '../common/index.js';
import { type ArrayRecord, compile, type Executable, type Program } from '../engine/index.js';
import type { RewardFunction, RewardInputs, Spaces } from './agent.js';
import type { Episode } from './data/episode.js';
import { type Normalisation, normalise } from './data/normalisation.js';

/** Rows per run: an episode is cut into batches of this many steps. */
const ROWS = 64;

/** Recovers the rewards of whole episodes, from parameters that are given with each call. */
export class RewardModel {
  /** Actions of the policy that V(s′) is the mean over. */
  readonly samples: number;
  readonly #executable: Executable;
  readonly #spaces: Spaces;

  private constructor(executable: Executable, spaces: Spaces, samples: number) {
    this.#executable = executable;
    this.#spaces = spaces;
    this.samples = samples;
  }

  /** Compiles an agent's reward function; `program` is the agent's own, whose state the function reads. */
  static async create(reward: RewardFunction, program: Program, spaces: Spaces, samples: number): Promise<RewardModel> {
    const { observation: o, action: a } = spaces;
    const state = Object.fromEntries(reward.entries.map((name) => [name, program.state[name]!]));
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
        step: (entries, inputs) => ({
          state: entries,
          outputs: { reward: reward.recover(entries, inputs as unknown as RewardInputs, samples) },
        }),
      },
      {
        device: 'cpu',
        initialState: Object.fromEntries(
          Object.entries(state).map(([name, { shape }]) => [name, new Float32Array(shape[0]!)]),
        ),
      },
    );
    return new RewardModel(executable, spaces, samples);
  }

  /** The rewards of an episode's n steps, [n]; actions as the buffers hold them. `state` has the function's entries. */
  async recover(
    state: ArrayRecord,
    episode: Episode,
    normalisation: Normalisation,
    random: Random,
  ): Promise<Float32Array> {
    const { observation: o, action: a } = this.#spaces;
    this.#executable.writeState(state);
    const inputs = {
      observations: new Float32Array(ROWS * o),
      actions: new Float32Array(ROWS * a),
      nextObservations: new Float32Array(ROWS * o),
      continues: new Float32Array(ROWS).fill(1),
      noise: new Float32Array(ROWS * this.samples * a),
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
