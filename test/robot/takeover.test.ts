import { describe, expect, test } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import { stampOf } from '#src/messages/index.js';
import type { TakeoverOptions } from '#src/robot/index.js';
import { createActionMapper, createTakeoverDetector, parseRobotSpec, SimulationClock } from '#src/robot/index.js';
import { ms, vehicle } from './messages.js';

const mapper = createActionMapper(vehicle);
const command = (v: number, stampMs: number) => mapper.toMessage([v, 0], ms(stampMs));
const detector = (options?: TakeoverOptions) => createTakeoverDetector(vehicle, mapper, options);

describe('takeover detector', () => {
  test('gives the newest command once', () => {
    const teleop = detector();
    expect(teleop.take()).toBeNull();
    teleop.accept(command(0.1, 100), ms(0));
    teleop.accept(command(0.2, 200), ms(1));
    expect(teleop.take()?.[0]).toBeCloseTo(0.2);
    expect(teleop.take()).toBeNull();
    expect(teleop.counters).toEqual({ accepted: 2, malformed: 0, late: 0, resting: 0 });
  });

  test('a zero command is a command: an expert that stands still drives', () => {
    const teleop = detector();
    teleop.accept(command(0, 100), 0n);
    expect([...teleop.take()!]).toEqual([0, 0]);
  });

  test('a device at rest does not take over, where a deadband says so, but may end a takeover gently', () => {
    const teleop = detector({ deadband: 0.05, restMs: 300 });
    teleop.accept(command(0.01, 100), ms(100));
    expect(teleop.take()).toBeNull();
    teleop.accept(command(0.5, 200), ms(200));
    expect(teleop.take()?.[0]).toBeCloseTo(0.5);
    teleop.accept(command(0, 300), ms(300));
    expect(teleop.take()?.[0]).toBe(0);
    teleop.accept(command(0, 600), ms(600));
    expect(teleop.take()).toBeNull();
    expect(teleop.counters).toMatchObject({ accepted: 2, resting: 2 });
  });

  test('two devices that move one joint by turns: obeyed, as a person must not lose the robot, and told with both values', () => {
    const arm = parseRobotSpec(
      `
robot: arm
description: An arm.
rate_hz: 20
frame_id: base
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 200 }
observation:
  - { topic: /joint_states, joints: [j1], quantity: position, unit: rad }
command: { topic: /cmd, type: sensor_msgs/msg/JointState, timeout_ms: 500 }
teleop: { topic: /teleop }
action:
  - { name: j1, joint: j1, unit: rad, low: -3, high: 3 }
estop_topic: /estop
stop: hold
`,
      'arm.yaml',
    );
    const joint = createActionMapper(arm);
    const teleop = createTakeoverDetector(arm, joint);
    for (let i = 0; i < 20; i++) {
      teleop.accept(joint.toMessage([i % 2 === 0 ? 1 : -2], ms(100 + 50 * i)), ms(50 * i));
      expect(teleop.hasNew).toBe(true);
    }
    expect(teleop.contradicted).toEqual({
      count: 15,
      text: '/teleop: position of j1 is -2 and 1 by turns, expected one publisher of this joint',
      isNow: true,
    });
  });

  test('a device without stamps is heard', () => {
    const teleop = detector();
    for (const v of [0.1, 0.2]) {
      teleop.accept({ ...command(v, 0), header: { stamp: stampOf(0n), frame_id: '' } }, 0n, ms(1e6));
      expect(teleop.take()?.[0]).toBeCloseTo(v);
    }
  });
});

describe('simulation clock', () => {
  test('a simulation clock runs, pauses and goes on', () => {
    const clock = new ManualClock();
    const time = new SimulationClock(clock, { pausedMs: 200 });
    expect(time.status().state).toBe('waiting');
    expect(time.accept({ clock: stampOf(ms(1000)) })).toBe(false);
    expect(time.status()).toMatchObject({ state: 'running', timeNs: ms(1000) });
    for (let i = 0; i < 3; i++) {
      clock.advanceMs(100);
      time.accept({ clock: stampOf(ms(1000)) });
    }
    expect(time.status()).toMatchObject({ state: 'paused', timeNs: ms(1000) });
    expect(time.accept({ clock: stampOf(ms(1010)) })).toBe(false);
    expect(time.status().state).toBe('running');
    expect(time.jumps).toBe(0);
  });
});
