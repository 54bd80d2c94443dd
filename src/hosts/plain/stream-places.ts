import { z } from 'zod';
import { IqLearnError } from '../../common/index.js';
import type { StreamPlace } from '../../link/index.js';
import { fact, type Transition, type TransitionRows } from '../../messages/index.js';
import { isSlice, type RobotSlice, type TransitionPiece } from '../../nodes/index.js';
import type { SessionState } from '../../training/index.js';

const metaSchema = z.object({
  /** First digits of the hashes of the recordings that came over the link and are learned from. */
  recordings: z.array(z.string()).default([]),
  link: z.record(z.string(), z.strictObject({ epoch: z.string().regex(/^\d+$/), sequence: z.string().regex(/^\d+$/) })),
});

/** A transition's robot, and the place up to which its stream may be forgotten once the transition is saved. */
interface Noted {
  readonly robot: string;
  place: StreamPlace;
}

/** Segments whose places are remembered; a checkpoint is much newer than that. */
const REMEMBERED = 10_000;

/**
 * Which place in each robot's stream belongs to which segment of transitions. The places travel with the segments into
 * checkpoints, so that a learner and its place in every stream are always of one moment: a learner that was killed goes on
 * with exactly the transition that comes after its checkpoint.
 */
export class StreamPlaces {
  readonly #of = new WeakMap<Transition, Noted>();
  /** Of transitions in rows, the ends of the slices that were noted. */
  readonly #ofRows = new WeakMap<TransitionRows, { to: number; epoch: bigint; noted: Noted }[]>();
  /** The newest transition of each robot that belongs to no segment yet. */
  readonly #open = new Map<string, Noted>();
  readonly #current: Map<string, StreamPlace>;
  readonly #bySegment = new Map<number, ReadonlyMap<string, StreamPlace>>();
  readonly #recordings = new Set<string>();
  #segments: number;

  /** `segments` and `session` are of the checkpoint that learning goes on from. Throws CORRUPT_DATA. */
  constructor(segments: number, session: SessionState | undefined) {
    this.#segments = segments;
    this.#current = new Map();
    if (session === undefined) return;
    const parsed = metaSchema.safeParse(session.meta);
    if (!parsed.success)
      throw new IqLearnError('CORRUPT_DATA', 'the checkpoint was not written by iq-learn serve', {
        expected: "'link', the places in the robots' streams",
        remedy: 'resume it with the command that wrote it, or give another folder with --run',
      });
    for (const id of parsed.data.recordings) this.#recordings.add(id);
    for (const [robot, { epoch, sequence }] of Object.entries(parsed.data.link))
      this.#current.set(robot, { epoch: BigInt(epoch), sequence: BigInt(sequence) });
  }

  /** Where a robot's stream goes on; undefined at its beginning. */
  of(robot: string): StreamPlace | undefined {
    return this.#current.get(robot);
  }

  /** Whether a recording is learned from. */
  holds(id: string): boolean {
    return this.#recordings.has(id);
  }

  /** A recording's demonstrations are in the segment that is made next. */
  noteRecording(id: string): void {
    this.#recordings.add(id);
  }

  note(robot: string, transition: Transition, place: StreamPlace): void {
    const noted = { robot, place };
    this.#of.set(transition, noted);
    this.#open.set(robot, noted);
  }

  /** As {@link note}, of transitions in rows. */
  noteSlice({ rows, to, robot }: RobotSlice, epoch: bigint): void {
    const place = { epoch, sequence: BigInt(rows.fact(to - 1, fact.place)) };
    const noted = { robot, place };
    const ends = this.#ofRows.get(rows) ?? [];
    ends.push({ to, epoch, noted });
    this.#ofRows.set(rows, ends);
    this.#open.set(robot, noted);
  }

  /** A transition at this place is left out for good; it may be forgotten together with the one before it. */
  leaveOut(robot: string, place: StreamPlace): void {
    const open = this.#open.get(robot);
    if (open === undefined) this.#current.set(robot, place);
    else open.place = place;
  }

  /** The robot that made a transition which was noted. */
  robotOf(transition: Transition): string {
    return this.#of.get(transition)?.robot ?? '';
  }

  /** To be called with the transitions of each segment, in order; what comes back belongs into its checkpoints. */
  after(pieces: readonly TransitionPiece[]): SessionState {
    for (const piece of pieces) {
      const found = isSlice(piece) ? this.#endOf(piece) : this.#of.get(piece);
      if (found === undefined) continue;
      this.#current.set(found.robot, found.place);
      if (this.#open.get(found.robot) === found) this.#open.delete(found.robot);
    }
    this.#segments += 1;
    this.#bySegment.set(this.#segments, new Map(this.#current));
    if (this.#bySegment.size > REMEMBERED) this.#bySegment.delete(this.#bySegment.keys().next().value!);
    const link = Object.fromEntries(
      [...this.#current].map(([robot, { epoch, sequence }]) => [
        robot,
        { epoch: String(epoch), sequence: String(sequence) },
      ]),
    );
    return { meta: { link, recordings: [...this.#recordings] }, arrays: {} };
  }

  /** What was noted of the last transition of a slice: what comes after it may be in a later segment. */
  #endOf({ rows, to, robot }: RobotSlice): Noted | undefined {
    const end = this.#ofRows.get(rows)?.find((each) => each.to >= to);
    if (end === undefined || end.to === to) return end?.noted;
    return { robot, place: { epoch: end.epoch, sequence: BigInt(rows.fact(to - 1, fact.place)) } };
  }

  /** The places that a checkpoint of this version holds. */
  saved(version: number): ReadonlyMap<string, StreamPlace> {
    const found = this.#bySegment.get(version) ?? new Map<string, StreamPlace>();
    for (const segment of [...this.#bySegment.keys()]) if (segment <= version) this.#bySegment.delete(segment);
    return found;
  }
}
