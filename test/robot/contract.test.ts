import { describe, expect, test } from 'vitest';
import type { RobotContract } from '#src/robot/index.js';
import { checkContract, contractOf, loadRobotSpec, robotNames, robotSpecHash } from '#src/robot/index.js';

const spec = loadRobotSpec('hopper');
/** The contract as it comes back from a file. */
const stored = (): RobotContract => JSON.parse(JSON.stringify(contractOf(spec))) as RobotContract;

describe('contract', () => {
  test('fault F04: survives JSON, unbounded limits included, and fits its own robot only', () => {
    for (const name of robotNames()) {
      const contract = JSON.parse(JSON.stringify(contractOf(loadRobotSpec(name))));
      for (const other of robotNames()) {
        const check = () => checkContract(contract, loadRobotSpec(other));
        if (name === other) expect(check).not.toThrow();
        else expect(check).toThrow(expect.objectContaining({ code: 'MISMATCH' }));
      }
    }
  });

  test.each<[string, (contract: RobotContract) => void, string, string, string]>([
    [
      'robot',
      (c) => {
        c.robot = 'rover';
      },
      'robot differs',
      "'rover'",
      "'hopper'",
    ],
    [
      'rate',
      (c) => {
        c.rateHz = 50;
      },
      'rateHz differs',
      '50',
      '125',
    ],
    [
      'a missing name',
      (c) => {
        c.observation.pop();
      },
      "observation's names",
      'missing: foot_joint_velocity',
      '11',
    ],
    [
      'another name',
      (c) => {
        c.action[1]!.name = 'knee';
      },
      "action's names",
      'unknown: knee',
      'leg_joint',
    ],
    [
      'order',
      (c) => {
        c.action.reverse();
      },
      'the order, action[0]',
      "'foot_joint'",
      "'thigh_joint'",
    ],
    [
      'unit',
      (c) => {
        c.observation[2]!.unit = 'm';
      },
      "unit of observation[2] 'thigh_joint_position'",
      'm',
      'rad',
    ],
    [
      'limit',
      (c) => {
        c.action[0]!.high = 2;
      },
      "high of action[0] 'thigh_joint'",
      '2',
      '1',
    ],
    [
      'an unbounded limit',
      (c) => {
        c.observation[0]!.low = 0;
      },
      "low of observation[0] 'rootz_position'",
      '0',
      'unbounded',
    ],
    [
      'a name twice',
      (c) => {
        c.action.push({ ...c.action[0]! });
      },
      "action's names",
      '4',
      '3',
    ],
  ])('%s that differs is named', (_, change, what, found, expected) => {
    const contract = stored();
    change(contract);
    expect(() => checkContract(contract, spec)).toThrow(
      expect.objectContaining({
        code: 'MISMATCH',
        message: expect.stringContaining(what),
        found: expect.stringContaining(found),
        expected: expect.stringContaining(expected),
      }),
    );
  });

  test('what is no contract is refused as such', () => {
    for (const value of [null, 'hopper', {}, { ...stored(), action: [{ name: 'a' }] }])
      expect(() => checkContract(value, spec)).toThrow(expect.objectContaining({ code: 'CORRUPT_DATA' }));
  });

  test('the hash depends on the contract alone', () => {
    const hash = robotSpecHash(spec);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(robotSpecHash(loadRobotSpec('hopper'))).toBe(hash);
    expect(robotSpecHash({ ...spec, description: 'another', commands: [{ ...spec.commands[0], topic: '/x' }] })).toBe(
      hash,
    );
    expect(robotSpecHash({ ...spec, rateHz: 50 })).not.toBe(hash);
    const [first, ...rest] = spec.observation;
    expect(robotSpecHash({ ...spec, observation: [{ ...first!, unit: 'rad' }, ...rest] })).not.toBe(hash);
  });
});
