import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lintDemonstrations } from '#src/demonstrations/index.js';
import { checkContract, contractOf, createSafetyFilter, PolicyActions, parseRobotSpec } from '#src/robot/index.js';

fc.configureGlobal({ seed: 20261128 });

const text = `
robot: arm
description: One joint is given as a delta, the other as a position.
rate_hz: 10
frame_id: base
state: { /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 500 } }
observation:
  - { topic: /joint_states, joints: [wrist, elbow], quantity: position, unit: rad, steps: 2 }
command: { topic: /commands, type: sensor_msgs/msg/JointState, timeout_ms: 500 }
teleop: { topic: /leader }
action:
  - { name: wrist, joint: wrist, unit: rad, low: -2, high: 2 }
  - { name: elbow, joint: elbow, unit: rad, low: -1, high: 2, max_rate: 0.5, delta: { of: elbow_position, most: 0.1 } }
estop_topic: /estop
stop: hold
`;
const spec = parseRobotSpec(text, 'arm.yaml');
const absolute = parseRobotSpec(text.replace(', delta: { of: elbow_position, most: 0.1 }', ''), 'arm.yaml');
const actions = new PolicyActions(spec);
/** An observation with the elbow here: wrist[-1], elbow[-1], wrist, elbow. */
const elbowAt = (position: number): Float32Array => Float32Array.of(9, 9, 9, position);

