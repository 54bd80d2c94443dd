import { Random } from '../../src/common/index.js';
import { createTask, LocomotionTask, type Physics } from '../../src/simulation/index.js';

/** One environment step of the reference: the full state and action before, what came after. */
export interface ReferenceCase {
  readonly state: readonly number[];
  readonly action: readonly number[];
  readonly observation: readonly number[];
  readonly reward: number;
  readonly terminated: boolean;
}

export interface ReferenceModel {
  readonly joints: readonly string[];
  readonly arrays: Readonly<Record<string, readonly number[]>>;
  readonly options: Readonly<Record<string, number>>;
}

export interface ReferenceTask {
  readonly name: string;
  readonly version: string;
  readonly model?: ReferenceModel;
  readonly cases: readonly ReferenceCase[];
}

/** What reference.py writes. */
export interface Reference {
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly tasks: readonly ReferenceTask[];
}

export interface Parity {
  readonly task: string;
  readonly states: number;
  /** Largest absolute difference of a model constant, and which; 0 constants where the task has no model. */
  readonly constants: number;
  readonly modelDifference: number;
  readonly worstConstant: string;
  /** Largest absolute difference after one step. */
  readonly observationDifference: number;
  readonly rewardDifference: number;
  /** States in which one side says terminated and the other does not. */
  readonly terminatedMismatches: number;
  readonly terminatedStates: number;
}

const HINGE = 3;

/** Largest absolute difference; +Infinity where the lengths differ or a number is not finite. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}

function constant(physics: Physics, name: string): ArrayLike<number> {
  switch (name) {
    case 'jnt_pos (hinges)': {
      const types = physics.model('jnt_type');
      return physics.model('jnt_pos').filter((_, i) => types[Math.floor(i / 3)] === HINGE);
    }
    case 'jnt_solref (robot)':
      return physics.model('jnt_solref').slice(-2 * physics.nu);
    case 'jnt_solimp (robot)':
      return physics.model('jnt_solimp').slice(-5 * physics.nu);
    case 'geom_size (robot)':
      return physics.model('geom_size').subarray(3);
    case 'gravity':
      return physics.gravity;
    default:
      return physics.model(name);
  }
}

function compareModel(
  physics: Physics,
  model: ReferenceModel,
): Pick<Parity, 'constants' | 'modelDifference' | 'worstConstant'> {
  let [constants, modelDifference, worstConstant] = [0, 0, 'none'];
  const note = (name: string, difference: number, count: number): void => {
    constants += count;
    if (difference > modelDifference) [modelDifference, worstConstant] = [difference, name];
  };
  const sameJoints = JSON.stringify(physics.jointNames()) === JSON.stringify(model.joints);
  note('joint names', sameJoints ? 0 : Number.POSITIVE_INFINITY, model.joints.length);
  for (const [name, values] of Object.entries(model.arrays))
    note(name, largestDifference(constant(physics, name), values), values.length);
  for (const [name, value] of Object.entries(model.options)) note(name, Math.abs(physics.option(name) - value), 1);
  return { constants, modelDifference, worstConstant };
}

/** Steps our task once from every state of the reference and measures how far apart the two are. */
export async function compareTask(reference: ReferenceTask): Promise<Parity> {
  const task = await createTask(reference.name, reference.name === 'cartpole' ? {} : { version: reference.version });
  try {
    const model =
      task instanceof LocomotionTask && reference.model !== undefined
        ? compareModel(task.physics, reference.model)
        : { constants: 0, modelDifference: 0, worstConstant: 'none' };
    let [observationDifference, rewardDifference, terminatedMismatches, terminatedStates] = [0, 0, 0, 0];
    // Cartpole's snapshot ends with the force, which does not enter the next step.
    const tail = reference.name === 'cartpole' ? [0] : [];
    for (const { state, action, observation, reward, terminated } of reference.cases) {
      task.restore(Float64Array.of(0, ...state, ...tail));
      const step = task.step(action);
      observationDifference = Math.max(observationDifference, largestDifference(step.observation, observation));
      rewardDifference = Math.max(rewardDifference, Math.abs(step.reward - reward));
      if (step.terminated !== terminated) terminatedMismatches += 1;
      if (terminated) terminatedStates += 1;
    }
    return {
      task: `${reference.name} ${reference.version}`,
      states: reference.cases.length,
      ...model,
      observationDifference,
      rewardDifference,
      terminatedMismatches,
      terminatedStates,
    };
  } finally {
    task.close();
  }
}

/** Environment steps a second of our v4 task in this thread, under random actions and resets as reference.py does it. */
export async function stepsPerSecond(name: string, seconds: number): Promise<number> {
  const task = await createTask(name);
  try {
    const random = new Random(0);
    const action = new Float64Array(task.actionSpace.kind === 'box' ? task.actionSpace.dimensions.length : 1);
    const block = (steps: number): void => {
      for (let i = 0; i < steps; i++) {
        for (let j = 0; j < action.length; j++) action[j] = random.uniform(-1, 1);
        if (task.step(action).terminated) task.reset(i);
      }
    };
    block(1000); // compiles what is hot
    task.reset(0);
    const start = performance.now();
    let steps = 0;
    for (; performance.now() - start < seconds * 1000; steps += 100) block(100);
    return (steps * 1000) / (performance.now() - start);
  } finally {
    task.close();
  }
}
