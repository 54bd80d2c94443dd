import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { createExpert, createTask, type SensorReadings, type Task } from '#src/simulation/index.js';
import { clearanceAlong, roverLayout } from '#src/simulation/tasks/rover/layout.js';
import { expertSuccess, rollout, traceOf, withState } from './rollout.js';

let task: Task;
beforeAll(async () => {
  task = await createTask('rover');
});
afterAll(() => task.close());

/** What stands before qpos in a snapshot: the task's own seven numbers, then time. */
const OWN = 7 + 1;

/** Puts the rover at a pose, at rest, and its goal where it is asked for. */
function place(x: number, y: number, yaw: number, goal: readonly [number, number] = [2, 2]): void {
  task.reset(0);
  withState(task, OWN, { 0: x, 1: y, 3: Math.cos(yaw / 2), 4: 0, 5: 0, 6: Math.sin(yaw / 2) });
  withState(task, 0, { 0: goal[0], 1: goal[1] });
  const { pose } = task.sense().odometry!;
  expect([...pose.position.slice(0, 2), yawOf(task.sense())]).toEqual([x, y, expect.closeTo(yaw, 12)]);
  expect(task.sense().poses!.goal_pose!.position).toEqual([...goal, 0]);
}

function yawOf(readings: SensorReadings): number {
  const [x, y, z, w] = readings.odometry!.pose.orientation;
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}

/** Where a ray from (x, y) first meets the layout, in the plane. */
function rangeByHand(x: number, y: number, angle: number): number {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const hits: number[] = [];
  for (const p of roverLayout.pillars) {
    const along = (p.x - x) * cos + (p.y - y) * sin;
    const beside = (p.x - x) * sin - (p.y - y) * cos;
    if (along > 0 && Math.abs(beside) < p.radius) hits.push(along - Math.sqrt(p.radius ** 2 - beside ** 2));
  }
  const box = (x0: number, x1: number, y0: number, y1: number): void => {
    for (const t of [(x0 - x) / cos, (x1 - x) / cos]) if (t > 0 && y + t * sin >= y0 && y + t * sin <= y1) hits.push(t);
    for (const t of [(y0 - y) / sin, (y1 - y) / sin]) if (t > 0 && x + t * cos >= x0 && x + t * cos <= x1) hits.push(t);
  };
  for (const b of roverLayout.blocks) box(b.x - b.halfX, b.x + b.halfX, b.y - b.halfY, b.y + b.halfY);
  const half = roverLayout.halfWidth;
  box(-half, half, -half, half);
  return Math.min(...hits);
}

