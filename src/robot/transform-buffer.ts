import { countBefore } from '../common/index.js';
import { nanosecondsOf, type TFMessage } from '../messages/index.js';
import { plainFrame } from './frames.js';
import { isUnitQuaternion } from './geometry.js';
import { compose, identity, interpolate, inverse, type RigidTransform } from './rigid-transform.js';

/** How long the past of a moving frame is kept, in nanoseconds: as long as tf2 does by default. */
const KEPT_NS = 10_000_000_000n;
/** A tree that is deeper than this is a circle. */
const DEEPEST = 100;

interface Sample {
  readonly stampNs: bigint;
  readonly transform: RigidTransform;
}

/** How a frame lies in its parent, over time; of a static one there is one sample, which always holds. */
interface Link {
  readonly parent: string;
  readonly isStatic: boolean;
  samples: Sample[];
}

export type FoundTransform =
  | { readonly ok: true; readonly transform: RigidTransform }
  | {
      readonly ok: false;
      /** `late`: its time has not come; `unconnected`: it may come; `past`: it never will. */
      readonly missing: 'late' | 'unconnected' | 'past';
      /** A clause for people. */
      readonly why: string;
    };

const seconds = (ns: bigint): string => `${(Number(ns) / 1e9).toFixed(3)} s`;

/**
 * What /tf and /tf_static say: a tree of frames. Between two stamps transforms are interpolated; beyond the first and the
 * last nothing is made up.
 */
export class TransformBuffer {
  readonly #links = new Map<string, Link>();
  /** What was wrong with the newest transform that could not be used; empty if there was none. */
  #unusable = '';

