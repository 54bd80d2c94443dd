import type * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { Random } from '../common/index.js';
import type { ArrayRecord, Program, TensorRecord } from '../engine/index.js';
import type { PolicyFunction } from '../policy/index.js';
import type { Normalisation } from './data/normalisation.js';
import type { MetricLimits } from './divergence-guard.js';
import type { ImageShape } from './networks/convolution.js';
import type { AdamCoefficients } from './optimiser/adam.js';
import type { Fall } from './optimiser/schedules.js';

/** Sizes of what an agent sees and does. */
export interface Spaces {
  readonly observation: number;
  /** The images that an observation begins with, which pass convolutions; the other numbers follow. */
  readonly images?: readonly ImageShape[];
  /** Dimensions of a continuous action, or the number of discrete ones. */
  readonly action: number;
}

/**
 * The rows of one batch by their source. A program's inputs hold policy rows first, then expert rows; they are
 * `observations`, `nextObservations` [rows, o] (normalised), `actions` [rows, a] (in (−1, 1), or one-hot where they are
 * discrete), `continues` [rows, 1] (0 after a true terminal state, else 1; a time limit continues) and, where the
 * program declares them, `rewards` [rows, 1], `absorbing` [rows, 1] (1 for a row that leads from the absorbing state to
 * itself, else 0), `initialObservations` [initial rows, o], standard normal `noise`, `nextNoise` and `initialNoise`, and
 * uniform `mixing` [n, 1] in [0, 1), and `gumbel` [rows, a] of the Gumbel distribution.
 */
export interface BatchRows {
  /** Rows from the policy's replay buffer. */
  readonly policy: number;
  /** Rows from the demonstrations. */
  readonly expert: number;
  /** Whether initial states are the demonstrations' first states, or all of their states taken as possible starts. */
  readonly initialStates: 'first' | 'all';
  /** Whether every transition of the policy needs its reward. */
  readonly rewards: boolean;
}

/** Rows whose reward is recovered, as tensors. */
export interface RewardInputs {
  readonly observations: tf.Tensor;
  readonly actions: tf.Tensor;
  readonly nextObservations: tf.Tensor;
  readonly continues: tf.Tensor;
  /** [samples · rows, a]: standard normal, one block of rows after the other. */
  readonly noise: tf.Tensor;
}

/** How an agent recovers the reward that its critic implies. */
export interface RewardFunction {
  /** The entries of the agent's state that the function reads. */
  readonly entries: readonly string[];
  /** r(s, a, s′) = Q(s, a) − γ (1 − d) V(s′) → [rows, 1]; V is a mean over `samples` actions of the policy. */
  recover(state: TensorRecord, inputs: RewardInputs, samples: number): tf.Tensor;
}

/**
 * A learning algorithm for given settings and sizes: what the {@link Learner} needs to know of it, and all that it knows.
 * The program is one update. Its outputs are its metrics: scalars, published under `train/` and their names.
 */
export interface Agent {
  readonly rows: BatchRows;
  /** Continuous actions are clipped to ±this before they enter a buffer; absent where actions are discrete. */
  readonly actionClip?: number;
  readonly program: Program;
  /** For each input of the program that holds Adam's coefficients: those of an update (the first is 1). */
  readonly adam: Readonly<Record<string, (update: number) => AdamCoefficients>>;
  /** The ranges that metrics keep to while learning goes as it should; beyond them it is taken back. */
  readonly limits?: MetricLimits;
  initialState(random: Random): ArrayRecord;
  /** The entries of the state that are deployed: the parameters of the policy, or their running average. */
  readonly deployed: readonly string[];
  /** Those that act while learning, where they are others than the deployed ones: the parameters before averaging. */
  readonly acting?: readonly string[];
  /** The policy function of these entries' numbers, one entry after the other. */
  policy(parameters: Float32Array, normalisation: Normalisation): PolicyFunction;
  /** Absent where the agent recovers no reward. */
  readonly reward?: RewardFunction;
  /** The state with the actor's parameters replaced by these; absent where an agent cannot start from a cloned policy. */
  warmStart?(state: ArrayRecord, actor: Float32Array): ArrayRecord;
}

/** An entry of the registry of agents: what can be said of one before its settings and sizes are known. */
export interface AgentDefinition<Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** One sentence for people who choose. */
  readonly summary: string;
  readonly actions: 'continuous' | 'discrete';
  /** The agent's own settings: every one with a default and a description. */
  readonly settings: Shape;
  /** Prefix of the names of its random streams: agents with different prefixes draw independently from one seed. */
  readonly streams: string;
  /**
   * `settings` may hold more than the agent's own; they must have been checked. `fall` says when falling
   * schedules leave 1 and reach their floors.
   */
  create(settings: Readonly<Record<string, unknown>>, spaces: Spaces, fall: Fall): Agent;
}

/** An entry of the registry whose `create` gets its settings with their types. */
export function defineAgent<Shape extends z.ZodRawShape>(
  definition: Omit<AgentDefinition<Shape>, 'create' | 'streams'> & {
    readonly streams?: string;
    readonly create: (settings: z.output<z.ZodObject<Shape>>, spaces: Spaces, fall: Fall) => Agent;
  },
): AgentDefinition<Shape> {
  // They are checked already: an agent takes its own and leaves the others.
  const own = (settings: Readonly<Record<string, unknown>>): z.output<z.ZodObject<Shape>> =>
    Object.fromEntries(Object.keys(definition.settings).map((name) => [name, settings[name]])) as never;
  return {
    streams: '',
    ...definition,
    create: (settings, spaces, fall) => definition.create(own(settings), spaces, fall),
  };
}
