import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import type { Episode } from '#src/learning/index.js';
import { emptyMessage, header, type Transition } from '#src/messages/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { DataCheck } from '#src/sessions/fleet/data-check.js';
import { dataReference } from '#src/sessions/fleet/data-reference.js';
import { specText } from '../../nodes/toy.js';

// x has no limits in this description, v has.
const spec = parseRobotSpec(specText.replace('unit: m, low: -10, high: 10', 'unit: m'), 'trolley.yaml');
const random = new Random(1);
const demonstration: Episode = {
  length: 50,
  observations: Float32Array.from({ length: 102 }, (_, i) => (i % 2 === 0 ? 1 - i / 102 : random.uniform(-1, 1))),
  actions: new Float32Array(50),
  terminated: true,
};
const reference = dataReference(spec, [demonstration]);

/** A robot that drives normally, until a test changes what it says. */
class Robot {
  readonly asides: string[] = [];
  readonly check = new DataCheck(spec, reference, (aside) => this.asides.push(aside));
  #step = 0;
  #x = 0.5;

  /** Sends `count` transitions and gives how many were let through. */
  send(count: number, change: (normal: Transition, i: number) => Partial<Transition> = () => ({})): number {
    let admitted = 0;
    for (let i = 0; i < count; i++) {
      const next = this.#x + random.uniform(-0.01, 0.01);
      const normal: Transition = {
        ...emptyMessage('iq_learn/msg/Transition'),
        header: header(1_000_000_000n + BigInt(this.#step) * 50_000_000n),
        step: this.#step,
        observation: [this.#x, random.uniform(-1, 1)],
        next_observation: [next, random.uniform(-1, 1)],
        action: [random.uniform(-1, 1)],
      };
      this.#x = next;
      this.#step++;
      if (this.check.admits({ ...normal, ...change(normal, i) })) admitted++;
    }
    return admitted;
  }
}

describe('the check of a robot of a fleet', () => {
  it('believes the limits of the description, or else the neighbourhood of the demonstrations', () => {
    expect(reference.map(({ name, low, high }) => [name, low, high])).toEqual([
      ['x', expect.closeTo(-10, 0), expect.closeTo(11, 0)],
      ['v', -2.2, 2.2],
    ]);
  });

  it('lets a healthy robot through', () => {
    const robot = new Robot();
    expect(robot.send(2000)).toBe(2000);
    expect(robot.check.state).toEqual({ aside: '', admitted: 2000, leftOut: 0 });
  });

  it('leaves out a single wrong transition, and sets nobody aside for it', () => {
    const robot = new Robot();
    const once = (normal: Transition, i: number) => (i % 20 === 0 ? { observation: [50, normal.observation[1]!] } : {});
    expect(robot.send(200, once)).toBe(190);
    expect(robot.asides).toEqual([]);
  });

  const faults: [string, (normal: Transition, i: number) => Partial<Transition>, RegExp][] = [
    ['is not finite', () => ({ next_observation: [Number.NaN, 0] }), /not finite/],
    ['has another length', () => ({ observation: [1] }), /not as many/],
    ['is beyond the limits of the description', () => ({ observation: [0, 2.5] }), /^v = 2.5, where -2.2 to 2.2 is/],
    ['is far from the demonstrations', () => ({ next_observation: [40, 0] }), /^x = 40, where/],
    ['is an action beyond its range', () => ({ action: [1.1] }), /^the action speed = 1.1, beyond/],
    ['has a clock that stands still', () => ({ header: header(7n) }), /^the clock went on by -?\d/],
    [
      'has a clock that jumps',
      (_, i) => ({ header: header(1_000_000_000_000n + BigInt(i) * 10_000_000_000n) }),
      /^the clock went on by 10.000 s in one step of 0.050 s/,
    ],
    ['is frozen', () => ({ observation: [0.25, 0], next_observation: [0.25, 0] }), /has not changed for \d+ steps/],
  ];
  it.each(faults)('sets a robot aside whose data say what %s, and takes it in when it is well', (_, change, reason) => {
    const robot = new Robot();
    robot.send(300);
    const through = robot.send(400, change);
    expect(robot.check.state.aside).toMatch(reason);
    // Frozen numbers are noticed after the five seconds for which they may stay the same.
    expect(through).toBeLessThanOrEqual(102);
    expect(robot.send(199)).toBe(0);
    // A clock that is put right again jumps once more.
    robot.send(1);
    expect(robot.send(100)).toBe(100);
    expect(robot.asides).toEqual([expect.stringMatching(reason), '']);
  });

  it('does not take a value at its limit for a frozen one', () => {
    const robot = new Robot();
    const stops = ({ observation, next_observation }: Transition) => ({
      observation: [observation[0]!, 2],
      next_observation: [next_observation[0]!, 2],
    });
    expect(robot.send(500, stops)).toBe(500);
  });

  it('leaves a robot aside that a person set aside, however well it is, until a person releases it', () => {
    const robot = new Robot();
    robot.check.setAside('its wheel is loose');
    expect(robot.send(500)).toBe(0);
    robot.check.release();
    expect(robot.send(10)).toBe(10);
    expect(robot.asides).toEqual(['its wheel is loose', '']);
    // The check goes on.
    robot.send(20, () => ({ action: [3] }));
    expect(robot.check.state.aside).toMatch(/the action speed/);
  });

  it('trusts a robot that a person releases from the check, but for numbers that are none', () => {
    const robot = new Robot();
    robot.send(20, () => ({ action: [3] }));
    robot.check.release();
    expect(robot.send(100, () => ({ action: [3] }))).toBe(100);
    expect(robot.send(100, () => ({ action: [Number.NaN] }))).toBe(0);
    expect(robot.check.state.aside).toBe('');
  });
});
