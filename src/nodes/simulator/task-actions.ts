import { IqLearnError } from '../../common/index.js';
import type { RobotSpec } from '../../robot/index.js';
import type { SensorReadings, TaskClient } from '../../simulation/index.js';

/** For each dimension of the task's action, its index in the command, by name. Throws MISMATCH naming what differs. */
export function actionOrder(client: TaskClient, spec: RobotSpec): number[] {
  const refuse = (what: string, found: string, expected: string): never => {
    throw new IqLearnError('MISMATCH', `the task ${client.name} is not the robot ${spec.robot}: ${what}`, {
      found,
      expected,
      remedy: "use the task that the robot's description names",
    });
  };
  const space = client.actionSpace;
  if (space.kind !== 'box') return refuse('its actions are discrete', space.kind, 'continuous actions');
  if (Math.abs(client.stepSeconds * spec.rateHz - 1) > 1e-6)
    refuse('the rate differs', `${1 / client.stepSeconds} Hz`, `${spec.rateHz} Hz`);
  if (space.dimensions.length !== spec.action.length)
    refuse('the number of actions differs', `${space.dimensions.length}`, `${spec.action.length}`);
  return space.dimensions.map(({ name, unit }) => {
    const at = spec.action.findIndex((feature) => feature.name === name);
    if (at < 0) refuse('an action is not in the description', name, spec.action.map((f) => f.name).join(', '));
    if (spec.action[at]!.unit !== unit) refuse(`the unit of ${name} differs`, unit, spec.action[at]!.unit);
    return at;
  });
}

/** The action of a robot without commands: zero, or holding its joints where they are. */
export function stopAction(spec: RobotSpec, readings: SensorReadings | undefined): number[] {
  const joints = readings?.joints;
  return spec.action.map(({ path, quantity, stop, low, high }) => {
    const at = stop === 'hold' && quantity === 'position' ? (joints?.names.indexOf(path) ?? -1) : -1;
    const value = at < 0 ? 0 : joints!.position[at]!;
    return Math.min(Math.max(value, low), high);
  });
}
