import { createExpert, type StepResult, type Task } from '#src/simulation/index.js';

export interface Episode {
  readonly steps: readonly StepResult[];
  readonly success: boolean;
}

/** One whole episode under a policy. */
export function rollout(task: Task, seed: number, policy: (observation: Float64Array) => ArrayLike<number>): Episode {
  let observation = task.reset(seed);
  const steps: StepResult[] = [];
  for (let t = 0; t < task.maxSteps; t++) {
    const result = task.step(policy(observation));
    observation = result.observation;
    steps.push(result);
  }
  return { steps, success: steps.at(-1)!.success };
}

/** The share of successes over seeds from…from+count−1. */
export function expertSuccess(task: Task, name: string, from: number, count: number): number {
  const expert = createExpert(name);
  let successes = 0;
  for (let seed = from; seed < from + count; seed++)
    if (rollout(task, seed, (observation) => expert.act(observation)).success) successes += 1;
  return successes / count;
}

/** Everything an episode shows, for comparing bit for bit. */
export function traceOf(task: Task, steps: number, action: (t: number) => number[]): unknown[] {
  return Array.from({ length: steps }, (_, t) => [task.step(action(t)), task.sense(), task.snapshot()]);
}

/** Writes numbers of the physics state (time, qpos, qvel…) that follow the task's own in a snapshot. */
export function withState(task: Task, own: number, changes: Readonly<Record<number, number>>): void {
  const state = task.snapshot();
  for (const [index, value] of Object.entries(changes)) state[own + Number(index)] = value;
  task.restore(state);
}
