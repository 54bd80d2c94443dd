import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import {
  armActions,
  armDimensions,
  createExpert,
  type ExpertName,
  expertNames,
  roverActions,
  roverDimensions,
} from '#src/simulation/index.js';

const SPACES = {
  rover: { observations: roverDimensions, actions: roverActions },
  arm: { observations: armDimensions, actions: armActions },
} as const;

const draw = (name: ExpertName, random: Random): Float64Array =>
  Float64Array.from(SPACES[name].observations, ({ low, high }) => random.uniform(low, high));

describe.each(expertNames)('%s expert', (name) => {
  const { actions } = SPACES[name];

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

it('proposes the nearest name for a task without an expert', () => {
  expect(() => createExpert('rovr' as ExpertName)).toThrow(/rover/);
});
