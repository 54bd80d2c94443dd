import { stackObservations } from '../../common/index.js';
import { type Episode, observationAt } from '../../learning/index.js';
import { fact, type Transition, type TransitionRows } from '../../messages/index.js';
import {
  addSlice,
  EpisodeFollower,
  type Followed,
  isSlice,
  stackTransitions,
  type TransitionPiece,
} from '../../nodes/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';

/** A whole episode that a robot of a fleet drove by itself. */
export interface FleetEpisode {
  readonly robot: string;
  /** Version of the policy that drove all of it; null where it was changed on the way. */
  readonly version: number | null;
  readonly episode: Episode;
}

/** An episode that grows longer than this is not kept: nobody measures one that never ends. */
const LONGEST = 20_000;

/** Puts the transitions of each robot together to whole episodes: those that {@link EpisodeFollower} counts. */
export class FleetEpisodes {
  readonly #spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action'>;
  readonly #episodes = new EpisodeFollower<TransitionPiece[]>(() => []);

  constructor(spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action'>) {
    this.#spec = spec;
  }

  /** Takes the next transition of a robot, and gives the episode that ended with it. */
  take(robot: string, transition: Transition): FleetEpisode | undefined {
    const followed = this.#episodes.take(robot, transition, transition.step < LONGEST);
    if (followed === undefined) return undefined;
    followed.kept.push(transition);
    return this.#ended(robot, followed);
  }

  /** As {@link take}, of a transition that lies in a row. */
  takeRow(robot: string, rows: TransitionRows, row: number): FleetEpisode | undefined {
    const followed = this.#episodes.takeRow(robot, rows, row, rows.fact(row, fact.step) < LONGEST);
    if (followed === undefined) return undefined;
    addSlice(followed.kept, { rows, from: row, to: row + 1, robot });
    return this.#ended(robot, followed);
  }

  /** A transition of the robot was left out: its open episode has a gap. */
  interrupt(robot: string): void {
    this.#episodes.interrupt(robot);
  }

  #ended(robot: string, { kept, ended }: Followed<TransitionPiece[]>): FleetEpisode | undefined {
    return ended ? { robot, version: versionOf(kept), episode: this.#episodeOf(kept) } : undefined;
  }

  #episodeOf(pieces: readonly TransitionPiece[]): Episode {
    const { length, observations, actions, nextObservations, terminated } = stackTransitions(pieces, this.#spec);
    const spec = observationOf(this.#spec);
    const rows = Array.from({ length }, (_, i) => observationAt(spec, observations, i));
    rows.push(observationAt(spec, nextObservations, length - 1));
    return {
      length,
      observations: stackObservations(spec, rows),
      actions,
      terminated: terminated[length - 1] === 1,
    };
  }
}

/** The policy that drove all of the transitions; null where there was more than one. */
function versionOf(pieces: readonly TransitionPiece[]): number | null {
  let version: number | undefined;
  for (const piece of pieces) {
    const [from, to] = isSlice(piece) ? [piece.from, piece.to] : [0, 1];
    for (let row = from; row < to; row++) {
      const own = isSlice(piece) ? piece.rows.fact(row, fact.version) : Number(piece.policy_version);
      version ??= own;
      if (own !== version) return null;
    }
  }
  return version ?? null;
}
