import { IqLearnError } from '../common/index.js';
import type { SceneReplay } from './data.js';

/** A body to draw, as a simulator gives it. */
export interface SceneBody {
  readonly name: string;
  readonly shape: SceneReplay['bodies'][number]['shape'];
  readonly size: readonly number[];
  readonly rgba: readonly number[];
  readonly position: readonly number[];
  /** Rotation matrix, 3×3, row by row. */
  readonly rotation: readonly number[];
}

/** Row-major rotation → quaternion x, y, z, w, by the largest component (Shepperd 1978). */
export function quaternionOf(m: readonly number[]): [number, number, number, number] {
  const [a, b, c, d, e, f, g, h, i] = m as readonly [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const trace = a + e + i;
  if (trace > 0) {
    const s = 2 * Math.sqrt(trace + 1);
    return [(h - f) / s, (c - g) / s, (d - b) / s, s / 4];
  }
  if (a > e && a > i) {
    const s = 2 * Math.sqrt(1 + a - e - i);
    return [s / 4, (b + d) / s, (c + g) / s, (h - f) / s];
  }
  if (e > i) {
    const s = 2 * Math.sqrt(1 + e - a - i);
    return [(b + d) / s, s / 4, (f + h) / s, (c - g) / s];
  }
  const s = 2 * Math.sqrt(1 + i - a - e);
  return [(c + g) / s, (f + h) / s, s / 4, (d - b) / s];
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

/** The compact form of one episode's frames. Every frame must show the same bodies in the same order. */
export function sceneReplay(
  episode: Omit<SceneReplay, 'bodies' | 'frames'>,
  frames: readonly (readonly SceneBody[])[],
): SceneReplay {
  const bodies = (frames[0] ?? []).map(({ name, shape, size, rgba }, k) => {
    const poses = frames.map((frame, t) => {
      const body = frame[k];
      if (body?.name !== name)
        throw new IqLearnError('INVALID_ARGUMENT', 'the scene changes its bodies', {
          found: `${body?.name ?? 'none'} in frame ${t}`,
          expected: name,
        });
      return [...body.position, ...quaternionOf(body.rotation)].map(rounded);
    });
    const still = poses.every((pose) => pose.every((value, i) => value === poses[0]![i]));
    return {
      name,
      shape,
      size: size.map(rounded),
      rgba: rgba.map(rounded),
      poses: (still ? poses.slice(0, 1) : poses).flat(),
    };
  });
  return { ...episode, bodies, frames: frames.length };
}