describe('delta actions', () => {
  it('are named as what they are in the contract, with their own limits, and fit no policy of absolute actions', () => {
    expect(contractOf(spec).action).toEqual([
      { name: 'wrist', unit: 'rad', low: -2, high: 2 },
      { name: 'elbow - elbow_position', unit: 'rad', low: -0.1, high: 0.1 },
    ]);
    expect(() => checkContract(contractOf(spec), spec)).not.toThrow();
    for (const [policy, robot] of [
      [absolute, spec],
      [spec, absolute],
    ] as const)
      expect(() => checkContract(contractOf(policy), robot)).toThrow(
        expect.objectContaining({ code: 'MISMATCH', message: expect.stringContaining("the action's names differ") }),
      );
  });

  it('are added to the measured value of the same observation', () => {
    const command = actions.toCommand(Float32Array.of(1.5, -0.05), elbowAt(0.75));
    expect([...command]).toEqual([1.5, Math.fround(0.75 - Math.fround(0.05))]);
  });

  it('lead to the limit of the command and not beyond it; what is not finite stays so, for the filter to refuse', () => {
    expect(actions.toCommand(Float32Array.of(0, 0.1), elbowAt(1.95))[1]).toBe(2);
    expect(actions.toCommand(Float32Array.of(0, -0.1), elbowAt(-3))[1]).toBe(-1);
    for (const bad of [Number.NaN, Infinity, -Infinity])
      expect(actions.toCommand(Float32Array.of(0, bad), elbowAt(0))[1]).toBe(bad);
  });

  it('come back from commands as they went in, and beyond ±1 where a command is beyond what a policy can give', () => {
    const place = fc.float({ min: Math.fround(-0.75), max: Math.fround(1.75), noNaN: true });
    const small = fc.float({ min: Math.fround(-0.1), max: Math.fround(0.1), noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(place, small), { minLength: 1, maxLength: 5 }), (steps) => {
        const commands = steps.flatMap(([at, delta]) => [...actions.toCommand(Float32Array.of(1, delta), elbowAt(at))]);
        const observed = Float32Array.from(steps.flatMap(([at]) => [...elbowAt(at)]));
        const normalised = actions.normalise(commands, observed);
        steps.forEach(([, delta], i) => {
          expect(normalised[2 * i]).toBe(0.5);
          expect(normalised[2 * i + 1]).toBeCloseTo(delta / 0.1, 4);
        });
      }),
    );
    expect(actions.normalise([0, 0.3], elbowAt(0.1))[1]).toBeCloseTo(2, 5);
  });

  it('leave the actions of other robots alone', () => {
    const plain = new PolicyActions(absolute);
    const action = Float32Array.of(1, 0.5);
    expect(plain.toCommand(action, elbowAt(1))).toBe(action);
    expect(plain.fromCommands(action, elbowAt(1))).toBe(action);
  });

  it('are limited as the sum: the safety filter sees the command, and holds its rate', () => {
    const filter = createSafetyFilter(spec, { initial: [0, 0] });
    let now = 0n;
    let position = 0;
    const sent: number[] = [];
    for (let k = 0; k < 60; k++) {
      now += 100_000_000n;
      const { command, state } = filter.step({
        nowNs: now,
        action: actions.toCommand(Float32Array.of(0, 0.1), elbowAt(position)),
        actionExpiryNs: now + 100_000_000n,
        observationStampAgeMs: 0,
        takeover: null,
        estop: false,
        heartbeatNs: null,
      });
      expect(state).toBe('RUNNING');
      expect(command[1]! - position).toBeLessThanOrEqual(0.05 + 1e-6);
      position = command[1]!;
      sent.push(position);
    }
    expect(sent[0]).toBe(0); // no time has passed before the first
    expect(sent[1]).toBeCloseTo(0.05, 6); // the policy wanted 0.1; 0.5 rad/s allow half of it
    expect(sent.at(-1)).toBe(2);
  });

  it('are linted as commands and as deltas', () => {
    const length = 200;
    const swing = (t: number): number => 0.5 * Math.sin(t / 5);
    const lags = (gap: number) =>
      lintDemonstrations(
        [
          {
            source: 'made',
            length,
            observation: [{ name: 'state', shape: [4], dtype: 'float32', normalise: 'standard' }],
            actionSize: 2,
            observations: Float32Array.from({ length: 4 * (length + 1) }, (_, i) => swing((i >> 2) - 1)),
            actions: Float32Array.from({ length: 2 * length }, (_, i) =>
              i % 2 === 0 ? swing(i / 2) : swing((i >> 1) - 1) + gap * Math.cos((i >> 1) / 3),
            ),
            terminated: false,
            truncated: true,
            success: true,
            seed: null,
            stamps: null,
            rewards: null,
          },
        ],
        spec,
      ).filter(({ check }) => check === 'beyond limits');
    expect(lags(0.09)).toEqual([]);
    expect(lags(0.3)).toMatchObject([
      { level: 'error', found: expect.stringMatching(/^elbow - elbow_position beyond its limits/) },
    ]);
  });

  it.each([
    ['of a feature that there is not', 'of: elbow_positio', "did you mean 'elbow_position'?"],
    ['of an earlier value', "of: 'elbow_position[-1]'", "'elbow_position[-1]'"],
    ['of another joint', 'of: wrist_position', 'of the joint wrist'],
    ['without a largest difference', 'of: elbow_position }', 'action[1].delta'],
    ['of nothing', 'most: 0', 'above 0'],
    ['larger than the command', 'most: 3.5', 'at most the whole range of the command, 3'],
  ])('refuses a delta %s, and says where', (_, to, said) => {
    const from = to.startsWith('most')
      ? 'most: 0.1'
      : to.endsWith('}')
        ? 'of: elbow_position, most: 0.1 }'
        : 'of: elbow_position';
    expect(() => parseRobotSpec(text.replace(from, to), 'arm.yaml')).toThrow(said);
  });

  it('refuses a measured value in another unit, or clamped to less than the command', () => {
    const clamped = text.replace('unit: rad, steps: 2', 'unit: rad, low: -1, high: [2, 1.5]');
    expect(() => parseRobotSpec(clamped, 'arm.yaml')).toThrow('clamped to -1…1.5');
    const speeds = text
      .replaceAll('_position', '_velocity')
      .replace('quantity: position, unit: rad', 'quantity: velocity, unit: rad/s');
    expect(() => parseRobotSpec(speeds, 'arm.yaml')).toThrow('elbow_velocity in rad/s');
  });
});
