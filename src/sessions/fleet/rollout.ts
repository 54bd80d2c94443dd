import type { Episode } from '../../learning/index.js';

export interface RolloutSettings {
  /** `staged`: one robot, a share of them, all, each time after a measurement; `all`: every policy to all. */
  readonly mode: 'staged' | 'all';
  /** The share of the robots that gets a policy second, between 0 and 1. */
  readonly share: number;
  /** Whole episodes that are measured in each stage. */
  readonly episodes: number;
  /** A policy may be farther from the demonstrations than the one before by this share of its distance. */
  readonly tolerance: number;
}

/** Beside the share: distances of few episodes differ by as much by chance. */
const NOISE = 0.02;
/** Episodes of the accepted policy that are measured, the newest. */
const REMEMBERED = 20;
/** Accepted policies that one can go back to. */
const HISTORY = 5;

/** A policy that goes to robots. */
export interface RolloutPolicy {
  readonly version: number;
}

export interface RolloutParts<Policy extends RolloutPolicy> {
  readonly robots: readonly string[];
  readonly settings: RolloutSettings;
  /** Whether a robot is there and not set aside: only such a one is asked to try a policy first. */
  readonly isFit: (robot: string) => boolean;
  /**
   * Sends a policy to robots. `back` where it takes the place of one that they have already, and which may have a higher
   * version.
   */
  readonly send: (robots: readonly string[], policy: Policy, back: boolean) => void;
  /** Distance of episodes from the demonstrations: {@link OccupancyDistance}. */
  readonly measure: (episodes: readonly Episode[]) => number;
  /** Hears each decision, in a sentence. */
  readonly say: (text: string) => void;
  /** Versions that two accepted policies are apart at least, for both to be remembered; 1 if not given. */
  readonly spacing?: number;
  /** What a learner that was killed had come to; the newest accepted policy is last. */
  readonly accepted?: readonly Policy[];
  /** Whether a person had gone back to an earlier policy. */
  readonly held?: boolean;
}

type Stage = 'first' | 'share';

interface Trial<Policy> {
  readonly policy: Policy;
  stage: Stage;
  robots: string[];
  episodes: Episode[];
}

/** How the rollout of policies stands. */
export interface RolloutState {
  /** Version that everybody has who tries no other; null before the first. */
  readonly accepted: number | null;
  /** Version that is tried, and by whom. */
  readonly tried: number | null;
  readonly robots: readonly string[];
  readonly refused: number;
  readonly held: boolean;
  /** In a sentence. */
  readonly text: string;
}

/**
 * Brings the learner's policies to a fleet: a new one goes to one robot, then to a share of them, then to all. Each step is
 * made when enough whole episodes of it have come back and are, by the progress measure, hardly farther from the
 * demonstrations than those of the policy before; otherwise its robots go back to that one. While a policy is tried,
 * newer ones wait; then the newest is tried.
 *
 * Only decides: what sends policies and measures episodes comes in.
 */
export class Rollout<Policy extends RolloutPolicy> {
  readonly #parts: RolloutParts<Policy>;
  readonly #history: Policy[];
  #newest: Policy | undefined;
  #trial: Trial<Policy> | undefined;
  /** Episodes of the accepted policy. */
  #baseline: Episode[] = [];
  #refused = 0;
  #held: boolean;
  #turn = 0;
  /** Newest version that was tried or accepted: an older one is never tried. */
  #considered = -1;

  constructor(parts: RolloutParts<Policy>) {
    this.#parts = parts;
    this.#history = [...(parts.accepted ?? [])];
    this.#held = parts.held ?? false;
    this.#considered = this.#history.at(-1)?.version ?? -1;
  }

  /** Policies that were accepted, the newest last. */
  get history(): readonly Policy[] {
    return this.#history;
  }