describe('rover task', () => {
  it('gives the same numbers bit for bit from the same seed and actions', async () => {
    const other = await createTask('rover');
    const action = (t: number): number[] => [0.3 + 0.3 * Math.sin(t), 1.8 * Math.cos(t / 3)];
    other.reset(3);
    traceOf(other, 7, action);
    for (const seed of [0, 17, 4294967295]) {
      expect(other.reset(seed)).toEqual(task.reset(seed));
      expect(traceOf(other, 40, action)).toEqual(traceOf(task, 40, action));
    }
    expect(task.reset(1)).not.toEqual(task.reset(2));
    other.close();
  });

  it('continues exactly from a snapshot', async () => {
    const other = await createTask('rover');
    const action = (t: number): number[] => [0.5, Math.sin(t / 5)];
    task.reset(5);
    traceOf(task, 60, action);
    const snapshot = task.snapshot();
    const expected = traceOf(task, 30, action);
    other.reset(9);
    other.restore(snapshot);
    expect(traceOf(other, 30, action)).toEqual(expected);
    task.restore(snapshot);
    expect(traceOf(task, 30, action)).toEqual(expected);
    other.close();
  });

  it('is done by its expert in at least 95 % of fresh starts, and not by chance', () => {
    expect(expertSuccess(task, 'rover', 100, 40)).toBeGreaterThanOrEqual(0.95);
    const random = new Random(1);
    let successes = 0;
    for (let seed = 0; seed < 20; seed++)
      if (rollout(task, seed, () => [random.uniform(-0.2, 0.6), random.uniform(-1.8, 1.8)]).success) successes += 1;
    expect(successes).toBeLessThanOrEqual(2);
  });

  it('has episodes of a fixed length that never terminate', () => {
    const { steps } = rollout(task, 1, () => [0.6, 0]);
    expect(steps.some((step) => step.terminated)).toBe(false);
    expect(steps.map((step) => step.truncated)).toEqual(steps.map((_, t) => t === task.maxSteps - 1));
  });

  it('blocks the straight way to the goal in the share of episodes asked for', () => {
    let blocked = 0;
    for (let seed = 0; seed < 200; seed++) {
      task.reset(seed);
      const { odometry, poses } = task.sense();
      const [from, to] = [odometry!.pose.position, poses!.goal_pose!.position];
      if (clearanceAlong([from[0], from[1]], [to[0], to[1]]) < roverLayout.robotRadius) blocked += 1;
    }
    expect(blocked / 200).toBeGreaterThan(0.7);
    expect(blocked / 200).toBeLessThan(0.9);
  });

  it('brings goal after goal on a tour, on alternate sides, and continues one exactly from a snapshot', async () => {
    const [tour, other] = await Promise.all([createTask('rover', { tour: true }), createTask('rover', { tour: true })]);
    const expert = createExpert('rover');
    let observation = tour.reset(7);
    let snapshot = tour.snapshot();
    const goals = new Set<number>();
    for (let t = 0; t < tour.maxSteps; t++) {
      if (t === 90) snapshot = tour.snapshot();
      const result = tour.step(expert.act(observation));
      observation = result.observation;
      goals.add(tour.sense().poses!.goal_pose!.position[0]);
      expect(result.truncated).toBe(t === tour.maxSteps - 1);
      if (t === tour.maxSteps - 1) expect(result.success).toBe(true);
    }
    const sides = [...goals].map(Math.sign);
    expect(sides.length).toBeGreaterThanOrEqual(4);
    expect(sides).toEqual(sides.map((_, i) => (i % 2 === 0 ? 1 : -1)));
    tour.restore(snapshot);
    other.restore(snapshot);
    let repeated = tour.step([0.5, 0.1]);
    let resumed = other.step([0.5, 0.1]);
    for (let t = 0; t < 150; t++) {
      expect(resumed).toEqual(repeated);
      repeated = tour.step(expert.act(repeated.observation));
      resumed = other.step(expert.act(resumed.observation));
    }
    tour.close();
    other.close();
  });

  it('drives forward along x, turns left with positive angular velocity, at the speeds commanded', () => {
    for (const [v, w] of [
      [0.6, 0],
      [-0.2, 0],
      [0, 1.8],
      [0, -1],
      [0.4, 1],
    ] as const) {
      place(-1.7, 0, 0.5);
      for (let i = 0; i < 8; i++) task.step([v, w]);
      const before = task.sense();
      task.step([v, w]);
      const after = task.sense();
      expect(after.odometry!.linear[0]).toBeCloseTo(v, 1.5);
      expect(after.odometry!.angular[2]).toBeCloseTo(w, 1);
      // The twist is what the pose does: in body axes, counter-clockwise from x.
      const [p, q, yaw] = [before.odometry!.pose.position, after.odometry!.pose.position, yawOf(before)];
      const forward = Math.cos(yaw) * (q[0] - p[0]) + Math.sin(yaw) * (q[1] - p[1]);
      const left = -Math.sin(yaw) * (q[0] - p[0]) + Math.cos(yaw) * (q[1] - p[1]);
      expect(forward / 0.1).toBeCloseTo(v, 1.5);
      expect(left / 0.1).toBeCloseTo((v * w * 0.1) / 2, 1.5);
      expect((yawOf(after) - yaw) / 0.1).toBeCloseTo(w, 1);
    }
  });

  it('measures what geometry says, on every beam', () => {
    place(1.8, 0, 0);
    const ahead = task.sense().scan!;
    const middle = ahead.ranges.length / 2;
    const half = ahead.angleIncrement / 2;
    expect(ahead.ranges[middle]).toBeCloseTo(0.7 / Math.cos(half), 3);
    expect(ahead.ranges[middle - 1]).toBeCloseTo(0.7 / Math.cos(half), 3);
    for (const [x, y, yaw] of [
      [-1.6, 0, 0],
      [0, -0.5, 2],
      [-2, 2, -1],
      [1.9, -0.9, -2.7],
    ] as const) {
      place(x, y, yaw);
      const { angleMin, angleIncrement, rangeMax, ranges } = task.sense().scan!;
      ranges.forEach((range, i) => {
        const expected = rangeByHand(x, y, yaw + angleMin + i * angleIncrement);
        expect(range).toBeCloseTo(expected <= rangeMax ? expected : Number.POSITIVE_INFINITY, 3);
      });
    }
    place(-2.2, 0.1, 0);
    expect([...task.sense().scan!.ranges]).toContain(Number.POSITIVE_INFINITY);
  });

  it('stops at what it drives into, and remembers having touched it', () => {
    const goal = [2.25, 0] as const;
    const settle = (): boolean => {
      for (let i = 0; i < 10; i++) task.step([0, 0]);
      return task.step([0, 0]).success;
    };
    place(2.1, 0, 0, goal);
    expect(settle()).toBe(true);

    place(1.8, 0, 0, goal);
    const rewards = Array.from({ length: 20 }, () => task.step([0.6, 0]).reward);
    const x = task.sense().odometry!.pose.position[0];
    expect(x).toBeGreaterThan(2.28);
    expect(x).toBeLessThan(roverLayout.halfWidth - roverLayout.robotRadius + 0.02);
    expect(Math.min(...rewards)).toBeLessThan(-0.3);
    for (let i = 0; i < 3; i++) task.step([-0.2, 0]);
    expect(settle()).toBe(false);
    const [px] = task.sense().odometry!.pose.position;
    expect(Math.abs(px - goal[0])).toBeLessThan(roverLayout.goalRadius);
  });

  it('observes what follows from its sensors', () => {
    task.reset(11);
    const random = new Random(3);
    for (let t = 0; t < 50; t++) {
      const { observation } = task.step([random.uniform(0, 0.6), random.uniform(-1, 1)]);
      const readings = task.sense();
      const [p, g, yaw] = [readings.odometry!.pose.position, readings.poses!.goal_pose!.position, yawOf(readings)];
      const bearing = Math.atan2(g[1] - p[1], g[0] - p[0]) - yaw;
      const sectors = new Array(11).fill(1);
      readings.scan!.ranges.forEach((range, i) => {
        const sector = Math.min(Math.floor((11 * i) / (readings.scan!.ranges.length - 1)), 10);
        sectors[sector] = Math.min(sectors[sector], range);
      });
      const expected = [
        Math.min(Math.hypot(g[0] - p[0], g[1] - p[1]), 1),
        Math.sin(bearing),
        Math.cos(bearing),
        ...sectors,
      ];
      expect(observation.length).toBe(task.observationSpace.dimensions.length);
      expected.forEach((value, i) => {
        expect(observation[i]).toBeCloseTo(value, 10);
      });
    }
  });

  it('refuses actions, seeds, snapshots and options that make no sense, and stays as it was', async () => {
    task.reset(2);
    const before = task.snapshot();
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    for (const action of [[Number.NaN, 0], [0.1], [0, 0, 0], [Number.POSITIVE_INFINITY, 0]])
      expect(() => task.step(action)).toThrow(refused);
    expect(() => task.reset(-1)).toThrow(refused);
    expect(() => task.restore(before.slice(1))).toThrow(refused);
    expect(task.snapshot()).toEqual(before);
    await expect(createTask('rover', { maxSteps: 0 })).rejects.toThrow(refused);
    await expect(createTask('rover', { blockedShare: 2 })).rejects.toThrow(refused);
    await expect(createTask('rover', { maxStep: 10 })).rejects.toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('shows every obstacle, the robot and the goal', () => {
    const scene = task.scene();
    const named = (prefix: string): number => scene.filter((geometry) => geometry.name.startsWith(prefix)).length;
    expect([named('pillar_'), named('block_'), named('wall_'), named('chassis'), named('goal')]).toEqual([
      roverLayout.pillars.length,
      roverLayout.blocks.length,
      4,
      1,
      1,
    ]);
  });
});
