import { expect } from 'vitest';
import type { Assembled, SafetyInput } from '#src/robot/index.js';
import {
  createObservationAssembler,
  createSafetyFilter,
  loadRobotSpec,
  type RobotSpec,
  type SafetyFilter,
} from '#src/robot/index.js';
import { goal, ms, odometry, scan, vehicle } from '../robot/messages.js';
import { stateOf } from '../support/state.js';

export const hopper = loadRobotSpec('hopper');

/** A vehicle's state, heard every 100 ms from 0 on; `assemble` at that time. */
export function heardUntil(untilMs: number) {
  const assembler = createObservationAssembler(vehicle);
  for (let at = 0; at <= untilMs; at += 100) {
    assembler.accept('/odom', odometry(at, { v: at / 1000 }), ms(at));
    assembler.accept('/scan', scan(at), ms(at));
    assembler.accept('/goal_pose', goal(at), ms(at));
  }
  return assembler;
}
export const velocityOf = (result: Assembled): number => {
  if (!result.ok) throw new Error(result.text);
  return stateOf(result.observation)[vehicle.observation.findIndex(({ name }) => name === 'linear_velocity')]!;
};

/** A filter that has just executed the action at 100 ms. */
export function running(spec: RobotSpec = vehicle, values: readonly number[] = [0.4, 0.5], options = {}): SafetyFilter {
  const filter = createSafetyFilter(spec, options);
  filter.step(cycle(0, { heartbeatNs: 0n }));
  expect(filter.step(cycle(100, { values, heartbeatNs: ms(100) })).state).toBe('RUNNING');
  return filter;
}
export function cycle(atMs: number, change: Partial<SafetyInput> & { values?: readonly number[] } = {}): SafetyInput {
  const { values, ...rest } = change;
  return {
    nowNs: ms(atMs),
    action: values === undefined ? null : Float32Array.from(values),
    actionExpiryNs: values === undefined ? null : ms(atMs + 150),
    observationStampAgeMs: 0,
    takeover: null,
    estop: false,
    heartbeatNs: null,
    ...rest,
  };
}
export const zero = new Float32Array(2);
