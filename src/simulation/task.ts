import type { SensorReadings } from '../robot/index.js';

export type { PoseReading, SensorReadings } from '../robot/index.js';

/** One named dimension of a space. Units are SI, angles radian (REP 103). */
export interface Dimension {
  readonly name: string;
  readonly unit: string;
  /** −Infinity where unbounded. */
  readonly low: number;
  readonly high: number;
}

export interface BoxSpace {
  readonly kind: 'box';
  readonly dimensions: readonly Dimension[];
}

/** Actions 0…n−1, given as a vector of one number. */
export interface DiscreteSpace {
  readonly kind: 'discrete';
  readonly n: number;
  readonly names: readonly string[];
}

export interface StepResult {
  /** Float64, as long as the observation space. */
  readonly observation: Float64Array;
  readonly reward: number;
  /** A true terminal state: its value is 0. */
  readonly terminated: boolean;
  /** Cut by the time limit: its value bootstraps. */
  readonly truncated: boolean;
  /** Whether the task counts as done well in this state (rover at the goal, object in place); false where a task has no such notion. */
  readonly success: boolean;
}

/** A body to draw: shape in its own frame and where it is. */
export interface SceneGeometry {
  readonly name: string;
  readonly shape: 'plane' | 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box';
  /** MuJoCo's half sizes, metres. */
  readonly size: readonly [number, number, number];
  readonly rgba: readonly [number, number, number, number];
  readonly position: readonly [number, number, number];
  /** Row-major 3×3 rotation. */
  readonly rotation: readonly number[];
}

/**
 * A task in gymnasium's terms, synchronous and deterministic: the same seed and actions give the same numbers bit
 * for bit. Runs in a worker behind {@link TaskClient}; may be used directly where blocking is fine.
 */
export interface Task {
  readonly name: string;
  readonly observationSpace: BoxSpace;
  readonly actionSpace: BoxSpace | DiscreteSpace;
  /** Seconds of simulated time a step. */
  readonly stepSeconds: number;
  /** Steps until truncation. */
  readonly maxSteps: number;
  /** Starts an episode. */
  reset(seed: number): Float64Array;
  /** Advances one step. A non-finite or misshapen action throws INVALID_ARGUMENT and changes nothing. */
  step(action: ArrayLike<number>): StepResult;
  sense(): SensorReadings;
  scene(): readonly SceneGeometry[];
  /** The full simulator state, for exact replay; what `restore` takes. */
  snapshot(): Float64Array;
  restore(state: Float64Array): void;
  close(): void;
}

/** The same task in a worker thread. A worker that dies rejects every pending and later call with UNAVAILABLE. */
export interface TaskClient {
  readonly name: string;
  readonly observationSpace: BoxSpace;
  readonly actionSpace: BoxSpace | DiscreteSpace;
  readonly stepSeconds: number;
  readonly maxSteps: number;
  reset(seed: number): Promise<{ observation: Float64Array; readings: SensorReadings }>;
  step(action: ArrayLike<number>): Promise<StepResult & { readings: SensorReadings }>;
  scene(): Promise<readonly SceneGeometry[]>;
  snapshot(): Promise<Float64Array>;
  restore(state: Float64Array): Promise<void>;
  close(): Promise<void>;
}
