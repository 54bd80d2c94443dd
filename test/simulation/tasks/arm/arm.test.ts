import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { createTask, type Task } from '#src/simulation/index.js';
import { armJoints, armTools } from '#src/simulation/tasks/arm/model.js';
import { armWorkspace } from '#src/simulation/tasks/arm/servo.js';
import { armGoalRadius } from '#src/simulation/tasks/arm/task.js';
import { expertSuccess, rollout, traceOf, withState } from '../rover/rollout.js';

let task: Task;
beforeAll(async () => {
  task = await createTask('arm');
});
afterAll(() => task.close());

/** What stands before the physics state in a snapshot: goal, step, tour (3) and the servo's reference; then time. */
const OWN = 6 + 7 + 1;

const tool = (): readonly number[] => task.sense().poses!.tool_pose!.position;
const puck = (): readonly number[] => task.sense().poses!.object_pose!.position;

/** The angle between the tool's axis and the vertical, radians. */
function tilt(): number {
  const [x, y] = task.sense().poses!.tool_pose!.orientation;
  return 2 * Math.asin(Math.hypot(x, y));
}

describe('arm task', () => {
  it('gives the same numbers bit for bit from the same seed and actions', async () => {
    const other = await createTask('arm');
    const action = (t: number): number[] => [0.15 * Math.cos(t / 9), 0.1 * Math.sin(t / 4)];
    other.reset(3);
    traceOf(other, 5, action);
    for (const seed of [0, 17]) {
      expect(other.reset(seed)).toEqual(task.reset(seed));
      expect(traceOf(other, 30, action)).toEqual(traceOf(task, 30, action));
    }
    expect(task.reset(1)).not.toEqual(task.reset(2));
    other.close();
  });

  it('continues exactly from a snapshot taken while pushing', async () => {
    const other = await createTask('arm');
    const action = (t: number): number[] => [0.15, 0.02 * Math.sin(t)];
    task.reset(5);
    const start = puck();
    traceOf(task, 12, action);
    expect(puck()).not.toEqual(start);
    const snapshot = task.snapshot();
    const expected = traceOf(task, 15, action);
    other.reset(9);
    other.restore(snapshot);
    expect(traceOf(other, 15, action)).toEqual(expected);
    task.restore(snapshot);
    expect(traceOf(task, 15, action)).toEqual(expected);
    other.close();
  });

  it('is done by its expert in at least 95 % of fresh starts, and not by chance', () => {
    expect(expertSuccess(task, 'arm', 100, 40)).toBeGreaterThanOrEqual(0.95);
    const random = new Random(1);
    let successes = 0;
    for (let seed = 0; seed < 20; seed++)
      if (rollout(task, seed, () => [random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2)]).success) successes += 1;
    expect(successes).toBeLessThanOrEqual(2);
  });

  it('has episodes of a fixed length that never terminate', () => {
    const { steps } = rollout(task, 1, () => [0, 0]);
    expect(steps.some((step) => step.terminated)).toBe(false);
    expect(steps.map((step) => step.truncated)).toEqual(steps.map((_, t) => t === task.maxSteps - 1));
  });

  it('moves the tool in the commanded direction at the commanded speed, upright and at its height', () => {
    for (const [vx, vy] of [
      [0.1, 0],
      [0, 0.15],
      [0, -0.2],
      [0.08, 0.08],
      [0.02, -0.01],
    ] as const) {
      task.reset(4);
      withState(task, OWN, { 7: 0.9, 8: 0.9 }); // the puck is out of the way
      for (let i = 0; i < 2; i++) task.step([vx, vy]);
      const from = tool();
      for (let i = 0; i < 10; i++) task.step([vx, vy]);
      const to = tool();
      const moved = [to[0]! - from[0]!, to[1]! - from[1]!] as const;
      const speed = Math.hypot(vx, vy);
      expect(Math.hypot(moved[0] - vx, moved[1] - vy)).toBeLessThan(0.1 * speed);
      expect(to[2]).toBeCloseTo(armTools.tipHeight, 2.5);
      expect(tilt()).toBeLessThan(0.02);
    }
  });

  it('holds the tool still on zero, even after moving fast', () => {
    task.reset(4);
    for (let i = 0; i < 6; i++) task.step([0, 0.2]);
    for (let i = 0; i < 3; i++) task.step([0, 0]);
    const before = tool();
    for (let i = 0; i < 30; i++) task.step([0, 0]);
    const after = tool();
    expect(Math.hypot(after[0]! - before[0]!, after[1]! - before[1]!, after[2]! - before[2]!)).toBeLessThan(1e-3);
  });

  it('keeps the tool in its workspace, whatever is commanded', () => {
    for (const direction of [
      [1, 1],
      [1, -1],
      [-1, 1],
      [-1, -1],
    ] as const) {
      task.reset(4);
      for (let i = 0; i < 40; i++) task.step([9 * direction[0], 9 * direction[1]]);
      const [x, y, z] = tool();
      expect(x).toBeCloseTo(direction[0] > 0 ? armWorkspace.x[1] : armWorkspace.x[0], 1.5);
      expect(y).toBeCloseTo(direction[1] > 0 ? armWorkspace.y[1] : armWorkspace.y[0], 1.5);
      expect(z).toBeCloseTo(armTools.tipHeight, 2);
    }
  });

  it('moves the puck only by touching it', () => {
    task.reset(6);
    const start = puck();
    task.step([0.1, 0]);
    expect(Math.hypot(tool()[0]! - start[0]!, tool()[1]! - start[1]!)).toBeGreaterThan(
      armTools.puckRadius + armTools.tipRadius,
    );
    expect(Math.hypot(puck()[0]! - start[0]!, puck()[1]! - start[1]!)).toBeLessThan(1e-3);
    // Pushed through its centre line.
    const y = tool()[1]!;
    withState(task, OWN, { 8: y });
    for (let i = 0; i < 25; i++) task.step([0.1, 0]);
    expect(puck()[0]).toBeGreaterThan(start[0]! + 0.05);
    expect(puck()[0]! - tool()[0]!).toBeGreaterThan(0.9 * (armTools.puckRadius + armTools.tipRadius));
    expect(puck()[2]).toBeCloseTo(armTools.puckHalfHeight, 2.5);
  });

  it('counts a puck as placed only when it lies within the zone', () => {
    task.reset(6);
    const [gx, gy] = task.sense().poses!.goal_pose!.position;
    for (const [off, placed] of [
      [0.9 * armGoalRadius, true],
      [1.1 * armGoalRadius, false],
    ] as const) {
      task.reset(6);
      withState(task, OWN, { 7: gx + off, 8: gy });
      task.step([0, 0]);
      expect(task.step([0, 0]).success).toBe(placed);
    }
    task.reset(6);
    withState(task, OWN, { 7: gx - 0.03, 8: gy, [14 + 7]: 0.6 });
    const sliding = task.step([0, 0]);
    expect(Math.hypot(puck()[0]! - gx, puck()[1]! - gy)).toBeLessThan(armGoalRadius);
    expect(sliding.success).toBe(false);
  });

  it('reports seven joints whose velocity is the rate of their position', () => {
    task.reset(8);
    for (let i = 0; i < 5; i++) task.step([0.05, 0.1]);
    const before = task.sense().joints!;
    task.step([0.05, 0.1]);
    const after = task.sense().joints!;
    expect(after.names).toEqual(armJoints);
    expect(after.names).toEqual(['joint1', 'joint2', 'joint3', 'joint4', 'joint5', 'joint6', 'joint7']);
    after.position.forEach((position, i) => {
      const mean = (before.velocity[i]! + after.velocity[i]!) / 2;
      expect((position - before.position[i]!) / task.stepSeconds).toBeCloseTo(mean, 1.5);
    });
    expect(Math.max(...after.velocity.map(Math.abs))).toBeGreaterThan(0.05);
    expect(after.effort.every(Number.isFinite)).toBe(true);
  });

  it('observes what follows from its poses', () => {
    task.reset(11);
    for (let t = 0; t < 40; t++) {
      const { observation } = task.step([0.1, 0.05 * Math.sin(t / 3)]);
      const { tool_pose, object_pose, goal_pose } = task.sense().poses!;
      const [tp, op, gp] = [tool_pose!.position, object_pose!.position, goal_pose!.position];
      const goal = [gp[0] - op[0], gp[1] - op[1]] as const;
      const distance = Math.hypot(...goal);
      // The tool's axes are the base's but for the servo's control error.
      expect(observation[0]).toBeCloseTo(op[0] - tp[0], 2.5);
      expect(observation[1]).toBeCloseTo(op[1] - tp[1], 2.5);
      expect(observation[2]).toBeCloseTo(Math.min(distance, 0.1), 10);
      expect(observation[3]).toBeCloseTo(goal[1] / distance, 10);
      expect(observation[4]).toBeCloseTo(goal[0] / distance, 10);
      expect(observation.length).toBe(5);
    }
  });

  it('refuses actions, seeds, snapshots and options that make no sense, and stays as it was', async () => {
    task.reset(2);
    const before = task.snapshot();
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    for (const action of [[Number.NaN, 0], [0.1], [0, 0, 0]]) expect(() => task.step(action)).toThrow(refused);
    expect(() => task.reset(0.5)).toThrow(refused);
    expect(() => task.restore(before.slice(1))).toThrow(refused);
    expect(task.snapshot()).toEqual(before);
    await expect(createTask('arm', { maxSteps: 1.5 })).rejects.toThrow(refused);
    await expect(createTask('arm', { steps: 10 })).rejects.toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});
