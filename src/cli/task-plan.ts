import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { IqLearnError, parseOrThrow, shapeSize } from '../common/index.js';
import { type BatchRows, createAgent, learnerConfigSchema } from '../learning/index.js';
import { readJson } from '../platform/index.js';
import { runFields } from '../sessions/index.js';
import type { Environment, TaskOptions } from '../simulation/index.js';
import type { RunPlan } from '../training/index.js';

/** Everything that defines a run in a task, kept beside its checkpoint. */
export interface TaskPlan extends RunPlan {
  readonly task: string;
  readonly seed: number;
  /** The file of the demonstrations; null where the task's scripted expert demonstrates, or nobody. */
  readonly demonstrations: string | null;
  /** Episodes that a scripted expert shows. */
  readonly episodes: number;
  /** Options of the task while the policy learns in it. */
  readonly learningTask: TaskOptions;
}

const planSchema = z.strictObject({
  task: z.string(),
  seed: z.int().min(0),
  demonstrations: z.string().nullable(),
  episodes: z.int().min(1),
  // Runs of older versions learn in the task as it is.
  learningTask: z.record(z.string(), z.unknown()).default({}),
  steps: runFields.steps,
  updatesPerTransition: runFields.updatesPerTransition,
  randomSteps: runFields.randomSteps,
  stopWhenConverged: runFields.stopWhenConverged.default(false),
  config: learnerConfigSchema,
});

const planFile = (out: string): string => join(out, 'training.json');

/** The task that a run in this folder was begun in; undefined where it is no run in a task. */
export function taskOfRun(out: string | undefined): string | undefined {
  if (out === undefined || !existsSync(planFile(out))) return undefined;
  const { task } = readJson(planFile(out)) as { readonly task?: unknown };
  return typeof task === 'string' ? task : undefined;
}

/** The plan of a run that began in this folder. Throws NOT_FOUND where there is none, CORRUPT_DATA where it is damaged. */
export function readPlan(out: string | undefined): TaskPlan {
  if (out === undefined || !existsSync(planFile(out)))
    throw new IqLearnError('NOT_FOUND', 'there is no training to go on with', {
      found: out === undefined ? '--resume without --out' : `no ${planFile(out)}`,
      expected: '--out with the folder of a run that iq-learn train began',
      remedy: 'check the path, or start without --resume',
    });
  return parseOrThrow(planSchema, readJson(planFile(out)), {
    code: 'CORRUPT_DATA',
    what: (field) => `${planFile(out)} is damaged${field === '' ? '' : ` at ${field}`}`,
    remedy: 'start again without --resume',
  });
}

/** The rows that an agent's batches need. */
export function rowsOf(config: TaskPlan['config'], { observation, actionRange }: Environment): BatchRows {
  const size = observation.reduce((sum, { shape }) => sum + shapeSize(shape), 0);
  return createAgent(config, { observation: size, action: actionRange.size }).rows;
}
