import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActionRange, clamp, mean, yawOf } from '#src/common/index.js';

const range = ActionRange.of([
  { low: -0.2, high: 0.6 },
  { low: -1.8, high: 1.8 },
]);

describe('ActionRange', () => {
  it('maps −1 to low, 0 to the middle and 1 to high', () => {
    expect([...range.toUnits([-1, 1])]).toEqual([-0.2, 1.8]);
    range.toUnits([0, 0]).forEach((value, i) => {
      expect(value).toBeCloseTo(range.middle[i]!, 15);
    });
    expect([...range.middle]).toEqual([(-0.2 + 0.6) / 2, 0]);
    expect([...range.half]).toEqual([(0.6 + 0.2) / 2, 1.8]);
    expect([...range.normalise([-0.2, 1.8])]).toEqual([-1, 1]);
  });

  it('clamps what is beyond ±1 on the way to units, and keeps what is beyond the limits on the way back', () => {
    expect([...range.toUnits([-7, 1.5])]).toEqual([-0.2, 1.8]);
    expect(range.normalise([1, 0])[0]).toBeCloseTo(2, 6);
  });

  it('goes there and back', () => {
    const number = fc.float({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(number, number, (a, b) => {
        const [x, y] = range.normalise(range.toUnits([a, b]));
        expect(x).toBeCloseTo(a, 5);
        expect(y).toBeCloseTo(b, 5);
      }),
    );
  });

  it('normalises many actions at once as one by one', () => {
    const actions = [0.1, -1, 0.5, 0.3, -0.15, 1.7];
    expect([...range.normalise(actions)]).toEqual(
      [0, 2, 4].flatMap((at) => [...range.normalise(actions.slice(at, at + 2))]),
    );
  });
});

describe('small mathematics', () => {
  it('clamps to the nearest bound, and keeps NaN', () => {
    expect([clamp(-3, -1, 2), clamp(0.5, -1, 2), clamp(9, -1, 2), clamp(Number.NaN, -1, 2)]).toEqual([
      -1,
      0.5,
      2,
      Number.NaN,
    ]);
  });

  it('gives the mean, and NaN for nothing', () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(mean([])).toBeNaN();
  });

  it('gives the yaw of a turn about z, whatever the sign of the quaternion', () => {
    for (const yaw of [-3, -1, 0, 0.5, 2.5]) {
      const [z, w] = [Math.sin(yaw / 2), Math.cos(yaw / 2)];
      expect(yawOf(0, 0, z, w)).toBeCloseTo(yaw, 12);
      expect(yawOf(0, 0, -z, -w)).toBeCloseTo(yaw, 12);
    }
  });
});
