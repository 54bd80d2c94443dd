import { describe, expect, it } from 'vitest';
import { taskParameters } from '#src/hosts/ros2/demo-run.js';
import { simulator } from '#src/hosts/ros2/executables/simulator.js';
import { ParameterSet } from '#src/hosts/ros2/parameters.js';
import { loadRobotSpec, robotNames } from '#src/robot/index.js';
import { parseTaskOptions, taskDefinition } from '#src/simulation/index.js';

describe('the options of a task as parameters of the simulator node', () => {
  it('are declared by the task, with its defaults and descriptions, for every robot that has one', () => {
    for (const name of robotNames()) {
      const spec = loadRobotSpec(name);
      const parameters = new ParameterSet(simulator.schema(spec));
      const own = parameters.declarations.filter((declaration) => declaration.name.startsWith('task.'));
      if (spec.task === null) {
        expect(own).toEqual([]);
        continue;
      }
      const definition = taskDefinition(spec.task);
      expect(own.length).toBe(Object.keys(definition.options.shape).length);
      expect(own.every(({ description }) => description.length > 0)).toBe(true);
      const defaults = Object.fromEntries(parameters.declarations.map((each) => [each.name, each.default]));
      expect(parameters.parse(defaults).task).toEqual(parseTaskOptions(definition, {}));
    }
  });

  it('are set as a whole: what one part of the demo set does not stay for the next', () => {
    const rover = new ParameterSet(simulator.schema(loadRobotSpec('rover')));
    const learning = taskParameters('rover', { tour: true, maxSteps: 150 });
    expect(learning).toMatchObject({ 'task.tour': true, 'task.max_steps': 150 });
    const after = { ...learning, ...taskParameters('rover') };
    expect(rover.parse({ pace: 'lockstep', ...after }).task).toEqual(parseTaskOptions(taskDefinition('rover'), {}));
    expect(taskParameters(null)).toEqual({});
    expect(() => taskParameters('rover', { tuor: true })).toThrow(/did you mean 'tour'/);
    expect(() => rover.parse({ 'task.max_steps': -1 })).toThrow(/bad parameter task.max_steps/);
  });
});
