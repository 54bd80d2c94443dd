import type { SensorReadings } from '../robot/index.js';

export type { PoseReading, SensorReadings } from '../robot/index.js';

/** One named dimension of a space, in SI units with angles in radians (REP 103). */
export interface Dimension {
  readonly name: string;
  readonly unit: string;
  /** −Infinity where there is no lower limit. */
  readonly low: number;
  /** +Infinity where there is no upper limit. */
  readonly high: number;
}

/** A space of vectors of numbers. */
export interface BoxSpace {
  readonly kind: 'box';
  readonly dimensions: readonly Dimension[];
}

/** The actions 0…n−1. An action is a vector of one number, its index. */
export interface DiscreteSpace {
  readonly kind: 'discrete';
  readonly n: number;
  /** Names of the n actions. */
  readonly names: readonly string[];
}

/** What one step of a task gives. */
export interface StepResult {
  /** The observation after the step, one number for each dimension of the observation space. */
  readonly observation: Float64Array;
  readonly reward: number;
  /** Whether the state is a true terminal state, whose value is 0. */
  readonly terminated: boolean;
  /** Whether the time limit ended the episode; the state's value is then estimated like any other. */
  readonly truncated: boolean;
  /** Whether the task has been accomplished (the rover is at its goal); always false for a task without a goal. */
  readonly success: boolean;
}

/** A geometry to draw. */
export interface SceneGeometry {
  readonly name: string;
  readonly shape: 'plane' | 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box';
  /** Metres, as MuJoCo gives sizes: half lengths or radii, depending on the shape. */
  readonly size: readonly [number, number, number];
  /** Red, green, blue and opacity, each 0…1. */
  readonly rgba: readonly [number, number, number, number];
  /** Metres, world frame. */
  readonly position: readonly [number, number, number];
  /** Rotation matrix from the geometry's frame to the world frame, 3 × 3, row-major. */
  readonly rotation: readonly number[];
}

/**
 * A task with gymnasium's reset and step, synchronous and deterministic: the same seed and actions give the same numbers
 * bit for bit. A {@link TaskClient} runs it in a worker thread; use it directly where blocking does no harm.
 */
export interface Task {
  readonly name: string;
  readonly observationSpace: BoxSpace;
  readonly actionSpace: BoxSpace | DiscreteSpace;
  /** Simulated time of one step, seconds. */
  readonly stepSeconds: number;
  /** Number of steps after which an episode is truncated. */
  readonly maxSteps: number;
  /** Starts an episode and gives its first observation. The seed is an integer in 0…4294967295. */
  reset(seed: number): Float64Array;
  /** Advances one step. Throws INVALID_ARGUMENT, and changes nothing, for an action of wrong length or not finite. */
  step(action: ArrayLike<number>): StepResult;
  /** What the robot's sensors read in the present state. */
  sense(): SensorReadings;
  /** The geometries to draw, where they are now. */
  scene(): readonly SceneGeometry[];
  /** The full state, from which `restore` continues bit for bit. */
  snapshot(): Float64Array;
  /** Throws INVALID_ARGUMENT for numbers that are no snapshot of this task. */
  restore(state: Float64Array): void;
  close(): void;
}

/** A {@link Task} in a worker thread. When the worker has died, every pending and later call rejects with UNAVAILABLE. */
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
