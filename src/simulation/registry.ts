import { unknownName } from '../common/index.js';
import type { TaskOptions } from './spaces.js';
import type { Task } from './task.js';

type Create = (options: TaskOptions) => Promise<Task>;

interface Entry {
  /** Whether the task runs on MuJoCo, whose code a worker is then given. */
  readonly mujoco: boolean;
  readonly create: Create;
}

const locomotion = (name: 'hopper' | 'halfcheetah' | 'walker2d'): Entry => ({
  mujoco: true,
  create: async (options) => (await import('./locomotion/locomotion.js')).LocomotionTask.create(name, options),
});

/** Loaded when asked for: a process that balances a pole reads no MuJoCo. */
const TASKS: Readonly<Record<string, Entry>> = {
  rover: {
    mujoco: true,
    create: async (options) => (await import('./tasks/rover/task.js')).createRoverTask(options),
  },
  arm: {
    mujoco: true,
    create: async (options) => (await import('./tasks/arm/task.js')).createArmTask(options),
  },
  hopper: locomotion('hopper'),
  halfcheetah: locomotion('halfcheetah'),
  walker2d: locomotion('walker2d'),
  cartpole: {
    mujoco: false,
    create: async (options) => new (await import('./tasks/cartpole/task.js')).CartPoleTask(options),
  },
  gridworld: {
    mujoco: false,
    create: async (options) => new (await import('./tasks/gridworld/task.js')).GridworldTask(options),
  },
};

/** Every task there is. */
export function taskNames(): string[] {
  return Object.keys(TASKS);
}

/** @internal */
export function taskEntry(name: string): Entry {
  const entry = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
  if (entry === undefined) throw unknownName('task', name, taskNames());
  return entry;
}

/**
 * Makes a task in this thread. Options are the task's own (`version` of the locomotion tasks, `maxSteps`…).
 * Throws NOT_FOUND for an unknown task (the nearest name is proposed) or option, UNAVAILABLE when MuJoCo does not load.
 */
export async function createTask(name: string, options: TaskOptions = {}): Promise<Task> {
  return await taskEntry(name).create(options);
}
