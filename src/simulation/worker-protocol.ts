import type { PackedError } from '../common/index.js';
import type { WebAssemblyModule } from './physics/webassembly.js';
import type { SensorReadings, Task } from './task.js';

/** What a task worker is started with. */
export interface TaskWorkerData {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** MuJoCo's code, compiled by the parent. */
  readonly module: WebAssemblyModule | undefined;
}

/** The first message of a worker, or else a {@link Reply} with `id` 0 and an error. */
export type TaskFacts = Pick<Task, 'name' | 'observationSpace' | 'actionSpace' | 'stepSeconds' | 'maxSteps'>;

export type Operation = 'reset' | 'step' | 'scene' | 'snapshot' | 'restore' | 'close';

export interface Request {
  readonly id: number;
  readonly operation: Operation;
  readonly argument?: unknown;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PackedError };

/**
 * Readings without what never changes: joint names are strings that cost more to clone than the numbers they name, so
 * they travel only when they differ from the last ones.
 */
export function stripNames(readings: SensorReadings, last: readonly string[] | undefined): SensorReadings {
  const { joints } = readings;
  if (joints === undefined || joints.names !== last) return readings;
  return { ...readings, joints: { ...joints, names: [] } };
}

/** Undoes {@link stripNames}. */
export function restoreNames(readings: SensorReadings, last: readonly string[] | undefined): SensorReadings {
  const { joints } = readings;
  if (joints === undefined || joints.names.length > 0 || last === undefined) return readings;
  return { ...readings, joints: { ...joints, names: last } };
}
