import { describe, expect, test } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { qos } from '#src/transport/index.js';
import { isForNode, rosService, rosTopic } from '#src/transport/ros2/names.js';
import { mostOffered, overriddenQos } from '#src/transport/ros2/qos.js';
import { refusal, refusalIn } from '#src/transport/ros2/services.js';

describe('rules of the ROS 2 adapter', () => {
  test('topics and services become relative to the node, what all robots share does not', () => {
    expect(['/cmd_vel', '/front/scan', '/clock', '/diagnostics'].map(rosTopic)).toEqual([
      'cmd_vel',
      'front/scan',
      '/clock',
      '/diagnostics',
    ]);
    expect(rosService('/policy/reset_fault', 'policy')).toBe('~/reset_fault');
    expect(rosService('/policy_2/reset_fault', 'policy')).toBe('policy_2/reset_fault');
    expect(rosService('/recorder/start_episode', 'policy')).toBe('recorder/start_episode');
  });

  test('parameters of a file are for the nodes that their pattern names, as in rclcpp', () => {
    const fits = (pattern: string) => isForNode(pattern, '/robot1/arm/policy');
    expect(
      ['/robot1/arm/policy', '/**', '/robot1/**', '/**/policy', '/*/*/policy', '/robot1/*/policy'].map(fits),
    ).toEqual(Array.from({ length: 6 }, () => true));
    expect(['policy', '/policy', '/*', '/*/policy', '/robot2/**', '/robot1/arm/policy2'].map(fits)).toEqual(
      Array.from({ length: 6 }, () => false),
    );
    expect(isForNode('policy', '/policy')).toBe(true);
  });

  test('the most that fits every publisher', () => {
    const depth = 10;
    expect(mostOffered([])).toEqual({ reliability: 'best_effort', durability: 'volatile', depth });
    expect(mostOffered([qos.latched, qos.latched])).toEqual({
      reliability: 'reliable',
      durability: 'transient_local',
      depth,
    });
    expect(mostOffered([qos.latched, qos.event])).toEqual({ reliability: 'reliable', durability: 'volatile', depth });
    expect(mostOffered([qos.event, qos.sensor])).toEqual({ reliability: 'best_effort', durability: 'volatile', depth });
  });

  test('parameters override a quality of service, or say why they cannot', () => {
    const override = (policies: Record<string, string | number>) =>
      overriddenQos('qos_overrides./odom.subscription.', new Map(Object.entries(policies)), qos.sensor);
    expect(
      override({ reliability: 'reliable', durability: 'transient_local', depth: 3, history: 'keep_last' }),
    ).toEqual({
      reliability: 'reliable',
      durability: 'transient_local',
      depth: 3,
    });
    expect(() => override({ depth: 0 })).toThrow(/depth 0/);
    expect(() => override({ depth: 'many' })).toThrow(/odom\.subscription\.depth: "many".*whole number/);
    expect(() => override({ history: 'keep_all' })).toThrow(/history: "keep_all".*keep_last/);
    expect(() => override({ deadline: 5 })).toThrow(/deadline: 5.*reliability, durability, history, depth/);
  });

  test('an error crosses a service in its message, with its code; what looks like none is none', () => {
    const error = new IqLearnError('INVALID_CONFIG', 'a wrong\nfile', { found: 'x' });
    expect(refusalIn(refusal('/load', error))).toMatchObject({ code: 'INVALID_CONFIG', message: error.message });
    expect(refusalIn(refusal('/load', new Error('no')))).toMatchObject({ code: 'INTERNAL' });
    for (const response of [
      { success: true, message: '[INTERNAL] x' },
      { success: false, message: 'no' },
      { success: false, message: '[UNKNOWN] x' },
      { success: false },
      {},
    ])
      expect(refusalIn(response)).toBeNull();
  });
});
