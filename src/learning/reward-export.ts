import * as tf from '@tensorflow/tfjs';
import { type ActionRange, IqLearnError, type ObservationSpec, type Random, shapeSize } from '../common/index.js';
import { type ArrayRecord, type Program, type TensorRecord, type TensorSpec, traceInference } from '../engine/index.js';
import type { RewardFunction } from './agent.js';
import { NORMALISED_LIMIT, type Normalisation } from './data/normalisation.js';

/** What the reward function of an agent is exported with. */
export interface RewardExportOptions {
  /** Actions are given in these units; in [−1, 1], or one-hot, where it is absent. */
  readonly range?: ActionRange;
  /** Rows of one run of the model; 1 if not given. */
  readonly rows?: number;
  /** Actions of the policy that V(s′) is the mean over; 8 if not given. Their noise is part of the file. */
  readonly samples?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What is exported: the function, and the parameters and the normalisation that it reads. */
export interface RewardSource {
  readonly reward: RewardFunction;
  readonly program: Program;
  readonly state: ArrayRecord;
  readonly observation: ObservationSpec;
  readonly actionSize: number;
  readonly actionClip?: number | undefined;
  readonly normalisation: Normalisation;
  readonly random: Random;
}

const row = (data: ArrayLike<number>): { spec: TensorSpec; data: Float32Array } => ({
  spec: { shape: [1, data.length], dtype: 'float32' },
  data: Float32Array.from(data),
});

/**
 * The recovered reward as an ONNX file that any runtime reads: observation [rows, o], action [rows, a],
 * next_observation [rows, o] and terminated [rows, 1] (1 where the next state is a true terminal, else 0) → reward
 * [rows, 1]; normalisation and clipping are inside. The reward of a step into a true terminal counts on the value of the
 * agent's absorbing state afterwards (y = γ V_abs): a learner that takes that value for 0 has to add γ V_abs to it.
 * Equal content gives equal bytes. Throws UNSUPPORTED where the observation is more than one vector.
 */
export async function exportReward(source: RewardSource, options: RewardExportOptions = {}): Promise<Uint8Array> {
  const { reward, program, state, observation, actionSize: a, actionClip = Number.POSITIVE_INFINITY } = source;
  const { range, rows = 1, samples = 8, metadata = {} } = options;
  const [block, ...others] = observation;
  if (block === undefined || others.length > 0 || block.shape.length !== 1 || block.dtype !== 'float32')
    throw new IqLearnError('UNSUPPORTED', 'this reward cannot be exported', {
      found: `an observation of ${observation.length} blocks`,
      expected: 'one vector of numbers',
    });
  const o = shapeSize(block.shape);
  const noise = source.random.fillNormal(new Float32Array(rows * samples * a));
  const matrix = (columns: number): TensorSpec => ({ shape: [rows, columns], dtype: 'float32' });
  return traceInference(
    (inputs, constants) => {
      const { mean, scale, noise: fixed, middle, half, ...entries } = constants as TensorRecord;
      const normalised = (x: tf.Tensor): tf.Tensor =>
        tf.clipByValue(tf.div(tf.sub(x, mean!), scale!), -NORMALISED_LIMIT, NORMALISED_LIMIT);
      const scaled = middle === undefined ? inputs.action! : tf.div(tf.sub(inputs.action!, middle), half!);
      return {
        reward: reward.recover(
          entries,
          {
            observations: normalised(inputs.observation!),
            actions: Number.isFinite(actionClip) ? tf.clipByValue(scaled, -actionClip, actionClip) : scaled,
            nextObservations: normalised(inputs.next_observation!),
            continues: tf.sub(1, inputs.terminated!),
            noise: fixed!,
          },
          samples,
        ),
      };
    },
    {
      name: 'recovered_reward',
      inputs: { observation: matrix(o), action: matrix(a), next_observation: matrix(o), terminated: matrix(1) },
      constants: {
        mean: row(source.normalisation.mean),
        scale: row(source.normalisation.scale),
        noise: { spec: { shape: [rows * samples, a], dtype: 'float32' }, data: noise },
        ...(range === undefined ? {} : { middle: row(range.middle), half: row(range.half) }),
        ...Object.fromEntries(
          reward.entries.map((name) => [name, { spec: program.state[name]!, data: state[name] as Float32Array }]),
        ),
      },
      metadata: { format: 'iq_learn reward 1', ...metadata },
    },
  );
}
