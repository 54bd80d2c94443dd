import { Random } from '../../../common/index.js';
import { clearance, clearanceAlong, roverLayout } from './layout.js';

export type Point = readonly [number, number];

/** A point in free space near the left (−1) or right wall. */
function drawPoint(random: Random, side: -1 | 1, margin: number): Point {
  for (;;) {
    const point = [side * random.uniform(1.5, 2.1), random.uniform(-1.9, 1.9)] as const;
    if (clearance(...point) >= margin) return point;
  }
}

/** Start on the left and goal on the right; in `blockedShare` of the draws the straight way is blocked. */
function drawWay(random: Random, blockedShare: number): { start: Point; goal: Point } {
  const blocked = random.uniform() < blockedShare;
  for (;;) {
    const start = drawPoint(random, -1, 0.35);
    const goal = drawPoint(random, 1, 0.4);
    if (clearanceAlong(start, goal) < roverLayout.robotRadius === blocked) return { start, goal };
  }
}

/** A tour's next goal. From some places no way is blocked, or every one: then any goal will do. */
export function drawGoal(random: Random, from: Point, side: -1 | 1, blockedShare: number): Point {
  const blocked = random.uniform() < blockedShare;
  let goal = drawPoint(random, side, 0.4);
  for (let i = 0; i < 50 && clearanceAlong(from, goal) < roverLayout.robotRadius !== blocked; i++)
    goal = drawPoint(random, side, 0.4);
  return goal;
}

/** Where the rover starts, which way it looks and where its goal is. Metres and radians, odometry frame. */
export interface RoverScene {
  readonly start: Point;
  readonly yaw: number;
  readonly goal: Point;
}

/** The start of the episode of this seed, in every simulator the same. */
export function drawRoverScene(seed: number, blockedShare = 0.8): RoverScene {
  const random = Random.derive(seed, 'rover');
  const { start, goal } = drawWay(random, blockedShare);
  const yaw = Math.atan2(goal[1] - start[1], goal[0] - start[0]) + random.uniform(-0.8, 0.8);
  return { start, yaw, goal };
}