  get state(): RolloutState {
    const { settings } = this.#parts;
    const accepted = this.#history.at(-1)?.version ?? null;
    const trial = this.#trial;
    const text = this.#held
      ? `held at ${accepted} until a person resumes it`
      : trial === undefined
        ? accepted === null
          ? 'no policy yet'
          : `all have ${accepted}`
        : `${trial.policy.version} is tried by ${trial.robots.join(', ')}: ${trial.episodes.length} of ${settings.episodes} episodes${
            this.#baseline.length < settings.episodes
              ? `; ${this.#baseline.length} of ${settings.episodes} of ${accepted} to compare with`
              : ''
          }`;
    return {
      accepted,
      tried: trial?.policy.version ?? null,
      robots: trial?.robots ?? [],
      refused: this.#refused,
      held: this.#held,
      text,
    };
  }

  /** Sends everybody what they have to have, after a start. */
  begin(): void {
    const accepted = this.#history.at(-1);
    if (accepted !== undefined) this.#parts.send(this.#parts.robots, accepted, false);
  }

  /** The learner has a new policy. */
  offer(policy: Policy): void {
    if (this.#newest !== undefined && policy.version <= this.#newest.version) return;
    this.#newest = policy;
    this.#advance();
  }

  /** A whole episode that a policy drove has come back. */
  episode(version: number, episode: Episode): void {
    if (version === this.#trial?.policy.version) this.#trial.episodes.push(episode);
    else if (version === this.#history.at(-1)?.version)
      this.#baseline = [...this.#baseline, episode].slice(-REMEMBERED);
    else return;
    this.#judge();
  }

  /** A robot that tries a policy is gone or was set aside: another takes its place. To be called now and then. */
  look(): void {
    const trial = this.#trial;
    if (trial === undefined) {
      this.#advance();
      return;
    }
    const { robots, isFit, send } = this.#parts;
    if (trial.robots.some(isFit)) return;
    const other = robots.find((robot) => isFit(robot) && !trial.robots.includes(robot));
    if (other === undefined) return;
    trial.robots.push(other);
    send([other], trial.policy, false);
  }

  /**
   * Everybody goes back to the policy that was accepted before the present one, or, where a new one is being tried, before
   * that. Nothing new is sent until {@link resume}. Gives the version, or null where there is none to go back to.
   */
  rollback(): number | null {
    const { robots, say } = this.#parts;
    if (this.#trial !== undefined) this.#refused++;
    else if (this.#history.length < 2) return null;
    else this.#history.pop();
    this.#trial = undefined;
    this.#held = true;
    this.#baseline = [];
    const policy = this.#history.at(-1)!;
    this.#parts.send(robots, policy, true);
    say(`all go back to ${policy.version}, and keep it until a person resumes the rollout`);
    return policy.version;
  }

  /** New policies are tried again. */
  resume(): void {
    this.#held = false;
    this.#advance();
  }

  #advance(): void {
    const policy = this.#newest;
    const { settings, robots, isFit, send, say } = this.#parts;
    if (policy === undefined || this.#held || this.#trial !== undefined || policy.version <= this.#considered) return;
    if (settings.mode === 'all' || this.#history.length === 0 || robots.length === 1) {
      this.#accept(policy, [], robots);
      return;
    }
    const fit = robots.filter(isFit);
    if (fit.length === 0) return;
    // Another one each time: no robot tries all of them.
    const robot = fit[this.#turn++ % fit.length]!;
    this.#considered = policy.version;
    this.#trial = { policy, stage: 'first', robots: [robot], episodes: [] };
    send([robot], policy, false);
    say(`policy ${policy.version} is tried by ${robot}`);
  }

  #judge(): void {
    const trial = this.#trial;
    const { settings, robots, isFit, measure, say } = this.#parts;
    if (trial === undefined || trial.episodes.length < settings.episodes) return;
    if (this.#baseline.length < settings.episodes) return;
    const [now, before] = [measure(trial.episodes), measure(this.#baseline)];
    const { version } = trial.policy;
    const compared = `distance ${now.toFixed(3)}, ${before.toFixed(3)} before`;
    if (!(now <= before * (1 + settings.tolerance) + NOISE)) {
      this.#trial = undefined;
      this.#refused++;
      say(`policy ${version} is taken back: ${compared}`);
      this.#parts.send(trial.robots, this.#history.at(-1)!, true);
      this.#advance();
      return;
    }
    const wanted = Math.ceil(settings.share * robots.length);
    if (trial.stage === 'first' && wanted > trial.robots.length && wanted < robots.length) {
      const more = robots.filter((robot) => isFit(robot) && !trial.robots.includes(robot));
      const added = more.slice(0, wanted - trial.robots.length);
      trial.stage = 'share';
      trial.robots.push(...added);
      trial.episodes = [];
      this.#parts.send(added, trial.policy, false);
      say(`policy ${version} goes to ${trial.robots.length} of ${robots.length} robots: ${compared}`);
      return;
    }
    this.#trial = undefined;
    say(`policy ${version} goes to all: ${compared}`);
    const rest = robots.filter((robot) => !trial.robots.includes(robot));
    this.#accept(trial.policy, trial.episodes, rest);
    this.#advance();
  }

  #accept(policy: Policy, episodes: readonly Episode[], robots: readonly string[]): void {
    this.#considered = policy.version;
    const [before, last] = this.#history.slice(-2);
    if (last !== undefined && last.version - before!.version < (this.#parts.spacing ?? 1)) this.#history.pop();
    this.#history.push(policy);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#baseline = episodes.slice(-REMEMBERED);
    this.#parts.send(robots, policy, false);
  }
}
