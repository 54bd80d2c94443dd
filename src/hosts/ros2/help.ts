import { loadRobotSpec } from '../../robot/index.js';
import type { Executable } from './executable.js';
import { parametersOf } from './host.js';

const value = (given: unknown): string =>
  typeof given === 'string' ? `'${given}'` : Array.isArray(given) ? `[${given.join(', ')}]` : String(given);

/** The text of `--help`: the parameters, with their defaults for a robot. */
export function helpOf(executable: Executable, robot = 'rover'): string {
  const { name, summary } = executable;
  const lines = parametersOf(executable, loadRobotSpec(robot)).declarations.map((parameter) => {
    const limits =
      parameter.choices !== undefined
        ? ` (${parameter.choices.join(', ')})`
        : parameter.range !== undefined && Math.abs(parameter.range.to) < Number.MAX_SAFE_INTEGER
          ? ` (${parameter.range.from}…${parameter.range.to})`
          : '';
    const head = `  ${parameter.name}: ${parameter.type}${limits} = ${value(parameter.default)}`;
    return parameter.description === '' ? head : `${head}\n      ${parameter.description}`;
  });
  return [
    `${name}: ${summary}`,
    '',
    `usage: ros2 run iq_learn ${name} [--ros-args -p <parameter>:=<value> … -r <from>:=<to> … --params-file <file>]`,
    '',
    `parameters (defaults for the robot ${robot}):`,
    ...lines,
    '',
  ].join('\n');
}

/** The text for a name that is not an executable's. */
export function listOf(executables: readonly Executable[]): string {
  const width = Math.max(...executables.map(({ name }) => name.length));
  return executables.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n');
}
