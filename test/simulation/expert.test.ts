import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { createExpert, type Dimension, expertNames, taskDefinition } from '#src/simulation/index.js';

const spacesOf = (name: string): { observations: readonly Dimension[]; actions: readonly Dimension[] } => {
  const { observationSpace, actionSpace } = taskDefinition(name).expert!;
  return {
    observations: observationSpace.dimensions,
    actions: actionSpace.kind === 'box' ? actionSpace.dimensions : [],
  };
};
const continuous = expertNames.filter((name) => spacesOf(name).actions.length > 0);

const draw = (name: string, random: Random): Float64Array =>
  Float64Array.from(spacesOf(name).observations, ({ low, high }) => random.uniform(low, high));

describe.each(continuous)('%s expert', (name) => {
  const { actions } = spacesOf(name);

  it('is a function of the observation alone, and within the limits wherever it is asked', () => {
    const random = new Random(5);
    const [one, other] = [createExpert(name), createExpert(name)];
    for (let i = 0; i < 300; i++) {
      const observation = draw(name, random);
      other.reset(i);
      other.act(draw(name, random));
      const action = one.act(observation);
      expect(other.act(observation)).toEqual(action);
      actions.forEach(({ low, high }, k) => {
        expect(action[k]).toBeGreaterThanOrEqual(low);
        expect(action[k]).toBeLessThanOrEqual(high);
      });
    }
  });

  it('trembles only when asked to, the same way for the same seed', () => {
    const still = createExpert(name);
    const observation = draw(name, new Random(1));
    const trembling = (seed: number): Float32Array[] => {
      const expert = createExpert(name, { noise: 0.5 });
      expert.reset(seed);
      return Array.from({ length: 50 }, () => expert.act(observation));
    };
    expect(trembling(3)).toEqual(trembling(3));
    expect(trembling(3)).not.toEqual(trembling(4));
    const steps = trembling(3);
    const spread = Math.max(...steps.map((action) => Math.abs(action[1]! - still.act(observation)[1]!)));
    expect(spread).toBeGreaterThan(0.01 * (actions[1]!.high - actions[1]!.low));
    expect(spread).toBeLessThan(0.25 * (actions[1]!.high - actions[1]!.low));
  });

  it('refuses an observation of another shape and noise out of range', () => {
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => createExpert(name).act([0])).toThrow(refused);
    expect(() => createExpert(name, { noise: 2 })).toThrow(refused);
    expect(() => createExpert(name, { noise: Number.NaN })).toThrow(refused);
  });
});

it('says which task is meant, and which ones have an expert', () => {
  expect(expertNames).toEqual(expect.arrayContaining(['rover', 'arm']));
  expect(() => createExpert('rovr')).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', remedy: "did you mean 'rover'?" }),
  );
  expect(() => createExpert('hopper')).toThrow(/hopper has no scripted expert.*rover, arm/);
});
