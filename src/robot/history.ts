import { clamp } from '../common/index.js';
import type { ActionFeatureSpec, RobotSpec } from './types.js';

/** A feature whose value is an earlier one of the feature `of` (its place in the observation). */
interface PastFeature {
  readonly at: number;
  readonly of: number;
  readonly lag: number;
}

/** A feature whose value is an earlier command. */
interface PastCommand {
  readonly at: number;
  readonly action: number;
  readonly lag: number;
}

/** The name of a feature's value of `lag` control periods ago. */
export function earlier(name: string, lag: number): string {
  return `${name}[-${lag}]`;
}

/** Where the position is observed that a stop of this action holds; −1 where a stop is 0, or it is not observed. */
export function restOf({ stop, path }: ActionFeatureSpec, observation: RobotSpec['observation']): number {
  if (stop === 'zero') return -1;
  return observation.findIndex(
    ({ source, lag }) =>
      lag === undefined && source.kind === 'joint' && source.joint === path && source.quantity === 'position',
  );
}

/** Whether anything of earlier control periods is observed. */
export function hasHistory({ observation }: Pick<RobotSpec, 'observation'>): boolean {
  return observation.some(({ lag }) => lag !== undefined);
}

/**
 * Fills in the features of earlier control periods, one observation after the other. Before the first observation there
 * was none, so that one stands for those before it; a command before the first is what a robot at rest is given (0, or
 * the position where it stands). What is more than a control period late does not follow: the history begins anew.
 */
export class ObservationHistory {
  readonly #features: readonly PastFeature[];
  readonly #commands: readonly PastCommand[];
  readonly #actions: RobotSpec['action'];
  /** By action: where in the observation its position at rest is. */
  readonly #restAt: readonly number[];
  readonly #longestNs: number;
  readonly #depth: number;
  /** The newest first. */
  #observed: Float32Array[] = [];
  #commanded: Float32Array[] = [];
  #rest: Float32Array;
  #executed: Float32Array | null = null;
  #lastNs: bigint | null = null;

  constructor({ observation, action, rateHz }: RobotSpec) {
    this.#features = observation.flatMap(({ name, source, lag }, at) =>
      lag === undefined || source.kind === 'action'
        ? []
        : [{ at, lag, of: observation.findIndex((other) => earlier(other.name, lag) === name) }],
    );
    this.#commands = observation.flatMap(({ source, lag }, at) =>
      lag === undefined || source.kind !== 'action' ? [] : [{ at, lag, action: source.action }],
    );
    this.#actions = action;
    this.#restAt = action.map((feature) => restOf(feature, observation));
    this.#longestNs = 2e9 / rateHz;
    this.#depth = Math.max(0, ...observation.map(({ lag = 0 }) => lag));
    this.#rest = new Float32Array(action.length);
  }

  /** Takes the command that was given for the newest observation. The last one before the next observation counts. */
  executed(command: ArrayLike<number>): void {
    this.#executed = Float32Array.from(command);
  }

  /** Writes the features of earlier periods into an observation whose present features are there. */
  complete(observation: Float32Array, nowNs: bigint): void {
    if (this.#lastNs !== null && !(nowNs >= this.#lastNs && Number(nowNs - this.#lastNs) < this.#longestNs))
      this.reset();
    this.#lastNs = nowNs;
    if (this.#executed === null) {
      this.#commanded = [];
      this.#rest = this.#restingCommand(observation);
    } else {
      this.#commanded.unshift(this.#executed);
      this.#executed = null;
    }
    for (const { at, of, lag } of this.#features)
      observation[at] = (this.#observed[lag - 1] ?? this.#observed.at(-1) ?? observation)[of]!;
    for (const { at, action, lag } of this.#commands) {
      const { low, high } = this.#actions[action]!;
      observation[at] = clamp((this.#commanded[lag - 1] ?? this.#rest)[action]!, low, high);
    }
    this.#observed.unshift(observation.slice());
    this.#observed.length = Math.min(this.#observed.length, this.#depth);
    this.#commanded.length = Math.min(this.#commanded.length, this.#depth);
  }

  /** The next observation does not follow the last one. */
  reset(): void {
    this.#observed = [];
    this.#commanded = [];
    this.#executed = null;
    this.#lastNs = null;
  }

  #restingCommand(observation: Float32Array): Float32Array {
    return Float32Array.from(this.#actions, ({ low, high }, i) => {
      const at = this.#restAt[i]!;
      return clamp(at < 0 ? 0 : observation[at]!, low, high);
    });
  }
}
