import type { SceneGeometry } from '../task.js';

/** The shapes that can be drawn, by MuJoCo's mjtGeom. Height fields (1) and meshes (7) are not among them. */
const SHAPES: Readonly<Record<number, SceneGeometry['shape']>> = {
  0: 'plane',
  2: 'sphere',
  3: 'capsule',
  4: 'ellipsoid',
  5: 'cylinder',
  6: 'box',
};

/** MuJoCo's arrays of n geometries, row-major. */
export interface GeometryArrays {
  /** n, '' for an unnamed geometry. */
  readonly names: readonly string[];
  /** n, values of mjtGeom. */
  readonly types: ArrayLike<number>;
  /** n × 3, metres; which number means what depends on the shape. */
  readonly sizes: ArrayLike<number>;
  /** n × 4, red, green, blue and opacity, each 0…1. */
  readonly colours: ArrayLike<number>;
  /** n × 3, metres in the world frame. */
  readonly positions: ArrayLike<number>;
  /** n × 9, rotation matrices from the geometry's frame to the world frame. */
  readonly rotations: Float64Array;
}

/** The geometries that can be drawn, copied, in the model's order. An unnamed one is called `geom` and its id. */
export function sceneGeometry(arrays: GeometryArrays): SceneGeometry[] {
  const { names, types, sizes, colours, positions, rotations } = arrays;
  return names.flatMap((name, i) => {
    const shape = SHAPES[types[i]!];
    if (shape === undefined) return [];
    return {
      name: name === '' ? `geom${i}` : name,
      shape,
      size: [sizes[3 * i]!, sizes[3 * i + 1]!, sizes[3 * i + 2]!] as const,
      rgba: [colours[4 * i]!, colours[4 * i + 1]!, colours[4 * i + 2]!, colours[4 * i + 3]!] as const,
      position: [positions[3 * i]!, positions[3 * i + 1]!, positions[3 * i + 2]!] as const,
      rotation: Array.from(rotations.subarray(9 * i, 9 * i + 9)),
    };
  });
}
