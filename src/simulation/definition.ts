import { z } from 'zod';
import { parseOrThrow, type Random, unknownName } from '../common/index.js';
import type { GazeboPlayer } from './gazebo.js';
import type { BoxSpace, DiscreteSpace, Task } from './task.js';
import type { TrainingSettings } from './training-settings.js';

/** Options of a task as they come from a configuration file or the command line; structured clone can copy them. */
export type TaskOptions = Readonly<Record<string, unknown>>;

/** A scripted controller that solves the task: what `createExpert` makes an expert of. */
export interface ExpertDefinition {
  readonly observationSpace: BoxSpace;
  readonly actionSpace: BoxSpace | DiscreteSpace;
  /**
   * Makes the controller. It maps an observation to an action in the task's units (for a discrete space: one number,
   * the action's index). Only an expert whose best behaviour is itself random may use the generator.
   */
  create(): (observation: ArrayLike<number>, random: Random) => ArrayLike<number>;
}

/** What a report draws under the paths of a robot that drives on a plane. Metres, odometry frame. */
export interface TopViewScene {
  /** The walls stand at ±halfWidth in x and y. */
  readonly halfWidth: number;
  /** Radius of the robot, which is drawn as a disc. */
  readonly robotRadius: number;
  /** Distance from the goal within which the robot counts as having arrived. */
  readonly goalRadius: number;
  readonly pillars: readonly { readonly x: number; readonly y: number; readonly radius: number }[];
  /** Axis-aligned blocks with their half sizes. */
  readonly blocks: readonly {
    readonly x: number;
    readonly y: number;
    readonly halfX: number;
    readonly halfY: number;
  }[];
}

/**
 * Everything the rest of the program knows about a task. A new task is a folder that exports one of these, and one
 * line in `registry.ts`.
 */
export interface TaskDefinition<Options extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** One sentence for people: what the robot is and what it has to do. */
  readonly description: string;
  /** Names, ranges, defaults and meanings of the options. */
  readonly options: Options;
  /** Whether the task runs on MuJoCo, whose compiled code a worker thread is then given. */
  readonly mujoco: boolean;
  /** Makes the task. Loads what it needs only then, so that a process with another task never reads it. */
  create(options: z.output<Options>): Promise<Task>;
  readonly expert?: ExpertDefinition;
  /** How robots with this task are trained by default. */
  readonly preset?: TrainingSettings;
  readonly topView?: TopViewScene;
  /** Plays the task in Gazebo, in the world of the task's name (worlds/<name>.sdf). */
  gazebo?(): Promise<GazeboPlayer>;
}

/** The option that every task with a time limit of `standard` steps has. */
export function maxStepsOption(standard: number) {
  return z.int().min(1).default(standard).describe('Steps until the episode is truncated.');
}

/**
 * `options` checked against the task's schema and completed by its defaults. Throws NOT_FOUND with the nearest name
 * for an option that the task does not have, INVALID_ARGUMENT for a value that it refuses.
 */
export function parseTaskOptions<Options extends z.ZodObject>(
  { name: task, options: schema }: Pick<TaskDefinition<Options>, 'name' | 'options'>,
  options: TaskOptions,
): z.output<Options> {
  const known = Object.keys(schema.shape);
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw unknownName(`option of ${task}`, name, known);
  return parseOrThrow(schema, options, {
    code: 'INVALID_ARGUMENT',
    what: (field) => `the option ${field} of ${task} is wrong`,
  });
}
