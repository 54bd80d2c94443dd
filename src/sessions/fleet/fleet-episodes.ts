import { ActionRange, stackObservations } from '../../common/index.js';
import type { Episode } from '../../learning/index.js';
import type { Transition } from '../../messages/index.js';
import { EpisodeFollower, transitionObservations } from '../../nodes/index.js';
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
  readonly #episodes = new EpisodeFollower<Transition[]>(() => []);

  constructor(spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action'>) {
    this.#spec = spec;
  }

  /** Takes the next transition of a robot, and gives the episode that ended with it. */
  take(robot: string, transition: Transition): FleetEpisode | undefined {
    const followed = this.#episodes.take(robot, transition, transition.step < LONGEST);
    if (followed === undefined) return undefined;
    const { kept, ended } = followed;
    kept.push(transition);
    return ended ? { robot, version: versionOf(kept), episode: this.#episodeOf(kept) } : undefined;
  }

  /** A transition of the robot was left out: its open episode has a gap. */
  interrupt(robot: string): void {
    this.#episodes.interrupt(robot);
  }

  #episodeOf(transitions: readonly Transition[]): Episode {
    const observation = observationOf(this.#spec);
    const observed = transitions.map((transition) => transitionObservations(observation, transition));
    const rows = [...observed.map(([before]) => before), observed.at(-1)![1]];
    return {
      length: transitions.length,
      observations: stackObservations(observation, rows),
      actions: ActionRange.of(this.#spec.action).normalise(transitions.flatMap(({ action }) => Array.from(action))),
      terminated: transitions.at(-1)!.terminated,
    };
  }
}

function versionOf(transitions: readonly Transition[]): number | null {
  const [{ policy_version: first }] = transitions as [Transition];
  return transitions.every(({ policy_version }) => policy_version === first) ? Number(first) : null;
}