  /** Takes a message. Transforms that are not finite, no rotation, or of a frame in itself are left out, as tf2 does. */
  put({ transforms }: TFMessage, isStatic: boolean): void {
    for (const { header, child_frame_id, transform } of transforms) {
      const { translation: t, rotation: q } = transform;
      const parent = plainFrame(header.frame_id);
      const child = plainFrame(child_frame_id);
      const wrong = isRigid(t, q) ? (isLink(child, parent) ? '' : 'is of no two frames') : described(t, q);
      if (wrong !== '') {
        this.#unusable = `; the transform of '${child}' in '${parent}' ${wrong}`;
        continue;
      }
      const length = Math.hypot(q.x, q.y, q.z, q.w);
      const rotation = [q.x / length, q.y / length, q.z / length, q.w / length] as const;
      this.#insert(child, parent, isStatic, {
        stampNs: nanosecondsOf(header.stamp),
        transform: { translation: [t.x, t.y, t.z], rotation },
      });
    }
  }

  #insert(child: string, parent: string, isStatic: boolean, sample: Sample): void {
    const known = this.#links.get(child);
    if (known === undefined || isStatic || known.isStatic || known.parent !== parent) {
      this.#links.set(child, { parent, isStatic, samples: [sample] });
      return;
    }
    const { samples } = known;
    const newestNs = samples.at(-1)!.stampNs;
    if (sample.stampNs < newestNs - KEPT_NS) return;
    let at = samples.length;
    while (at > 0 && samples[at - 1]!.stampNs > sample.stampNs) at--;
    if (samples[at - 1]?.stampNs === sample.stampNs) samples[at - 1] = sample;
    else samples.splice(at, 0, sample);
    const oldestNs = samples.at(-1)!.stampNs - KEPT_NS;
    let old = 0;
    while (samples[old]!.stampNs < oldestNs) old++;
    if (old > 0) samples.splice(0, old);
  }

  /** Forgets what moves: after a jump of the clock. What is static stays true. */
  forget(): void {
    for (const [child, { isStatic }] of this.#links) if (!isStatic) this.#links.delete(child);
  }

  /** How `source` lies in `target` at a time; null: at the newest at which all of the way is known. */
  find(target: string, source: string, stampNs: bigint | null): FoundTransform {
    const up = this.#way(plainFrame(source));
    const down = this.#way(plainFrame(target));
    const meeting = up.find((frame) => down.includes(frame));
    if (meeting === undefined) {
      if (this.#links.size === 0)
        return {
          ok: false,
          missing: 'unconnected',
          why: `no transform came on /tf or /tf_static${this.#unusable === '' ? '' : ` that can be used${this.#unusable}`}`,
        };
      const ends = `'${up.at(-1)}' is the root above '${source}', '${down.at(-1)}' above '${target}'`;
      return {
        ok: false,
        missing: 'unconnected',
        why: `/tf and /tf_static do not connect them: ${ends}${this.#unusable}`,
      };
    }
    const rising = up.slice(0, up.indexOf(meeting));
    const falling = down.slice(0, down.indexOf(meeting));
    const atNs = stampNs ?? this.#newestOf([...rising, ...falling]);
    const fromSource = this.#along(rising, atNs);
    if (!fromSource.ok) return fromSource;
    const fromTarget = this.#along(falling, atNs);
    if (!fromTarget.ok) return fromTarget;
    return { ok: true, transform: compose(inverse(fromTarget.transform), fromSource.transform) };
  }

  /** A frame and those above it, up to the root. */
  #way(frame: string): string[] {
    const way = [frame];
    for (let link = this.#links.get(frame); link !== undefined && way.length < DEEPEST; ) {
      way.push(link.parent);
      link = this.#links.get(link.parent);
    }
    return way;
  }

  /** The newest time at which all of these frames are known. */
  #newestOf(frames: readonly string[]): bigint {
    const newest = frames.flatMap((frame) => {
      const { isStatic, samples } = this.#links.get(frame)!;
      return isStatic ? [] : [samples.at(-1)!.stampNs];
    });
    return newest.reduce((least, ns) => (ns < least ? ns : least), newest[0] ?? 0n);
  }

  /** How the first of the frames lies in the parent of the last. */
  #along(frames: readonly string[], atNs: bigint): FoundTransform {
    let transform = identity;
    for (const frame of frames) {
      const link = this.#links.get(frame)!;
      const at = sampleAt(link, atNs, frame);
      if (!at.ok) return at;
      transform = compose(at.transform, transform);
    }
    return { ok: true, transform };
  }
}

interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

function isRigid(t: Vector, q: Vector & { readonly w: number }): boolean {
  return [t.x, t.y, t.z].every(Number.isFinite) && isUnitQuaternion(q.x, q.y, q.z, q.w);
}

function isLink(child: string, parent: string): boolean {
  return child !== parent && child !== '' && parent !== '';
}

function described(t: Vector, q: Vector & { readonly w: number }): string {
  return `is (${t.x}, ${t.y}, ${t.z}), turned by (${q.x}, ${q.y}, ${q.z}, ${q.w}), which is none`;
}

function sampleAt({ parent, isStatic, samples }: Link, atNs: bigint, frame: string): FoundTransform {
  const first = samples[0]!;
  const last = samples.at(-1)!;
  if (isStatic || atNs === last.stampNs) return { ok: true, transform: last.transform };
  const of = `'${frame}' in '${parent}'`;
  if (atNs > last.stampNs)
    return { ok: false, missing: 'late', why: `/tf has ${of} up to ${seconds(atNs - last.stampNs)} before its stamp` };
  if (atNs < first.stampNs)
    return {
      ok: false,
      missing: 'past',
      why: `/tf has ${of} only from ${seconds(first.stampNs - atNs)} after its stamp`,
    };
  const next = countBefore(samples.length, (i) => samples[i]!.stampNs <= atNs);
  const before = samples[next - 1]!;
  const after = samples[next]!;
  const share = Number(atNs - before.stampNs) / Number(after.stampNs - before.stampNs);
  return { ok: true, transform: interpolate(before.transform, after.transform, share) };
}
