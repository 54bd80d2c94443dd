import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JointJog } from '#src/messages/index.js';
import { header } from '#src/messages/index.js';
import { createActionMapper, createSafetyFilter, parseRobotSpec, type RobotSpec, Takeover } from '#src/robot/index.js';
import { ms } from './messages.js';

const text = readFileSync(new URL('../../config/robots/ur5e.yaml', import.meta.url), 'utf8');
const TELEOP = 'teleop: { topic: /teleop/joint_states, type: sensor_msgs/msg/JointState, timeout_ms: 200 }';
const jogged = (more = ''): RobotSpec => {
  expect(text).toContain(TELEOP);
  const teleop = `teleop: { topic: /teleop/jog, type: control_msgs/msg/JointJog, timeout_ms: 200${more} }`;
  return parseRobotSpec(text.replace(TELEOP, teleop), 'ur5e.yaml');
};
const spec = jogged();
const period = Math.round(1000 / spec.rateHz);
const at = [0, -1, 1, 0, 0, 0];
const jog = (lists: Partial<Record<'velocities' | 'displacements', number[]>>, names = ['elbow_joint']): JointJog => ({
  header: header(0n, ''),
  joint_names: names,
  displacements: Float64Array.from(lists.displacements ?? []),
  velocities: Float64Array.from(lists.velocities ?? []),
  duration: 0,
});
const elbow = (command: { action: Float32Array } | null): number | undefined =>
  command === null ? undefined : Math.round(command.action[2]! * 1e4) / 1e4;

describe('a person who jogs an arm of positions', () => {
  it('moves it on from its last command by the velocity and the time that has passed, until the topic falls silent', () => {
    const takeover = new Takeover(spec);
    expect(takeover.accept('/teleop/jog', jog({ velocities: [0.5] }), ms(0))).toBe(true);
    // The first cycle is a control period; the others are as long as they are, at most two periods.
    expect(elbow(takeover.take(ms(1), at))).toBeCloseTo(1 + 0.5 / spec.rateHz, 4);
    expect(elbow(takeover.take(ms(11), at))).toBeCloseTo(1.005, 4);
    expect(elbow(takeover.take(ms(11), at))).toBe(1);
    expect(elbow(takeover.take(ms(190), at))).toBeCloseTo(1 + (0.5 * 2) / spec.rateHz, 3);
    expect(takeover.take(ms(250), at)).toBeNull();
    const others = new Takeover(spec);
    others.accept('/teleop/jog', jog({ velocities: [0.5] }), ms(0));
    expect([...others.take(ms(1), at)!.action].filter((_, i) => i !== 2)).toEqual(at.filter((_, i) => i !== 2));
  });

  it('makes every displacement once, however many come between two cycles', () => {
    const takeover = new Takeover(spec);
    for (let i = 0; i < 3; i++) takeover.accept('/teleop/jog', jog({ displacements: [0.01] }), ms(i));
    expect(elbow(takeover.take(ms(3), at))).toBeCloseTo(1.03, 4);
    expect(elbow(takeover.take(ms(3 + period), at))).toBe(1);
  });

  it('is limited as everybody: at the largest rate and the limits of the description, and stopped by the e-stop', () => {
    const filter = createSafetyFilter(spec, { initial: at });
    const takeover = new Takeover(spec);
    const fresh = { action: null, actionExpiryNs: null, observationStampAgeMs: 0, heartbeatNs: null };
    let last = 1;
    let state = '';
    for (let t = 0; t < 200; t++) {
      const nowNs = ms(t * period);
      takeover.accept('/teleop/jog', jog({ velocities: [50] }), nowNs);
      const person = takeover.take(nowNs, filter.command);
      const output = filter.step({ ...fresh, nowNs, takeover: person!.action, estop: t > 150 });
      const elbowNow = output.command[2]!;
      expect(elbowNow - last).toBeLessThanOrEqual((1.57 * period) / 1000 + 1e-5);
      expect(elbowNow).toBeLessThanOrEqual(spec.action[2]!.high);
      if (t === 20) expect(output.state).toBe('TAKEOVER');
      if (t > 150) expect(elbowNow).toBe(last);
      last = elbowNow;
      state = output.state;
    }
    expect(last).toBeCloseTo(spec.action[2]!.high, 4);
    expect(state).toBe('ESTOP');
  });

  it('without units pushes a stick all the way for the largest rate', () => {
    const takeover = new Takeover(jogged(', unitless: true'));
    takeover.accept('/teleop/jog', jog({ velocities: [-1] }), ms(0));
    expect(elbow(takeover.take(ms(1), at))).toBeCloseTo(1 - 1.57 / spec.rateHz, 4);
    const steps = new Takeover(jogged(', unitless: true'));
    steps.accept('/teleop/jog', jog({ displacements: [1] }), ms(0));
    expect(elbow(steps.take(ms(1), at))).toBeCloseTo(1 + 1.57 / spec.rateHz, 4);
  });

  it('may have names of its own, and is told of those that are none, of numbers that are none, and of both lists at once', () => {
    const led = new Takeover(jogged(', joints: { elbow_joint: axis_3 }'));
    expect(led.accept('/teleop/jog', jog({ velocities: [1] }, ['axis_3']), 0n)).toBe(true);
    const takeover = new Takeover(spec);
    const refused = (message: JointJog): string => {
      expect(takeover.accept('/teleop/jog', message, 0n)).toBe(false);
      return takeover.lastProblem;
    };
    expect(refused(jog({ velocities: [1] }, ['elbow']))).toMatch(/none of the action.*found: elbow;/);
    expect(refused(jog({ velocities: [Number.NaN] }))).toMatch(/not finite.*elbow_joint = NaN/);
    expect(refused(jog({ velocities: [1], displacements: [1] }))).toMatch(/a step and a velocity at once/);
    expect(refused(jog({ velocities: [1, 2] }))).toMatch(/2 velocities for 1 joints/);
    expect(takeover.take(ms(1), at)).toBeNull();
    // Lists of zeros beside the other are what some publishers fill in.
    expect(takeover.accept('/teleop/jog', jog({ velocities: [0], displacements: [0.1] }), 0n)).toBe(true);
  });

  it('cannot be read, or driven by a script, as if the messages were whole commands', () => {
    expect(() => createActionMapper(spec, spec.commands[0].teleop)).toThrow(/carries no whole commands.*JointState/);
  });
});

describe('a person who jogs an arm of velocities', () => {
  const servo = readFileSync(new URL('../../config/robots/ur5e_servo.yaml', import.meta.url), 'utf8');
  const robot = parseRobotSpec(servo, 'ur5e_servo.yaml');
  const topic = '/teleop/delta_joint_cmds';
  const none = new Array<number>(6).fill(0);

  it('commands them as they are, and a displacement as the velocity of one control period', () => {
    const takeover = new Takeover(robot);
    takeover.accept(topic, jog({ velocities: [0.5] }), ms(0));
    expect(elbow(takeover.take(ms(1), none))).toBe(0.5);
    takeover.accept(topic, jog({ displacements: [0.02] }), ms(50));
    expect(elbow(takeover.take(ms(51), none))).toBeCloseTo(0.02 * robot.rateHz, 4);
    expect(elbow(takeover.take(ms(101), none))).toBe(0);
  });
});
