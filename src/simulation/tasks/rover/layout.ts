/** A pillar, seen from above. Metres. */
export interface Pillar {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** An axis-aligned block, seen from above. Metres; half sizes. */
export interface Block {
  readonly x: number;
  readonly y: number;
  readonly halfX: number;
  readonly halfY: number;
}

/** What stands in the rover's arena, the same in every episode: what a top view draws. Metres, odometry frame. */
export interface RoverLayout {
  /** Inner half width: the walls' faces are at ±this in x and y. */
  readonly halfWidth: number;
  readonly wallHeight: number;
  /** Of the round chassis. */
  readonly robotRadius: number;
  /** How near the goal counts as there. */
  readonly goalRadius: number;
  readonly pillars: readonly Pillar[];
  readonly blocks: readonly Block[];
}

export const roverLayout: RoverLayout = {
  halfWidth: 2.5,
  wallHeight: 0.4,
  robotRadius: 0.18,
  goalRadius: 0.25,
  pillars: [
    { x: -0.6, y: 1.1, radius: 0.3 },
    { x: -0.5, y: -0.9, radius: 0.3 },
    { x: 0.6, y: 0.1, radius: 0.3 },
  ],
  blocks: [
    { x: 0.7, y: 1.7, halfX: 0.25, halfY: 0.2 },
    { x: 0.6, y: -1.7, halfX: 0.2, halfY: 0.25 },
  ],
};

/** Metres from a point to the nearest wall, pillar or block; negative inside of one. */
export function clearance(x: number, y: number, layout: RoverLayout = roverLayout): number {
  let nearest = layout.halfWidth - Math.max(Math.abs(x), Math.abs(y));
  for (const pillar of layout.pillars)
    nearest = Math.min(nearest, Math.hypot(x - pillar.x, y - pillar.y) - pillar.radius);
  for (const block of layout.blocks) {
    const dx = Math.abs(x - block.x) - block.halfX;
    const dy = Math.abs(y - block.y) - block.halfY;
    nearest = Math.min(nearest, Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0));
  }
  return nearest;
}

/** The least clearance along the straight way between two points, sampled every 5 cm. */
export function clearanceAlong(from: readonly [number, number], to: readonly [number, number]): number {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const samples = Math.max(1, Math.ceil(length / 0.05));
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= samples; i++) {
    const t = i / samples;
    nearest = Math.min(nearest, clearance(from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])));
  }
  return nearest;
}
