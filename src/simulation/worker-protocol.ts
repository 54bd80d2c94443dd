import type { PackedError } from '../common/index.js';
import type { WebAssemblyModule } from './physics/webassembly.js';
import type { SensorReadings, Task } from './task.js';

/** The data that a task's worker is started with. */
export interface TaskWorkerData {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** MuJoCo's code, compiled by the parent thread; undefined for a task without MuJoCo. */
  readonly module: WebAssemblyModule | undefined;
}

/** What a task is like. A worker's first message is a {@link Reply} with `id` 0 and these facts, or an error. */
export type TaskFacts = Pick<Task, 'name' | 'observationSpace' | 'actionSpace' | 'stepSeconds' | 'maxSteps'>;

/** The methods of a task that a client can call. */
export type Operation = 'reset' | 'step' | 'scene' | 'snapshot' | 'restore' | 'close';

/** A call of a method. The reply has the same `id`, from 1 on. */
export interface Request {
  readonly id: number;
  readonly operation: Operation;
  readonly argument?: unknown;
}

/** What the method returned, or the error that it threw. */
export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PackedError };

/**
 * Readings without their joint names if these are the last ones sent. Names are strings, and copying them to the other
 * thread takes longer than copying the numbers.
 */
export function stripNames(readings: SensorReadings, last: readonly string[] | undefined): SensorReadings {
  const { joints } = readings;
  if (joints === undefined || joints.names !== last) return readings;
  return { ...readings, joints: { ...joints, names: [] } };
}

/** Puts the names back that {@link stripNames} left out: `last`, the names received before. */
export function restoreNames(readings: SensorReadings, last: readonly string[] | undefined): SensorReadings {
  const { joints } = readings;
  if (joints === undefined || joints.names.length > 0 || last === undefined) return readings;
  return { ...readings, joints: { ...joints, names: last } };
}
