import { describe, expect, test } from 'vitest';
import { Random } from '#src/common/index.js';
import {
  createActionMapper,
  createObservationAssembler,
  loadRobotSpec,
  readingsToMessages,
  robotNames,
} from '#src/robot/index.js';
import { createTask } from '#src/simulation/index.js';
import { stateOf } from '../support/state.js';

const simulated = robotNames().filter((name) => loadRobotSpec(name).task !== null);

describe.each(simulated)('%s and its simulated task', (name) => {
  test('agree in names, units, limits, order and rate, and in every observation', async () => {
    const spec = loadRobotSpec(name);
    const task = await createTask(spec.task!);
    try {
      const plain = ({ name, unit, low, high }: (typeof spec.observation)[number] | (typeof spec.action)[number]) => ({
        name,
        unit,
        low,
        high,
      });
      expect(spec.observation.map(plain)).toEqual(task.observationSpace.dimensions);
      if (task.actionSpace.kind !== 'box') throw new Error('a robot has a box of actions');
      expect(spec.action.map(plain)).toEqual(task.actionSpace.dimensions);
      expect(spec.rateHz * task.stepSeconds).toBeCloseTo(1, 9);

      const assembler = createObservationAssembler(spec);
      const mapper = createActionMapper(spec);
      const random = new Random(7);
      let stampNs = 0n;
      const check = (expected: Float64Array): void => {
        stampNs += 1_000_000n;
        for (const { topic, message } of readingsToMessages(task.sense(), spec, stampNs))
          assembler.accept(topic, message, stampNs);
        expect(assembler.completeAt(stampNs)).toBe(true);
        const assembled = assembler.assemble(stampNs);
        if (!assembled.ok) throw new Error(assembled.text);
        expect([...stateOf(assembled.observation)]).toEqual([...Float32Array.from(expected)]);
      };
      for (const seed of [1, 2]) {
        check(task.reset(seed));
        for (let step = 0; step < 25; step++) {
          const action = Float32Array.from(spec.action, ({ low, high }) => random.uniform(low, high));
          const { observation, terminated } = task.step(mapper.fromMessage(mapper.toMessage(action, stampNs)));
          check(observation);
          if (terminated) break;
        }
      }
    } finally {
      task.close();
    }
  });
});

test('a robot whose sensors the task lacks is refused by name', async () => {
  const task = await createTask('hopper');
  try {
    expect(() => readingsToMessages(task.sense(), loadRobotSpec('rover'), 0n)).toThrow(/rover cannot fill \/odom/);
  } finally {
    task.close();
  }
});
