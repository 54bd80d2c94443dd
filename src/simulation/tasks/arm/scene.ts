import type { Random } from '../../../common/index.js';

type Point = readonly [number, number];

/** Where puck, goal and tool are when an episode begins. Metres and radians, base frame. */
export interface ArmScene {
  readonly goal: Point;
  readonly puck: Point;
  readonly puckYaw: number;
  readonly tool: Point;
}

/** The puck lies between arm and goal; the tool stands before it. */
export function drawArmScene(random: Random): ArmScene {
  const goal = [random.uniform(0.56, 0.6), random.uniform(-0.04, 0.04)] as const;
  const puck = [random.uniform(0.4, 0.44), random.uniform(-0.1, 0.1)] as const;
  const puckYaw = random.uniform(-Math.PI, Math.PI);
  return { goal, puck, puckYaw, tool: [random.uniform(0.26, 0.29), random.uniform(-0.03, 0.03)] };
}
