import { describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import type { Episode } from '#src/learning/index.js';
import { notCompared, OccupancyDistance } from '#src/training/progress/occupancy-distance.js';

/** An episode of a point that swings with the given amplitude and offset, n steps. */
function episode(n: number, { offset = 0, terminated = false, seed = 1 } = {}): Episode {
  const random = new Random(seed);
  const observations = Float32Array.from({ length: (n + 1) * 2 }, (_, i) =>
    i % 2 === 0 ? offset + Math.sin(i / 7) + 0.05 * random.normal() : Math.cos(i / 7),
  );
  const actions = Float32Array.from({ length: n }, (_, t) => Math.cos((2 * t) / 7));
  return { length: n, observations, actions, terminated };
}

const demonstration = episode(400);
const distance = new OccupancyDistance([demonstration], vectorObservation(2), 1);

describe('the distance of a policy from the demonstrations', () => {
  it('compares no images, and there are words for that', () => {
    const camera = { name: 'camera', shape: [32, 32, 1], dtype: 'uint8', normalise: 'unit' } as const;
    expect(notCompared([...vectorObservation(2), camera])).toMatch(
      /compares numbers and actions, and no images \(camera\)/,
    );
    expect(notCompared(vectorObservation(2))).toBeNull();
  });

  it('is zero for the demonstration itself and small for another episode like it', () => {
    expect(distance.measure([demonstration])).toEqual({ distance: 0, worst: 0 });
    expect(distance.measure([episode(400, { seed: 2 })]).distance).toBeLessThan(0.02);
  });

  it('is the same where only that of all episodes together is asked for', () => {
    const driven = [episode(400, { seed: 2 }), episode(200, { offset: 0.5, terminated: true })];
    expect(distance.together(driven)).toBe(distance.measure(driven).distance);
    expect(() => distance.together([])).toThrow(/there is no episode to measure/);
  });

  it('grows with the distance of the states', () => {
    const at = (offset: number): number => distance.measure([episode(400, { offset })]).distance;
    expect(at(0.2)).toBeGreaterThan(0.02);
    expect(at(0.5)).toBeGreaterThan(at(0.2));
    expect(at(2)).toBeGreaterThan(at(0.5));
  });

  it('is the distance along a line where two points lie on it: a shift is measured as itself', () => {
    const point = (x: number): Episode => ({
      length: 50,
      observations: new Float32Array(51).fill(x),
      actions: new Float32Array(50),
      terminated: false,
    });
    const identity = { mean: new Float32Array(1), scale: new Float32Array(1).fill(1) };
    const measured = new OccupancyDistance([point(0)], vectorObservation(1), 1, { normalisation: identity }).measure([
      point(3),
    ]).distance;
    // Mean of |first entry| over unit vectors in three dimensions is 1/2.
    expect(measured).toBeGreaterThan(3 * 0.4);
    expect(measured).toBeLessThan(3 * 0.6);
  });

  it('is smaller for one that goes on far from what was shown than for one that ends at once, and grows all the same', () => {
    const at = (offset: number): number => distance.measure([episode(400, { offset })]).distance;
    const endsAtOnce = distance.measure([episode(5, { terminated: true })]).distance;
    expect(at(1000)).toBeLessThan(endsAtOnce);
    expect(at(8)).toBeGreaterThan(at(4));
    expect(at(4)).toBeGreaterThan(at(2));
  });

  it('counts a fall that ends an episode early, the earlier the more', () => {
    const falls = (n: number): number => distance.measure([episode(n, { terminated: true })]).distance;
    expect(falls(390)).toBeLessThan(0.15);
    expect(falls(200)).toBeGreaterThan(falls(390));
    expect(falls(20)).toBeGreaterThan(falls(200));
  });

  it('does not count an episode that a time limit cut short', () => {
    expect(distance.measure([episode(200)]).distance).toBeLessThan(
      distance.measure([episode(200, { terminated: true })]).distance / 3,
    );
  });

  it('does not count a goal that is reached as early as in the demonstrations', () => {
    const goal = episode(300, { terminated: true });
    const toGoal = new OccupancyDistance([goal], vectorObservation(2), 1);
    expect(toGoal.measure([episode(300, { terminated: true, seed: 3 })]).distance).toBeLessThan(0.02);
    expect(toGoal.measure([episode(100, { terminated: true })]).distance).toBeGreaterThan(0.1);
  });

  it('compares states alone where the actions of the demonstrations are not known', () => {
    const unknown = { ...demonstration, actions: new Float32Array(demonstration.actions.length).fill(Number.NaN) };
    const states = new OccupancyDistance([unknown], vectorObservation(2), 0);
    expect(states.measure([demonstration]).distance).toBe(0);
    expect(states.measure([episode(400, { offset: 1 })]).distance).toBeGreaterThan(0.05);
  });

  it('tells the worst fifth of many episodes: of policies that all fail at times, the one that does it less', () => {
    const failing = (episodes: number, failures: number): number =>
      distance.measure(
        Array.from({ length: episodes }, (_, i) => (i < failures ? episode(400, { offset: 2 }) : demonstration)),
      ).worst;
    const whole = failing(1, 1);
    expect(failing(5, 1)).toBeCloseTo(whole, 12);
    expect(failing(10, 1)).toBeCloseTo(whole / 2, 12);
    expect(failing(20, 1)).toBeCloseTo(whole / 4, 12);
    expect(failing(20, 2)).toBeCloseTo(whole / 2, 12);
    expect(failing(11, 0)).toBe(0);
  });

  it('tells the worst episode, which the others cannot hide', () => {
    const { distance: all, worst } = distance.measure([demonstration, episode(400, { offset: 2 }), demonstration]);
    expect(worst).toBeGreaterThan(1.5 * all);
  });

  it('is the same for the same seed', () => {
    const again = new OccupancyDistance([demonstration], vectorObservation(2), 1);
    const other = episode(300, { offset: 0.3 });
    expect(again.measure([other])).toEqual(distance.measure([other]));
  });

  it('refuses to measure from nothing, or nothing', () => {
    const empty = { length: 0, observations: new Float32Array(2), actions: new Float32Array(), terminated: false };
    expect(() => new OccupancyDistance([empty], vectorObservation(2), 1)).toThrow('nothing to measure');
    expect(() => distance.measure([empty])).toThrow('no episode');
  });
});
