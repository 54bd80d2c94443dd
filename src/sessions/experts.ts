import { blockValues, IqLearnError, vectorObservation } from '../common/index.js';
import type { Driver } from '../nodes/index.js';
import { join, kindOfPath, packageFolder } from '../platform/index.js';
import { readBundle } from '../policy/index.js';
import { checkContract, PolicyActions, type RobotSpec } from '../robot/index.js';
import { createExpert, expertNames, taskDefinition } from '../simulation/index.js';

/** Policies that drive where no script does, one folder a robot. */
const shippedFolder = (): string => join(packageFolder(), 'config', 'experts');

export interface ExpertDriver extends Driver {
  /** For people: 'scripted', or the policy's name. */
  readonly name: string;
  dispose(): Promise<void>;
}

/** A trained policy at the controls. Throws what reading the bundle throws, and MISMATCH for another robot's. */
async function policyDriver(folder: string, spec: RobotSpec): Promise<ExpertDriver> {
  const runtime = await readBundle(folder);
  try {
    checkContract(runtime.contract, spec);
  } catch (error) {
    await runtime.dispose();
    throw error;
  }
  const actions = new PolicyActions(spec);
  return {
    name: `policy ${runtime.id}`,
    reset: () => undefined,
    act: async (observation) => actions.toCommand(await runtime.act(observation), observation),
    dispose: () => runtime.dispose(),
  };
}

/**
 * Who demonstrates: the policy in `folder`, else the script of the robot's task, else a policy that is shipped.
 * Throws NOT_FOUND where there is none, or no such task, MISMATCH where the robot's description does not fit its expert.
 */
export async function expertDriver(spec: RobotSpec, folder?: string): Promise<ExpertDriver> {
  // A misspelt task is not one without an expert.
  if (spec.task !== null) taskDefinition(spec.task);
  if (folder !== undefined) return policyDriver(folder, spec);
  if (spec.task !== null && expertNames.includes(spec.task)) {
    const expert = createExpert(spec.task);
    const vector = vectorObservation(spec.observation.length);
    // The script knows the task's own observation, which has no history.
    const present = spec.observation.flatMap(({ lag }, i) => (lag === undefined ? [i] : []));
    // It would refuse every single observation otherwise, and the robot stand still.
    expert.act(new Float32Array(present.length));
    return {
      name: 'scripted',
      reset: (seed) => expert.reset(seed),
      act: (o) => {
        const all = blockValues<ArrayLike<number>>(vector, o, 'observation')[0]!;
        return expert.act(Float32Array.from(present, (i) => all[i]!));
      },
      dispose: async () => undefined,
    };
  }
  const shipped = join(shippedFolder(), spec.task ?? spec.robot);
  if (kindOfPath(shipped) !== null) return policyDriver(shipped, spec);
  throw new IqLearnError('NOT_FOUND', `there is no expert for ${spec.robot}`, {
    found: 'neither a script nor a trained policy',
    expected: `a script (${expertNames.join(', ')}) or the folder of a policy`,
    remedy: `make one: iq-learn expert --task ${spec.robot}, then give its folder: --expert runs/…/policy`,
  });
}
