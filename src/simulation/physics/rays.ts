import type { DoubleBuffer, IntBuffer, MjData, MjModel } from '@mujoco/mujoco';
import { IqLearnError } from '../../common/index.js';
import type { Mujoco } from './mujoco.js';

/** A ray ends here if it has hit nothing, in lengths of its direction. */
const FARTHEST = 1e10;

export interface RayOptions {
  /** Id of the body whose geometries the rays pass through: the one that carries the sensor. */
  readonly excludeBody?: number;
  /** Whether rays hit what cannot move; true if not given. */
  readonly includeStatic?: boolean;
  /** For each of MuJoCo's six geometry groups whether rays hit it; they hit all if not given. */
  readonly groups?: readonly [boolean, boolean, boolean, boolean, boolean, boolean];
}

export interface RayHit {
  /** In lengths of the direction vector; +Infinity where the ray hits nothing. */
  readonly distance: number;
  /** Id of the geometry; −1 where the ray hits nothing. */
  readonly geom: number;
}

/** Casts rays through a scene. Keeps the arrays that MuJoCo writes its results to, so that a next cast need not make them. */
export class RayCaster {
  readonly #mj: Mujoco;
  readonly #model: MjModel;
  readonly #data: MjData;
  #out: { readonly count: number; readonly distances: DoubleBuffer; readonly geoms: IntBuffer } | undefined;

  constructor(mj: Mujoco, model: MjModel, data: MjData) {
    this.#mj = mj;
    this.#model = model;
    this.#data = data;
  }

  /** Does what `Physics.castRays` says. Throws INVALID_ARGUMENT for arrays of the wrong length. */
  cast(
    origin: ArrayLike<number>,
    directions: ArrayLike<number>,
    distances: Float64Array | Float32Array,
    geoms: Int32Array | undefined,
    options: RayOptions,
  ): void {
    const count = distances.length;
    if (directions.length !== 3 * count || origin.length !== 3)
      throw new IqLearnError('INVALID_ARGUMENT', 'rays are misshapen', {
        found: `origin of ${origin.length}, ${directions.length} direction numbers for ${count} rays`,
        expected: 'an origin of 3 and 3 direction numbers a ray',
      });
    if (this.#out?.count !== count) {
      this.delete();
      this.#out = { count, distances: new this.#mj.DoubleBuffer(count), geoms: new this.#mj.IntBuffer(count) };
    }
    const out = this.#out;
    const groups = options.groups?.map(Number) ?? null;
    this.#mj.mj_multiRay(
      this.#model,
      this.#data,
      origin as unknown as number[],
      directions as unknown as number[],
      groups as unknown as number[],
      options.includeStatic ?? true,
      options.excludeBody ?? -1,
      out.geoms,
      out.distances,
      null,
      count,
      FARTHEST,
    );
    const found = out.distances.GetView() as Float64Array;
    for (let i = 0; i < count; i++) distances[i] = found[i]! < 0 ? Number.POSITIVE_INFINITY : found[i]!;
    geoms?.set(out.geoms.GetView() as Int32Array);
  }

  /** Frees the arrays of results. */
  delete(): void {
    this.#out?.distances.delete();
    this.#out?.geoms.delete();
    this.#out = undefined;
  }
}
