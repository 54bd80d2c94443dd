import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Contradiction } from './contradictions.js';
import { taskOfRun } from './task-plan.js';

/** Options of a robot and its recordings. */
const ofRobots = ['--recording', '--robot', '--action', '--namespace', '--clock'];
/** What a run has settled when it begins. */
const settled = ['--settings', '--agent', '--states-only', '--seed', '--demonstrations', '--offline'];

interface Modes {
  readonly resume: boolean;
  readonly offline: boolean;
  readonly out?: string;
  readonly task?: string;
}

/** The options that this training would not read; `task` is the one it learns in, given or of the run that goes on. */
export function unreadByTraining(
  { resume, offline, out, task: given }: Modes,
  task: string | undefined,
): Contradiction {
  const isOtherTask = given !== taskOfRun(out) && out !== undefined && existsSync(join(out, 'training.json'));
  if (resume && !offline)
    return {
      name: '--resume',
      found: '--resume',
      options: [
        ...settled,
        ...(isOtherTask ? ['--task'] : []),
        ...ofRobots,
        ...(task === undefined ? [] : ['--device']),
      ],
      remedy: 'leave them out: the run in --out goes on with what it began with',
    };
  if (task !== undefined)
    return {
      name: '--task',
      found: `--task ${task}`,
      options: [...ofRobots, '--offline', '--device'],
      remedy:
        'leave them out to learn in the task, on the CPU; or leave --task out to learn from recordings of a robot',
    };
  if (offline)
    return {
      name: '--offline',
      found: '--offline',
      options: ['--resume', '--settings', '--agent', '--states-only', '--demonstrations', '--log'],
      remedy: 'leave them out, and begin again where a run was cut off: it takes minutes',
    };
  return {
    name: 'training without --task',
    found: 'no --task,',
    options: ['--demonstrations'],
    remedy: 'give the recordings of a robot with --recording; .npz files go with --task',
  };
}
