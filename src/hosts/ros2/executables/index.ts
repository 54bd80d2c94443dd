import type { Executable } from '../executable.js';
import { demo } from './demo.js';
import { describe } from './describe.js';
import { expert } from './expert.js';
import { gateway } from './gateway.js';
import { gazeboTask } from './gazebo-task.js';
import { keys } from './keys.js';
import { learner } from './learner.js';
import { policy } from './policy.js';
import { recorder } from './recorder.js';
import { simulator } from './simulator.js';
import { supervisor } from './supervisor.js';

/** The executables that `ros2 pkg executables iq_learn` lists. */
export const executables: readonly Executable[] = [
  policy,
  learner,
  recorder,
  simulator,
  expert,
  demo,
  gazeboTask,
  gateway,
  supervisor,
  keys,
  describe,
];
